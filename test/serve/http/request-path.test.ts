import { expect, test } from 'bun:test';
import { checkPath } from '../../../src/serve/http/request-path.ts';
import { failure } from '../../support/failure.ts';

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
