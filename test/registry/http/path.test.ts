import { expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { parsePath } from '../../../src/registry/http/path.ts';

test.each([
  ['/v2/app/manifests/latest', 'manifest', 'app', 'latest'],
  ['/v2/team/app/manifests/sha256:abc', 'manifest', 'team/app', 'sha256:abc'],
  ['/v2/app/blobs/sha256:abc', 'blob', 'app', 'sha256:abc'],
  ['/v2/app/blobs/sha256%3Aabc', 'blob', 'app', 'sha256:abc'],
  ['/v2/app/blobs/uploads/', 'uploads', 'app', ''],
  ['/v2/app/blobs/uploads', 'uploads', 'app', ''],
  ['/v2/app/blobs/uploads/some-uuid', 'upload', 'app', 'some-uuid'],
  ['/v2/app/tags/list', 'tags', 'app', ''],
  ['/v2/app/referrers/sha256:abc', 'referrers', 'app', 'sha256:abc'],
  ['/v2/manifests/manifests/manifests', 'manifest', 'manifests', 'manifests'],
  ['/v2/tags/list/tags/list', 'tags', 'tags/list', ''],
  ['/v2/blobs/uploads/blobs/uploads/', 'uploads', 'blobs/uploads', ''],
  ['/v2/app/blobs/uploads/manifests/v1', 'manifest', 'app/blobs/uploads', 'v1'],
])('%s', (path, endpoint, repository, item) => {
  expect(parsePath(path)).toEqual(expect.objectContaining({ endpoint, repository, item }));
});

test.each([
  '/',
  '/v2',
  '/v2/',
  '/v2/app',
  '/v2/app/tags/other',
  '/v2/app/',
  '/v1/app/manifests/latest',
  '/v2/app/manifests/%ff',
  '/v2/example.com/app/_trust/tuf/root.json',
  '/v2/example.com/app/_trust/tuf/manifests/latest',
  '/v2/app/%5Ftrust/tuf/manifests/latest',
])('%s is not a path of the registry', (path) => {
  expect(parsePath(path)).toBeUndefined();
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
])('%s has no valid name', (path) => {
  try {
    parsePath(path);
  } catch (error) {
    if (isSignetError(error, 'repository-name-invalid')) return;
    throw error;
  }
  throw new Error('accepted');
});
