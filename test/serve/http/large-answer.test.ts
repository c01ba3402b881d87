import { expect, test } from 'bun:test';
import { countUntilTaken } from '../../../src/serve/http/large-answer.ts';
import { Shares } from '../../../src/serve/http/shares.ts';
import { failure } from '../../support/failure.ts';
import { exchange, rawRequest, startTestServer, testParts } from '../fixture.ts';

const MiB = 2 ** 20;

function asked(signal?: AbortSignal, method = 'GET'): Request {
  return new Request('https://localhost/', { method, ...(signal === undefined ? {} : { signal }) });
}

function answer(bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { status: 206, headers: { 'Content-Length': String(bytes.length), ETag: '"a"' } });
}

function newShares(): Shares {
  return new Shares({ requests: 1, bytes: 0 });
}

/** Whether all that one network may have is free. */
function isFree(shares: Shares): boolean {
  try {
    shares.enter('a').send(256 * MiB)();
    return true;
  } catch {
    return false;
  }
}

test('a small answer, and one of unknown length, stay as they are', () => {
  const share = newShares().enter('a');
  for (const response of [answer(new Uint8Array(1000)), new Response('text'), new Response(null)]) {
    expect(countUntilTaken(response, share, asked())).toBe(response);
  }
});

test('a large answer is the same, and counts until its end', async () => {
  const shares = newShares();
  const bytes = crypto.getRandomValues(new Uint8Array(1000)).toHex().repeat(200);
  const content = new TextEncoder().encode(bytes);
  const response = countUntilTaken(answer(content), shares.enter('a'), asked());
  expect([response.status, response.headers.get('etag')]).toEqual([206, '"a"']);
  expect(isFree(shares)).toBe(false);
  expect(Buffer.from(await response.bytes()).equals(content)).toBe(true);
  while (!isFree(shares)) await Bun.sleep(1);
});

test('it counts no more once no one wants it', async () => {
  const shares = newShares();
  const given = new AbortController();
  countUntilTaken(answer(new Uint8Array(MiB)), shares.enter('a'), asked(given.signal));
  expect(isFree(shares)).toBe(false);
  given.abort();
  expect(isFree(shares)).toBe(true);
  countUntilTaken(answer(new Uint8Array(MiB)), shares.enter('a'), asked(given.signal));
  expect(isFree(shares)).toBe(true);
});

test('more than a network may have is refused', async () => {
  const share = newShares().enter('a');
  share.send(256 * MiB);
  await failure(() => countUntilTaken(answer(new Uint8Array(MiB)), share, asked()), 'network-busy');
});

test('an answer has its length on the wire, of whatever size, made of bytes or of a stream, and so has HEAD', async () => {
  const streamOf = (bytes: Uint8Array) =>
    new ReadableStream({
      pull: (controller) => {
        controller.enqueue(bytes.subarray(0, 1000));
        controller.enqueue(bytes.subarray(1000));
        controller.close();
      },
    });
  const tries = [
    ...['bytes', 'none'].flatMap((kind) => [1001, 256 * 1024, 256 * 1024 + 1, 5 * MiB].map((size) => ({ kind, size }))),
    ...[256 * 1024 + 1, 5 * MiB].map((size) => ({ kind: 'stream', size })),
  ];
  const openParts = testParts(
    async ({ request: { method }, url: { pathname } }) => {
      const [, , kind, size] = pathname.split('/');
      const bytes = new Uint8Array(Number(size)).fill(65);
      const body = method === 'HEAD' && kind === 'none' ? null : kind === 'stream' ? streamOf(bytes) : bytes;
      return new Response(body, { headers: { 'Content-Length': String(bytes.length) } });
    },
    { paths: tries.map(({ kind, size }) => `/test/${kind}/${size}` as const) },
  );
  const server = await startTestServer({}, { openParts });
  for (const { kind, size } of tries) {
    for (const method of ['GET', 'HEAD']) {
      const text = await exchange(server, rawRequest(`${method} /test/${kind}/${size}`, 'Host: localhost'));
      const [head = '', body = ''] = text.split('\r\n\r\n');
      expect([method, kind, size, /^content-length: (.*)$/im.exec(head)?.[1], body.length]).toEqual([
        method,
        kind,
        size,
        String(size),
        method === 'HEAD' ? 0 : size,
      ]);
      expect(head).not.toMatch(/transfer-encoding/i);
    }
  }
});
