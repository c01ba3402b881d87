import { expect, test } from 'bun:test';
import { digestOf } from '../../src/core/names/digest.ts';
import { content, image, OCI_MANIFEST } from '../registry/fixture.ts';
import { exchange, rawRequest, request, startTestServer } from './fixture.ts';

// What clients count on, on the wire: the length of what comes, with HEAD as with GET, and of a range.

const HOST = 'Host: localhost';
const server = await startTestServer({ auth: false });
const layer = content(3, 700_000);
const config = Buffer.from('{"architecture":"amd64","os":"linux"}');
const small = image(config, [layer]);
const large = image(config, [layer], { annotations: { 'org.example.text': 'a'.repeat(600_000) } });

async function push(path: string, method: string, body: Buffer, headers = {}): Promise<void> {
  const response = await request(server, `/v2/alice/app/${path}`, { method, body: new Uint8Array(body), headers });
  expect([path, response.status]).toEqual([path, 201]);
}

for (const blob of [config, layer]) await push(`blobs/uploads/?digest=${digestOf(blob)}`, 'POST', blob);
for (const manifest of [small, large]) {
  await push(`manifests/${digestOf(manifest)}`, 'PUT', manifest, { 'Content-Type': OCI_MANIFEST });
}

/** The head of an answer without what differs each time, and its body. */
async function ask(line: string, ...headers: string[]): Promise<{ readonly head: readonly string[]; body: string }> {
  const text = await exchange(server, rawRequest(line, HOST, ...headers));
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end).toLowerCase().split('\r\n');
  const passing = /^(?:date|x-request-id|content-disposition):/;
  return { head: lines.filter((header) => !passing.test(header)).sort(), body: text.slice(end + 4) };
}

test('manifests and blobs of every size declare their length, to HEAD as to GET', async () => {
  const paths: readonly (readonly [string, Buffer])[] = [
    [`manifests/${digestOf(small)}`, small],
    [`manifests/${digestOf(large)}`, large],
    [`blobs/${digestOf(config)}`, config],
    [`blobs/${digestOf(layer)}`, layer],
  ];
  for (const [path, bytes] of paths) {
    const got = await ask(`GET /v2/alice/app/${path}`);
    expect([path, digestOf(Buffer.from(got.body, 'latin1'))]).toEqual([path, digestOf(bytes)]);
    expect(got.head).toContain(`content-length: ${bytes.length}`);
    expect(await ask(`HEAD /v2/alice/app/${path}`)).toEqual({ head: got.head, body: '' });
  }
});

test('a range has its own length and says which part of what it is', async () => {
  const path = `/v2/alice/app/blobs/${digestOf(layer)}`;
  const tries: readonly (readonly [range: string, from: number, to: number])[] = [
    ['0-0', 0, 0],
    ['10-399999', 10, 399_999],
    ['400000-', 400_000, layer.length - 1],
    ['-300000', layer.length - 300_000, layer.length - 1],
    [`0-${layer.length + 5}`, 0, layer.length - 1],
  ];
  for (const [range, from, to] of tries) {
    const { head, body } = await ask(`GET ${path}`, `Range: bytes=${range}`);
    expect([range, head[0], head.includes(`content-length: ${to - from + 1}`)]).toEqual([
      range,
      'accept-ranges: bytes',
      true,
    ]);
    expect(head).toContain('http/1.1 206 partial content');
    expect(head).toContain(`content-range: bytes ${from}-${to}/${layer.length}`);
    expect(Buffer.from(body, 'latin1').equals(layer.subarray(from, to + 1))).toBe(true);
  }
  const { head } = await ask(`GET ${path}`, `Range: bytes=${layer.length}-`);
  expect(head).toContain('http/1.1 416 range not satisfiable');
  expect(head).toContain(`content-range: bytes */${layer.length}`);
});

test('what a person finds at / is there for HEAD too', async () => {
  const { head } = await ask('GET /');
  expect(head).toContain('http/1.1 200 ok');
  expect(await ask('HEAD /')).toEqual({ head, body: '' });
});
