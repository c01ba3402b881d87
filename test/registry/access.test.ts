import { beforeAll, describe, expect, test } from 'bun:test';
import { digestOf } from '../../src/core/names/digest.ts';
import type { Scope } from '../../src/core/scope.ts';
import { formatScope } from '../../src/core/scope.ts';
import { AuthorizationRequired } from '../../src/http/gate.ts';
import { newUploadId } from '../../src/registry/names.ts';
import { ALLOW_ALL, content, errorCodes, gateWith, startRegistry, type TestRegistry } from './fixture.ts';

const DIGEST = digestOf(content(1, 10));
const REPOSITORY = '/v2/team/app';

let registry: TestRegistry;
let send: TestRegistry['send'];
beforeAll(async () => {
  registry = await startRegistry();
  send = registry.send;
});

describe('what a request asks for', () => {
  test.each([
    ['GET', `${REPOSITORY}/manifests/latest`, 'pull'],
    ['HEAD', `${REPOSITORY}/manifests/latest`, 'pull'],
    ['PUT', `${REPOSITORY}/manifests/latest`, 'pull,push'],
    ['DELETE', `${REPOSITORY}/manifests/latest`, 'delete'],
    ['GET', `${REPOSITORY}/blobs/${DIGEST}`, 'pull'],
    ['HEAD', `${REPOSITORY}/blobs/${DIGEST}`, 'pull'],
    ['DELETE', `${REPOSITORY}/blobs/${DIGEST}`, 'delete'],
    ['POST', `${REPOSITORY}/blobs/uploads/`, 'pull,push'],
    ['GET', `${REPOSITORY}/blobs/uploads/${newUploadId()}`, 'pull,push'],
    ['PATCH', `${REPOSITORY}/blobs/uploads/${newUploadId()}`, 'pull,push'],
    ['PUT', `${REPOSITORY}/blobs/uploads/${newUploadId()}`, 'pull,push'],
    ['DELETE', `${REPOSITORY}/blobs/uploads/${newUploadId()}`, 'pull,push'],
    ['GET', `${REPOSITORY}/tags/list`, 'pull'],
    ['GET', `${REPOSITORY}/referrers/${DIGEST}`, 'pull'],
  ])('%s %s', async (method, path, actions) => {
    expect(await scopesOf(method, path)).toEqual([`repository:team/app:${actions}`]);
  });

  test('the catalogue', async () => {
    expect(await scopesOf('GET', '/v2/_catalog')).toEqual(['registry:catalog:*']);
  });

  async function scopesOf(method: string, path: string): Promise<string[]> {
    const asked: Scope[] = [];
    registry.gate = {
      subject: undefined,
      allows: async () => false,
      require: async (...scopes) => {
        asked.push(...scopes);
        throw new AuthorizationRequired(scopes);
      },
    };
    const response = await send(method, path);
    registry.gate = ALLOW_ALL;
    expect(response.status).toBe(401);
    return asked.map(formatScope);
  }
});

test('who may only pull, or only push elsewhere, pushes nothing', async () => {
  const bytes = content(2, 10);
  const push = `${REPOSITORY}/blobs/uploads/?digest=${digestOf(bytes)}`;
  for (const scope of ['repository:team/app:pull', 'repository:team/other:pull,push', 'repository:team:pull,push']) {
    registry.gate = gateWith(scope);
    expect((await send('POST', push, bytes)).status).toBe(401);
  }
  registry.gate = ALLOW_ALL;
  expect((await send('HEAD', `${REPOSITORY}/blobs/${digestOf(bytes)}`)).status).toBe(404);
});

test.each([
  ['POST', `${REPOSITORY}/manifests/latest`, 'GET, HEAD, PUT, DELETE'],
  ['PUT', `${REPOSITORY}/blobs/${DIGEST}`, 'GET, HEAD, DELETE'],
  ['GET', `${REPOSITORY}/blobs/uploads/`, 'POST'],
  ['POST', `${REPOSITORY}/blobs/uploads/${newUploadId()}`, 'GET, PATCH, PUT, DELETE'],
  ['DELETE', `${REPOSITORY}/tags/list`, 'GET'],
  ['PUT', `${REPOSITORY}/referrers/${DIGEST}`, 'GET'],
])('%s %s is not supported', async (method, path, allow) => {
  const response = await send(method, path);
  expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  expect(await errorCodes(response)).toEqual(['UNSUPPORTED']);
});

test.each(['/v2/Team/app/tags/list', '/v2/team_/app/manifests/latest', '/v2/-/blobs/uploads/'])(
  '%s has no valid name',
  async (path) => {
    const response = await send(path.endsWith('/') ? 'POST' : 'GET', path);
    expect([response.status, await errorCodes(response)]).toEqual([400, ['NAME_INVALID']]);
  },
);

test('an encoded slash separates as a plain one, so that it leads nowhere else', async () => {
  for (const path of ['blobs/..%2f..%2fsignet.db', 'blobs/uploads/..%2f..%2f..%2fsignet.db', 'manifests/..%2fx']) {
    expect((await send('GET', `${REPOSITORY}/${path}`)).status).toBe(404);
  }
  registry.gate = gateWith('repository:team/app:pull');
  expect((await send('GET', '/v2/team%2Fapp/manifests/latest')).status).toBe(404);
  expect((await send('GET', '/v2/team%2Fother/manifests/latest')).status).toBe(401);
  registry.gate = ALLOW_ALL;
});

test('paths of other parts are left to them', async () => {
  for (const path of ['/', '/v2/', '/v2/team/app/_trust/tuf/root.json', '/auth/token', '/v2/team/app/other']) {
    expect(await (await send('GET', path)).text()).toBe('not a path of the registry');
  }
});
