import { describe, expect, test } from 'bun:test';
import { ResponseReader } from '../../../src/remote/transport/response-reader.ts';
import { random } from '../../support/random.ts';

/** What is read of these pieces, in a form that does not depend on where they were cut; the last word says how it ended. */
function read(pieces: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  let body = '';
  const reader = new ResponseReader({
    head: (status, headers) => {
      body = '';
      found.push(`${status} ${JSON.stringify([...headers].sort())}`);
    },
    data: (bytes) => {
      body += Buffer.from(bytes).toString('latin1');
    },
    end: (isLast) => void found.push(`"${body}"${isLast ? ' last' : ''}`),
  });
  try {
    for (const piece of pieces) reader.push(piece);
    found.push(reader.close() ? 'closed' : 'cut');
  } catch (error) {
    found.push(error instanceof Error && 'code' in error ? String(error.code) : String(error));
  }
  return found;
}

const readText = (text: string) => read([Buffer.from(text, 'latin1')]);
const OK = 'HTTP/1.1 200 OK\r\n';

describe('responses are read', () => {
  test.each([
    ['with a length', `${OK}Content-Length: 3\r\n\r\nabc`, ['200 [["content-length","3"]]', '"abc"']],
    ['without a body', 'HTTP/1.1 204 \r\n\r\n', ['204 []', '""']],
    ['without a reason', 'HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n', ['304 [["content-length","9"]]', '""']],
    ['with an empty body', `${OK}content-length:0\r\n\r\n`, ['200 [["content-length","0"]]', '""']],
    [
      'in chunks, with extensions and trailers',
      `${OK}Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA \r\n0123456789\r\n0\r\nX: y\r\n\r\n`,
      ['200 [["transfer-encoding","Chunked"]]', '"abc0123456789"'],
    ],
    [
      'after others that only announce them',
      `HTTP/1.1 103 Early\r\nA: b\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
      ['200 [["content-length","1"]]', '"x"'],
    ],
    [
      'that end the connection',
      `${OK}Content-Length: 1\r\nConnection: Close\r\n\r\nx`,
      ['200 [["connection","Close"],["content-length","1"]]', '"x" last'],
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', ['200 [["content-length","1"]]', '"x" last']],
    [
      'pipelined',
      `${OK}Content-Length: 1\r\n\r\nx${OK}Content-Length: 1\r\n\r\ny`,
      ['200 [["content-length","1"]]', '"x"', '200 [["content-length","1"]]', '"y"'],
    ],
  ])('%s', (_, text, found) => expect(readText(text)).toEqual([...found, 'cut']));

  test('up to the end of the connection', () => {
    expect(readText(`${OK}\r\nabc`)).toEqual(['200 []', '"abc" last', 'closed']);
  });

  test('wherever they are cut', () => {
    const text = `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${OK}Content-Length: 4\r\n\r\n\r\n\r\nHTTP/1.1 404 No\r\n\r\nrest`;
    const bytes = Buffer.from(text);
    const whole = read([bytes]);
    expect(whole).toHaveLength(7);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(whole);
    }
    expect(read([...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole);
  });
});

describe('a response is refused', () => {
  test.each([
    ['of another protocol', 'SSH-2.0-OpenSSH\r\n'],
    ['of another version', 'HTTP/2 200\r\n\r\n'],
    ['with a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['with a status of no class', 'HTTP/1.1 600 OK\r\n\r\n'],
    ['that changes the protocol', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['with a header that has no name', `${OK}: x\r\n\r\n`],
    ['with a header that has no colon', `${OK}abc\r\n\r\n`],
    ['with a space before the colon', `${OK}Content-Length : 3\r\n\r\nabc`],
    ['with a header on two lines', `${OK}A: b\r\n c\r\n\r\n`],
    ['with a line feed in a header', `${OK}A: b\nContent-Length: 3\r\n\r\nabc`],
    ['with a zero byte in a header', `${OK}A: \u0000\r\n\r\n`],
    ['with too many headers', `${OK}${'A: b\r\n'.repeat(257)}\r\n`],
    ['with a head that is too long', `${OK}A: ${'b'.repeat(65536)}\r\n\r\n`],
    ['with a head that does not end', `${OK}A: ${'b'.repeat(65536)}`],
    ['with two lengths', `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['with a length that is none', `${OK}Content-Length: 3x\r\n\r\nabc`],
    ['with a length below zero', `${OK}Content-Length: -1\r\n\r\n`],
    ['with a length beyond all sense', `${OK}Content-Length: ${'9'.repeat(16)}\r\n\r\n`],
    ['with a length and chunks', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`],
    ['in another transfer encoding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['in chunks, twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['with a chunk of no size', `${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`],
    ['with a chunk of a wrong size', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n`],
    ['with a chunk of size 0x3', `${OK}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`],
    ['with a chunk below zero', `${OK}Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n`],
    ['with a chunk beyond all sense', `${OK}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(13)}\r\n`],
    ['with an extension that does not end', `${OK}Transfer-Encoding: chunked\r\n\r\n3;${'x'.repeat(5000)}`],
  ])('%s', (_, text) => expect(readText(text).at(-1)).toBe('InvalidHTTPResponse'));

  test.each([
    ['in the head', OK],
    ['in the body', `${OK}Content-Length: 3\r\n\r\nab`],
    ['in a chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nab`],
    ['before the last chunk', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`],
    ['before the end of the trailers', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n`],
  ])('that is cut %s', (_, text) => {
    const found = readText(text);
    expect(found.at(-1)).toBe('cut');
    expect(found.filter((line) => line.startsWith('"'))).toEqual([]);
  });

  test('or read, whatever comes: the same in one piece and in several', () => {
    const next = random(9112);
    const below = (limit: number) => Math.floor(next() * limit);
    const seeds = [
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n${OK}Content-Length: 2\r\n\r\nab`,
      `HTTP/1.1 100 Continue\r\n\r\n${OK}Content-Length: 5\r\nConnection: close\r\n\r\nabcde`,
      `${OK}A: b\r\n\r\nuntil the end`,
    ];
    const deadline = performance.now() + 1000;
    for (let round = 0; round < 20_000 && performance.now() < deadline; round++) {
      const bytes = Buffer.from(seeds[below(seeds.length)] ?? '');
      for (let change = below(4); change > 0; change--) bytes[below(bytes.length)] = below(256);
      const cut = below(bytes.length);
      const found = read([bytes]);
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(found);
      expect(['closed', 'cut', 'InvalidHTTPResponse']).toContain(found.at(-1) ?? '');
    }
  });
});
