import { expect, test } from 'bun:test';
import { inPieces } from '../../src/serve/large-answer.ts';
import { Shares } from '../../src/serve/shares.ts';
import { failure } from '../support/failure.ts';

const MiB = 2 ** 20;
const NEVER = new AbortController().signal;

function answer(bytes: Uint8Array<ArrayBuffer>): Response {
  return new Response(bytes, { status: 206, headers: { 'Content-Length': String(bytes.length), ETag: '"a"' } });
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
  const share = new Shares({ requests: 1, bytes: 0 }).enter('a');
  for (const response of [answer(new Uint8Array(1000)), new Response('text'), new Response(null)]) {
    expect(inPieces(response, share, NEVER)).toBe(response);
  }
});

test('a large answer is the same, in pieces, and counts until its end', async () => {
  const shares = new Shares({ requests: 1, bytes: 0 });
  const bytes = crypto.getRandomValues(new Uint8Array(1000)).toHex().repeat(200);
  const content = new TextEncoder().encode(bytes);
  const response = inPieces(answer(content), shares.enter('a'), NEVER);
  expect([response.status, response.headers.get('etag'), response.headers.get('content-length')]).toEqual([
    206,
    '"a"',
    null,
  ]);
  expect(isFree(shares)).toBe(false);
  const pieces: Uint8Array[] = [];
  for await (const piece of response.body ?? []) pieces.push(piece);
  expect(pieces.every(({ length }) => length <= 64 * 1024)).toBe(true);
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
  expect(isFree(shares)).toBe(true);
});

test('it counts no more once nobody wants it', async () => {
  const shares = new Shares({ requests: 1, bytes: 0 });
  const given = new AbortController();
  inPieces(answer(new Uint8Array(MiB)), shares.enter('a'), given.signal);
  expect(isFree(shares)).toBe(false);
  given.abort();
  expect(isFree(shares)).toBe(true);
  inPieces(answer(new Uint8Array(MiB)), shares.enter('a'), given.signal);
  expect(isFree(shares)).toBe(true);
  await inPieces(answer(new Uint8Array(MiB)), shares.enter('a'), NEVER).body?.cancel();
  expect(isFree(shares)).toBe(true);
});

test('more than a network may have is refused', async () => {
  const share = new Shares({ requests: 1, bytes: 0 }).enter('a');
  share.send(256 * MiB);
  await failure(() => inPieces(answer(new Uint8Array(MiB)), share, NEVER), 'network-busy');
});
