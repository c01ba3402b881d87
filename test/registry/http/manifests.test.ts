import { beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { LIMITS } from '../../../src/core/limits.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import {
  content,
  DOCKER_LIST,
  DOCKER_MANIFEST,
  errorCodes,
  image,
  imageIndex,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  pushImage,
  putManifest,
  startRegistry,
  type TestRegistry,
} from '../fixture.ts';

const [CONFIG, LAYER] = [content(1, 50), content(2, 500)];
const MANIFESTS = '/v2/team/app/manifests';

let registry: TestRegistry;
let send: TestRegistry['send'];
beforeAll(async () => {
  registry = await startRegistry();
  send = registry.send;
});
beforeEach(async () => {
  for (const blob of [CONFIG, LAYER]) await pushBlob(registry, 'team/app', blob);
});

describe('a manifest', () => {
  test.each([OCI_MANIFEST, DOCKER_MANIFEST])('%s is stored and sent as it is', async (mediaType) => {
    const manifest = Buffer.from(` ${image(CONFIG, [LAYER], { mediaType })}\n`);
    const digest = digestOf(manifest);
    const pushed = await putManifest(registry, 'team/app', 'v1', manifest, mediaType);
    expect(pushed.status).toBe(201);
    expect(pushed.headers.get('location')).toBe(`${MANIFESTS}/${digest}`);
    expect(pushed.headers.get('docker-content-digest')).toBe(digest);
    expect(pushed.headers.get('oci-subject')).toBeNull();
    for (const reference of ['v1', digest]) {
      const response = await send('GET', `${MANIFESTS}/${reference}`, undefined, { Accept: 'application/other' });
      expect(response.status).toBe(200);
      expect(headers(response)).toEqual([mediaType, String(manifest.length), digest, `"${digest}"`]);
      expect(await response.bytes()).toEqual(new Uint8Array(manifest));
      const head = await send('HEAD', `${MANIFESTS}/${reference}`);
      expect([head.status, ...headers(head)]).toEqual([200, ...headers(response)]);
      expect(await head.text()).toBe('');
    }
  });

  test.each([OCI_INDEX, DOCKER_LIST])('%s lists manifests of the repository', async (mediaType) => {
    const child = await pushImage(registry, 'team/app', 10);
    const index = imageIndex([child], mediaType);
    expect((await putManifest(registry, 'team/app', 'all', index, mediaType)).status).toBe(201);
    expect((await send('GET', `${MANIFESTS}/all`)).headers.get('content-type')).toBe(mediaType);
    const nested = imageIndex([], OCI_INDEX);
    expect((await putManifest(registry, 'team/app', 'nested', nested, OCI_INDEX)).status).toBe(201);
  });

  test('is not sent to who has it', async () => {
    const digest = digestOf(await pushImage(registry, 'team/app', 20, 'same'));
    const same = await send('GET', `${MANIFESTS}/same`, undefined, { 'If-None-Match': `"${digest}"` });
    expect([same.status, same.headers.get('docker-content-digest'), await same.text()]).toEqual([304, digest, '']);
    expect((await send('GET', `${MANIFESTS}/same`, undefined, { 'If-None-Match': '"other"' })).status).toBe(200);
  });

  test('can be pushed under its own digest only', async () => {
    const manifest = image(CONFIG, [LAYER], { annotations: { pushed: 'by digest' } });
    for (const digest of [digestOf(manifest), digestOf(manifest, 'sha512')]) {
      const response = await putManifest(registry, 'team/app', digest, manifest);
      expect([response.status, response.headers.get('docker-content-digest')]).toEqual([201, digest]);
      expect((await (await send('GET', `${MANIFESTS}/${digest}`)).bytes()).length).toBe(manifest.length);
    }
    for (const wrong of [digestOf(LAYER), 'sha256:baddigeststring', 'md5:00']) {
      const response = await putManifest(registry, 'team/app', wrong, manifest);
      expect([wrong, response.status, await errorCodes(response)]).toEqual([wrong, 400, ['DIGEST_INVALID']]);
    }
  });

  test('needs a tag of the right form', async () => {
    const manifest = image(CONFIG, [LAYER]);
    for (const tag of ['.hidden', '-x', 'a'.repeat(129), 'a%20b', 'ä']) {
      const response = await putManifest(registry, 'team/app', tag, manifest);
      expect([tag, response.status, await errorCodes(response)]).toEqual([tag, 400, ['TAG_INVALID']]);
    }
    expect((await putManifest(registry, 'team/app', 'a'.repeat(128), manifest)).status).toBe(201);
  });

  test('is refused, with all that is missing, until its blobs are in the repository', async () => {
    const [layer, elsewhere] = [content(30, 40), content(31, 40)];
    await pushBlob(registry, 'team/other', elsewhere);
    const manifest = image(CONFIG, [LAYER, layer, elsewhere]);
    const response = await putManifest(registry, 'team/app', 'missing', manifest);
    expect(response.status).toBe(400);
    const { errors } = (await response.json()) as { errors: { code: string; detail: { digest: string } }[] };
    expect(errors.map(({ code }) => code)).toEqual(['MANIFEST_BLOB_UNKNOWN', 'MANIFEST_BLOB_UNKNOWN']);
    expect(errors.map(({ detail }) => detail.digest).sort()).toEqual([digestOf(layer), digestOf(elsewhere)].sort());
    expect((await send('GET', `${MANIFESTS}/missing`)).status).toBe(404);
    for (const blob of [layer, elsewhere]) await pushBlob(registry, 'team/app', blob);
    expect((await putManifest(registry, 'team/app', 'missing', manifest)).status).toBe(201);
  });

  test('is refused until its manifests are in the repository', async () => {
    const index = imageIndex([image(CONFIG, [])]);
    const response = await putManifest(registry, 'team/app', 'all', index, OCI_INDEX);
    expect([response.status, await errorCodes(response)]).toEqual([400, ['MANIFEST_BLOB_UNKNOWN']]);
  });

  test('is refused if it is malformed or of another type', async () => {
    const manifest = image(CONFIG, [LAYER]).toString();
    for (const [document, type] of [
      ['', OCI_MANIFEST],
      ['{', OCI_MANIFEST],
      [manifest.replace('"schemaVersion":2', '"schemaVersion":2,"schemaVersion":2'), OCI_MANIFEST],
      [manifest, DOCKER_MANIFEST],
      [manifest, OCI_INDEX],
      [manifest, 'application/json'],
      [manifest.replace(OCI_MANIFEST, 'application/x'), 'application/x'],
      ['{"schemaVersion":1}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    ] as const) {
      const response = await putManifest(registry, 'team/app', 'bad', document, type);
      expect([type, response.status, await errorCodes(response)]).toEqual([type, 400, ['MANIFEST_INVALID']]);
    }
    expect((await send('GET', `${MANIFESTS}/bad`)).status).toBe(404);
  });

  test('may be as large as the limit, and no larger', async () => {
    const fill = (size: number) => {
      const empty = image(CONFIG, [LAYER], { annotations: { fill: '' } });
      return image(CONFIG, [LAYER], { annotations: { fill: 'x'.repeat(size - empty.length) } });
    };
    expect((await putManifest(registry, 'team/app', 'large', fill(LIMITS.manifest))).status).toBe(201);
    expect((await (await send('GET', `${MANIFESTS}/large`)).bytes()).length).toBe(LIMITS.manifest);
    const declared = await putManifest(registry, 'team/app', 'huge', fill(LIMITS.manifest + 1));
    expect([declared.status, await errorCodes(declared)]).toEqual([413, ['MANIFEST_INVALID']]);
    const bytes = fill(LIMITS.manifest + 1);
    const streamed = await send('PUT', `${MANIFESTS}/huge`, new Blob([bytes]).stream(), {
      'Content-Type': OCI_MANIFEST,
    });
    expect([streamed.status, await errorCodes(streamed)]).toEqual([413, ['MANIFEST_INVALID']]);
  });

  test('is unknown under any other reference', async () => {
    for (const reference of ['nothing', digestOf(LAYER), '.INVALID', 'sha256:abc', 'a:b']) {
      for (const method of ['GET', 'DELETE']) {
        const response = await send(method, `${MANIFESTS}/${reference}`);
        expect([reference, response.status, await errorCodes(response)]).toEqual([
          reference,
          404,
          ['MANIFEST_UNKNOWN'],
        ]);
      }
      expect((await send('HEAD', `${MANIFESTS}/${reference}`)).status).toBe(404);
    }
  });

  test('goes with its tags; a tag goes alone', async () => {
    const first = digestOf(await pushImage(registry, 'team/app', 40, 'one'));
    await pushImage(registry, 'team/app', 40, 'two');
    await pushImage(registry, 'team/app', 40, 'three');
    expect((await send('DELETE', `${MANIFESTS}/one`)).status).toBe(202);
    expect((await send('GET', `${MANIFESTS}/one`)).status).toBe(404);
    expect((await send('GET', `${MANIFESTS}/two`)).status).toBe(200);
    expect((await send('DELETE', `${MANIFESTS}/${first}`)).status).toBe(202);
    for (const reference of ['two', 'three', first]) {
      expect((await send('GET', `${MANIFESTS}/${reference}`)).status).toBe(404);
    }
    expect((await send('DELETE', `${MANIFESTS}/${first}`)).status).toBe(404);
  });
});

function headers(response: Response): (string | null)[] {
  const names = ['content-type', 'content-length', 'docker-content-digest', 'etag'];
  return names.map((name) => response.headers.get(name));
}
