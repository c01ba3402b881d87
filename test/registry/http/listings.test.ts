import { beforeAll, describe, expect, test } from 'bun:test';
import { type Digest, digestOf } from '../../../src/core/names/digest.ts';
import {
  content,
  DOCKER_MANIFEST,
  errorCodes,
  image,
  imageIndex,
  OCI_INDEX,
  OCI_MANIFEST,
  pushImage,
  putManifest,
  startRegistry,
  type TestRegistry,
} from '../fixture.ts';

const TAGS = ['10', '9', 'B', '_', 'a', 'b.1'];

let registry: TestRegistry;
let send: TestRegistry['send'];
beforeAll(async () => {
  registry = await startRegistry();
  send = registry.send;
  for (const tag of [...TAGS].reverse()) await pushImage(registry, 'team/app', 1, tag);
  for (const repository of ['a', 'team/other', 'z/y/x']) await pushImage(registry, repository, 1, 'latest');
});

describe('tags', () => {
  test('are listed in order', async () => {
    const response = await send('GET', '/v2/team/app/tags/list');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toStartWith('application/json');
    expect(response.headers.get('link')).toBeNull();
    expect(await response.json()).toEqual({ name: 'team/app', tags: TAGS });
  });

  test('are listed in pages that link to the next', async () => {
    let next: string | undefined = '/v2/team/app/tags/list?n=4';
    const pages: string[][] = [];
    while (next !== undefined) {
      const response = await send('GET', next);
      pages.push(((await response.json()) as { tags: string[] }).tags);
      next = nextOf(response);
    }
    expect(pages).toEqual([TAGS.slice(0, 4), TAGS.slice(4)]);
  });

  test('begin behind the last one known, even if that is gone', async () => {
    const after = async (query: string) =>
      ((await (await send('GET', `/v2/team/app/tags/list?${query}`)).json()) as { tags: string[] }).tags;
    expect(await after('last=9')).toEqual(TAGS.slice(2));
    expect(await after('last=A')).toEqual(TAGS.slice(2));
    expect(await after('last=A&n=1')).toEqual(['B']);
    expect(await after('last=zzz')).toEqual([]);
    expect(await after('n=6')).toEqual(TAGS);
    expect(await after('n=7')).toEqual(TAGS);
  });

  test('none are listed where none are wanted', async () => {
    const response = await send('GET', '/v2/team/app/tags/list?n=0');
    expect(response.headers.get('link')).toBeNull();
    expect(await response.json()).toEqual({ name: 'team/app', tags: [] });
  });

  test('a last page that is full links nowhere', async () => {
    expect((await send('GET', '/v2/team/app/tags/list?n=6')).headers.get('link')).toBeNull();
    expect((await send('GET', '/v2/team/app/tags/list?n=5')).headers.get('link')).toBe(
      '</v2/team/app/tags/list?n=5&last=a>; rel="next"',
    );
  });

  test('the number must be one', async () => {
    for (const n of ['', '-1', 'x', '1.5', '9'.repeat(10)]) {
      const response = await send('GET', `/v2/team/app/tags/list?n=${n}`);
      expect([n, response.status, await errorCodes(response)]).toEqual([n, 400, ['PAGINATION_NUMBER_INVALID']]);
    }
  });

  test('an unknown repository has none; one without tags has an empty list', async () => {
    const unknown = await send('GET', '/v2/team/unknown/tags/list');
    expect([unknown.status, await errorCodes(unknown)]).toEqual([404, ['NAME_UNKNOWN']]);
    await pushImage(registry, 'team/untagged', 1);
    expect(await (await send('GET', '/v2/team/untagged/tags/list')).json()).toEqual({
      name: 'team/untagged',
      tags: [],
    });
  });
});

describe('the catalogue', () => {
  test('lists repositories in order, in pages', async () => {
    const all = await send('GET', '/v2/_catalog');
    expect(await all.json()).toEqual({ repositories: ['a', 'team/app', 'team/other', 'team/untagged', 'z/y/x'] });
    expect(all.headers.get('link')).toBeNull();
    const page = await send('GET', '/v2/_catalog?n=2');
    expect(await page.json()).toEqual({ repositories: ['a', 'team/app'] });
    expect(nextOf(page)).toBe('/v2/_catalog?n=2&last=team%2Fapp');
    const second = await send('GET', nextOf(page) ?? '');
    expect(await second.json()).toEqual({ repositories: ['team/other', 'team/untagged'] });
  });

  test('can only be read', async () => {
    const response = await send('DELETE', '/v2/_catalog');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET']);
    expect(await errorCodes(response)).toEqual(['UNSUPPORTED']);
  });
});

