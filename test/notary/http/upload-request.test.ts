import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Call } from '../../../src/http/call.ts';
import { readUpload } from '../../../src/notary/http/upload-request.ts';
import { callOf } from '../../support/routes.ts';
import { codeOf, form } from '../fixture.ts';

const TYPE = 'multipart/form-data; boundary=b';

function request(body: string | Uint8Array | ReadableStream, headers: Record<string, string> = {}): Call {
  const init = { method: 'POST', body: body as string, headers: { 'Content-Type': TYPE, ...headers } };
  return callOf(new Request('https://trust.example.com/', init));
}

async function roles(body: string | Uint8Array): Promise<string[]> {
  return (await readUpload(request(body))).map(({ role, bytes }) => `${role}=${bytes}`);
}

function part(disposition: string, content = 'x'): string {
  return `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${content}\r\n`;
}

test('takes roles from file names, slashes and all, without .json', async () => {
  const files = [
    ['root.json', '1'],
    ['targets', '2'],
    ['targets/releases', '3'],
    ['targets/a/b.json', '4'],
    ['../../etc/passwd', '5'],
  ] as const;
  const { body } = form(files, 'b');
  expect(await roles(body)).toEqual([
    'root=1',
    'targets=2',
    'targets/releases=3',
    'targets/a/b=4',
    '../../etc/passwd=5',
  ]);
});

test('no parts are an upload too', async () => {
  expect(await roles('\r\n--b--\r\n')).toEqual([]);
});

test('does not look at the name of the field', async () => {
  expect(await roles(`${part('form-data; name="anything"; filename=root')}--b--`)).toEqual(['root=x']);
  expect(await roles(`${part('form-data; filename=root')}--b--`)).toEqual(['root=x']);
});

test.each([
  'form-data; name="files"',
  'form-data; name="files"; filename=""',
  'form-data; name="files"; filename=".json"',
  'attachment; filename="root"',
  'form-data; filename="root',
  'form-data; filename="root"; filename="targets"',
  "form-data; filename*=UTF-8''root",
  '',
])('finds no file name in %j', async (disposition) => {
  expect(await codeOf(roles(`${part(disposition)}--b--`))).toBe('upload-filename-missing');
});

test('a part without a disposition has no file name', async () => {
  expect(await codeOf(roles('--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--'))).toBe('upload-filename-missing');
});

test('the first mistake in the order of the body is the one reported', async () => {
  expect(await codeOf(roles(`${part('form-data')}--b`))).toBe('upload-filename-missing');
  expect(await codeOf(roles(`${part('form-data; filename=root')}${part('form-data')}`))).toBe('upload-malformed');
});

test.each(['gzip', 'deflate', 'br', 'zstd', 'gzip, identity', 'x'])('unpacks nothing: %s', async (encoding) => {
  const body = new Uint8Array(gzipSync(form([['root', '{}']], 'b').body));
  expect(await codeOf(readUpload(request(body, { 'Content-Encoding': encoding })))).toBe('upload-encoding-unsupported');
});

test('takes the encoding that is none', async () => {
  expect(await readUpload(request('--b--', { 'Content-Encoding': 'Identity' }))).toEqual([]);
});

test('a body that announces too much is refused before it is read', async () => {
  let pulled = 0;
  const body = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
  const headers = { 'Content-Length': String(LIMITS.upload + 1) };
  expect(await codeOf(readUpload(request(body, headers)))).toBe('upload-too-large');
  expect(pulled).toBe(0);
});

test('a body without end is refused when it is too large, and no longer read', async () => {
  const chunk = new Uint8Array(1024 * 1024);
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream({
    pull: (controller) => {
      sent += chunk.length;
      controller.enqueue(chunk);
    },
    cancel: () => {
      cancelled = true;
    },
  });
  expect(await codeOf(readUpload(request(body)))).toBe('upload-too-large');
  expect(sent).toBeLessThan(LIMITS.upload + 4 * chunk.length);
  expect(cancelled).toBe(true);
});

test('a body that breaks off is malformed', async () => {
  const body = new ReadableStream({
    pull: (controller) => controller.error(new Error('connection lost')),
  });
  expect(await codeOf(readUpload(request(body)))).toBe('upload-malformed');
});

test('a request without a body is malformed', async () => {
  const empty = new Request('https://trust.example.com/', { method: 'POST', headers: { 'Content-Type': TYPE } });
  expect(await codeOf(readUpload(callOf(empty)))).toBe('upload-malformed');
});
