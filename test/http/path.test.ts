import { expect, test } from 'bun:test';
import { checkPath, parsePath } from '../../src/http/path.ts';
import { parseRepositoryName } from '../../src/registry/names.ts';
import { failure } from '../support/failure.ts';

test('paths of clients pass', () => {
  const paths = [
    '/',
    '/v2/',
    '/v2/localhost:5000/alice/app/_trust/tuf/targets/releases.json',
    '/v2/localhost%3A5000/a/_trust/tuf/',
    '/v2/a/blobs/sha256:0123',
    '/v2/a..b/tags/list',
    '/v2/%5B::1%5D:5000/a/_trust/tuf/root.json',
    '/v2/a%20b',
  ];
  for (const path of paths) checkPath(path);
});

test('paths that can be read in two ways do not', async () => {
  const paths = [
    '',
    'v2/',
    '//',
    '/v2//a',
    '/v2/a//',
    '//evil.example.com/v2/',
    '/v2/../a',
    '/v2/./a',
    '/v2/a/..',
    '/v2/a/.',
    '/v2/a%2fb',
    '/v2/a%2Fb',
    '/v2/%2e%2E/a',
    '/v2/a%5cb',
    '/v2/a\\b',
    '/v2/a%00',
    '/v2/a%0d%0aX:%20y',
    '/v2/a%1f',
    '/v2/a%7f',
    '/v2/a%252fb',
    '/v2/a%',
    '/v2/a%2',
    '/v2/a%zz',
    `/${'a'.repeat(4096)}`,
  ];
  for (const path of paths) {
    const error = await failure(() => checkPath(path), 'path-invalid');
    expect([path, error.httpStatus]).toEqual([path, 400]);
  }
});

function read(path: string): readonly unknown[] {
  const { service, name, rest } = parsePath(path);
  return [service, name, rest];
}

test.each([
  ['/v2/app/manifests/latest', 'app', 'manifests/latest'],
  ['/v2/team/app/manifests/sha256:abc', 'team/app', 'manifests/sha256:abc'],
  ['/v2/app/blobs/sha256:abc', 'app', 'blobs/sha256:abc'],
  ['/v2/app/blobs/sha256%3Aabc', 'app', 'blobs/sha256:abc'],
  ['/v2/app/blobs/uploads/', 'app', 'blobs/uploads/'],
  ['/v2/app/blobs/uploads', 'app', 'blobs/uploads'],
  ['/v2/app/blobs/uploads/some-uuid', 'app', 'blobs/uploads/some-uuid'],
  ['/v2/app/tags/list', 'app', 'tags/list'],
  ['/v2/app/referrers/sha256:abc', 'app', 'referrers/sha256:abc'],
  ['/v2/manifests/manifests/manifests', 'manifests', 'manifests/manifests'],
  ['/v2/tags/list/tags/list', 'tags/list', 'tags/list'],
  ['/v2/blobs/uploads/blobs/uploads/', 'blobs/uploads', 'blobs/uploads/'],
  ['/v2/app/blobs/uploads/manifests/v1', 'app/blobs/uploads', 'manifests/v1'],
  ['/v2/app/blobs/blobs/uploads', 'app/blobs', 'blobs/uploads'],
])('%s is a path of the registry', (path, name, rest) => {
  expect(read(path)).toEqual(['registry', name, rest]);
});

test.each([
  '/v2/',
  '/v2/app',
  '/v2/app/tags/other',
  '/v2/app/',
  '/v2/_catalog',
  '/v2/app/manifests/%ff',
  '/v2/app/_trust',
  '/v2/app/%5Ftrust/tuf/manifests/latest',
])('%s has no name of a repository in it', (path) => {
  expect(read(path)).toEqual(['registry', undefined, path]);
});

test.each([
  '/v2/App/manifests/latest',
  '/v2/manifests/latest',
  '/v2/../manifests/latest',
  '/v2/a/../b/manifests/latest',
  '/v2/a//b/manifests/latest',
  '/v2/a%00/manifests/latest',
  '/v2/%2e%2e/blobs/sha256:abc',
  '/v2/..%2f..%2fetc/blobs/sha256:abc',
  '/v2//tags/list',
  `/v2/${'a/'.repeat(128)}a/tags/list`,
])('the name in %s is none that the registry takes', async (path) => {
  const { service, name } = parsePath(path);
  expect([service, typeof name]).toEqual(['registry', 'string']);
  await failure(() => parseRepositoryName(name ?? 'valid'), 'repository-name-invalid');
});

test.each([
  ['/v2/localhost:5000/alice/app/_trust/tuf/root.json', 'localhost:5000/alice/app', 'tuf/root.json'],
  ['/v2/localhost%3A5000%2Fapp/_trust/tuf/', 'localhost:5000/app', 'tuf/'],
  ['/v2/app/_trust/tuf/_trust/tuf/root.json', 'app', 'tuf/_trust/tuf/root.json'],
  ['/v2/example.com/app/_trust/tuf/manifests/latest', 'example.com/app', 'tuf/manifests/latest'],
  ['/v2/app/_trust/%zz.json', 'app', '%zz.json'],
  [`/v2/app/_trust/${'a'.repeat(2048)}`, 'app', ''],
])('%s is a path of the trust server', (path, name, rest) => {
  expect(read(path)).toEqual(['trust', name, rest]);
});

test('the trust server has paths of no GUN', () => {
  expect(read('/v2/_trust/changefeed')).toEqual(['trust', undefined, '/v2/_trust/changefeed']);
});

test.each(['/', '/v2', '/v1/app/manifests/latest', '/_trust/tuf/root.json', '/auth/token', '/metrics'])(
  '%s is for a route of its own',
  (path) => {
    expect(read(path)).toEqual([undefined, undefined, path]);
  },
);