describe('referrers', () => {
  const referrers = async (subject: string, query = '', repository = 'team/app') => {
    const response = await send('GET', `/v2/${repository}/referrers/${subject}${query}`);
    return { response, body: (await response.json()) as { manifests: { digest: Digest }[] } };
  };

  test('are listed as an index of their descriptors', async () => {
    const subject = digestOf(content(50, 10));
    const annotations = { made: 'today' };
    const sbom = await pushImage(registry, 'team/app', 51, 'sbom', {
      subject,
      artifactType: 'application/sbom',
      annotations,
    });
    const signature = await pushImage(registry, 'team/app', 53, undefined, { subject });
    const { response, body } = await referrers(subject);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(OCI_INDEX);
    expect(response.headers.get('oci-filters-applied')).toBeNull();
    const byDigest = (a: { digest: string }, b: { digest: string }) => (a.digest < b.digest ? -1 : 1);
    expect(body).toEqual({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [
        {
          mediaType: OCI_MANIFEST,
          digest: digestOf(sbom),
          size: sbom.length,
          artifactType: 'application/sbom',
          annotations,
        },
        {
          mediaType: OCI_MANIFEST,
          digest: digestOf(signature),
          size: signature.length,
          artifactType: 'application/vnd.oci.image.config.v1+json',
        },
      ].sort(byDigest),
    } as never);
    const filtered = await referrers(subject, '?artifactType=application%2Fsbom');
    expect(filtered.response.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(filtered.body.manifests.map(({ digest }) => digest)).toEqual([digestOf(sbom)]);
    expect((await referrers(subject, '?artifactType=other')).body.manifests).toEqual([]);
    await send('DELETE', `/v2/team/app/manifests/${digestOf(sbom)}`);
    expect((await referrers(subject)).body.manifests.map(({ digest }) => digest)).toEqual([digestOf(signature)]);
  });

  test('the push of one is told that its subject was understood', async () => {
    const subject = digestOf(content(60, 10));
    const [config, layer] = [content(1, 50), content(2, 500)];
    const oci = await putManifest(registry, 'team/app', 'oci', image(config, [layer], { subject }));
    expect(oci.headers.get('oci-subject')).toBe(subject);
    const index = Buffer.from(
      JSON.stringify({
        ...JSON.parse(imageIndex([]).toString()),
        subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 },
      }),
    );
    const ofIndex = await putManifest(registry, 'team/app', 'index', index, OCI_INDEX);
    expect(ofIndex.headers.get('oci-subject')).toBe(subject);
    const docker = image(config, [layer], { subject, mediaType: DOCKER_MANIFEST });
    const ofDocker = await putManifest(registry, 'team/app', 'docker', docker, DOCKER_MANIFEST);
    expect([ofDocker.status, ofDocker.headers.get('oci-subject')]).toEqual([201, null]);
    expect((await referrers(subject)).body.manifests.length).toBe(2);
  });

  test('there are none of what no one knows', async () => {
    const unknown = digestOf(content(70, 10));
    for (const repository of ['team/app', 'team/unknown']) {
      const { response, body } = await referrers(unknown, '', repository);
      expect(response.status).toBe(200);
      expect(body).toEqual({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } as never);
    }
    const malformed = await send('GET', '/v2/team/app/referrers/latest');
    expect([malformed.status, await errorCodes(malformed)]).toEqual([400, ['DIGEST_INVALID']]);
  });

  test('come in pages where they are large', async () => {
    const subject = digestOf(content(80, 10));
    const pushed: string[] = [];
    for (let number = 0; number < 4; number++) {
      const annotations = { number: String(number), fill: 'x'.repeat(900_000) };
      pushed.push(digestOf(await pushImage(registry, 'team/app', 1, undefined, { subject, annotations })));
    }
    const found: string[] = [];
    const sizes: number[] = [];
    let next: string | undefined = `/v2/team/app/referrers/${subject}`;
    while (next !== undefined) {
      const response = await send('GET', next);
      const { manifests } = (await response.json()) as { manifests: { digest: string }[] };
      found.push(...manifests.map(({ digest }) => digest));
      sizes.push(manifests.length);
      next = nextOf(response);
    }
    expect(found).toEqual(pushed.sort());
    expect(sizes).toEqual([2, 2]);
  });
});

function nextOf(response: Response): string | undefined {
  return /^<(.*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
}
