import { expect, test } from 'bun:test';
import { digestOf } from '../../src/core/names/digest.ts';
import { content } from '../registry/fixture.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { request, startTestServer } from './fixture.ts';

const DIGEST = digestOf(content(1, 10));
const UPLOADS = '/v2/team/app/blobs/uploads/';

const server = await startTestServer();
const docker = await startDockerRegistry({ realm: `${server.url}/auth/token`, service: 'signet' });

test.each([
  UPLOADS,
  `${UPLOADS}?mount=${DIGEST}&from=other/source`,
  `${UPLOADS}?from=other/source&mount=${DIGEST}`,
  `${UPLOADS}?mount=sha256:abc&from=other/source`,
  `${UPLOADS}?from=other/source`,
  `${UPLOADS}?mount=${DIGEST}`,
  `${UPLOADS}?mount=${DIGEST}&from=`,
])('the challenge to POST %s is that of docker-registry', async (path) => {
  const theirs = await fetch(docker + path, { method: 'POST' });
  const ours = await request(server, path, { method: 'POST' });
  expect([ours.status, theirs.status]).toEqual([401, 401]);
  expect(parametersOf(ours)).toEqual(parametersOf(theirs));
  expect(await ours.json()).toEqual(await theirs.json());
});

/** The challenge up to its scopes, and those in order: Go's are in the order of a map's, another each time. */
function parametersOf({ headers }: Response): readonly (string | readonly string[] | undefined)[] {
  const [, start, scopes] = /^(.*),scope="([^"]*)"$/.exec(headers.get('www-authenticate') ?? '') ?? [];
  return [start, scopes?.split(' ').map(sorted).sort()];
}

function sorted(scope: string): string {
  const [type, name, actions = ''] = scope.split(':');
  return [type, name, actions.split(',').sort().join(',')].join(':');
}

test('a source that is no name, or the repository itself, is not asked for', async () => {
  for (const from of ['team/app', 'Other//Source', '../other', 'other/source"', 'other/source:pull other']) {
    const path = `${UPLOADS}?mount=${DIGEST}&from=${encodeURIComponent(from)}`;
    const { headers } = await request(server, path, { method: 'POST' });
    expect(headers.get('www-authenticate')).toEndWith('service="signet",scope="repository:team/app:pull,push"');
  }
});
