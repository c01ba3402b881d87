import { expect, test } from 'bun:test';
import { LIMITS } from '../../../src/core/limits.ts';
import { boundaryOf, partsOf } from '../../../src/notary/http/multipart.ts';
import { codeOf, form } from '../fixture.ts';

function read(body: string | Uint8Array, boundary = 'b'): [Record<string, string>, string][] {
  const parts = [...partsOf(Buffer.from(body as string), boundary)];
  return parts.map(({ headers, content }) => [Object.fromEntries(headers), content.toString()]);
}

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['Multipart/Form-Data; charset=utf-8; boundary="a b"', 'a b'],
  [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
])('finds the boundary of %j', (type, boundary) => {
  expect(boundaryOf(type)).toBe(boundary);
});

test.each([
  null,
  '',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=""',
  'multipart/form-data; boundary="a "',
  'multipart/form-data; boundary="a\\"b"',
  'multipart/form-data; boundary=a; boundary=b',
  `multipart/form-data; boundary=${'x'.repeat(71)}`,
  'multipart/mixed; boundary=abc',
  'application/json',
])('refuses the type %j', async (type) => {
  expect(await codeOf(() => boundaryOf(type))).toBe('upload-malformed');
});

test('reads what a client writes, contents byte for byte', () => {
  const content = Buffer.from([0, 1, 0x0d, 0x0a, 0x2d, 0x2d, 255, 0x0d]);
  const { body } = form([
    ['root', content],
    ['targets/releases', ''],
  ]);
  const parts = [...partsOf(Buffer.from(body), '5eac7f9ce2c4c6214dafebe33d498a52')];
  expect(parts.map((part) => part.headers.get('content-disposition'))).toEqual([
    'form-data; name="files"; filename="root"',
    'form-data; name="files"; filename="targets/releases"',
  ]);
  expect(parts.map((part) => Buffer.compare(part.content, parts[0] === part ? content : Buffer.alloc(0)))).toEqual([
    0, 0,
  ]);
});

test.each([
  ['no parts, as Go writes it', '\r\n--b--\r\n', []],
  ['no parts at all', '--b--', []],
  ['no line break at the end', '--b\r\n\r\nx\r\n--b--', [[{}, 'x']]],
  ['a part without headers', '--b\r\n\r\nx\r\n--b--\r\n', [[{}, 'x']]],
  ['an empty part', '--b\r\nA: 1\r\n\r\n\r\n--b--\r\n', [[{ a: '1' }, '']]],
  ['line breaks around the content', '--b\r\n\r\n\r\nx\r\n\r\n--b--\r\n', [[{}, '\r\nx\r\n']]],
  ['spaces around a value', '--b\r\nA:  1 \r\nB:\r\n\r\nx\r\n--b--\r\n', [[{ a: '1', b: '' }, 'x']]],
  [
    'a plain encoding',
    '--b\r\nContent-Transfer-Encoding: BINARY\r\n\r\nx\r\n--b--\r\n',
    [[{ 'content-transfer-encoding': 'BINARY' }, 'x']],
  ],
])('reads %s', (_, body, expected) => {
  expect(read(body)).toEqual(expected as [Record<string, string>, string][]);
});

test.each([
  ['nothing', ''],
  ['only a line break', '\r\n'],
  ['text without a boundary', 'hello'],
  ['another boundary', '--c\r\n\r\nx\r\n--c--\r\n'],
  ['text before the first part', 'preamble\r\n--b\r\n\r\nx\r\n--b--\r\n'],
  ['text after the last part', '--b\r\n\r\nx\r\n--b--\r\nmore'],
  ['a line break and text after the last part', '--b\r\n\r\nx\r\n--b--\r\n\r\n'],
  ['no closing boundary', '--b\r\n\r\nx\r\n'],
  ['no closing boundary after a part', '--b\r\n\r\nx\r\n--b\r\n'],
  ['a cut closing boundary', '--b\r\n\r\nx\r\n--b-'],
  ['an opening boundary alone', '--b'],
  ['a boundary that goes on', '--bb\r\n\r\nx\r\n--b--\r\n'],
  ['a later boundary that goes on', '--b\r\n\r\nx\r\n--bb\r\n--b--\r\n'],
  ['spaces after a boundary', '--b \r\n\r\nx\r\n--b--\r\n'],
  ['line feeds alone', '--b\n\nx\n--b--\n'],
  ['headers that do not end', '--b\r\nA: 1\r\n--b--\r\n'],
  ['a header without a colon', '--b\r\nA\r\n\r\nx\r\n--b--\r\n'],
  ['a space in a header name', '--b\r\nA B: 1\r\n\r\nx\r\n--b--\r\n'],
  ['a folded header', '--b\r\nA: 1\r\n 2\r\n\r\nx\r\n--b--\r\n'],
  ['a header given twice', '--b\r\nA: 1\r\na: 2\r\n\r\nx\r\n--b--\r\n'],
  ['an encoding that changes content', '--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n--b--\r\n'],
  ['headers beyond 8 KiB', `--b\r\nA: ${'x'.repeat(8200)}\r\n\r\nx\r\n--b--\r\n`],
])('refuses %s', async (_, body) => {
  expect(await codeOf(() => read(body))).toBe('upload-malformed');
});

test('a cut form is refused wherever it is cut', async () => {
  const { body } = form([
    ['root', '{}'],
    ['targets', '{}'],
  ]);
  const boundary = '5eac7f9ce2c4c6214dafebe33d498a52';
  const complete = [body.length, body.length - 2];
  for (let length = 0; length <= body.length; length++) {
    const code = await codeOf(() => read(body.subarray(0, length), boundary));
    expect([length, code]).toEqual([length, complete.includes(length) ? 'none' : 'upload-malformed']);
  }
});

test('limits the number and the size of parts', async () => {
  const parts = (count: number) => `${'--b\r\n\r\nx\r\n'.repeat(count)}--b--\r\n`;
  expect(read(parts(LIMITS.uploadParts))).toHaveLength(LIMITS.uploadParts);
  expect(await codeOf(() => read(parts(LIMITS.uploadParts + 1)))).toBe('upload-too-large');
  const sized = (size: number) =>
    Buffer.concat([Buffer.from('--b\r\n\r\n'), Buffer.alloc(size, 'x'), Buffer.from('\r\n--b--\r\n')]);
  expect(read(sized(LIMITS.metadata))[0]?.[1]).toHaveLength(LIMITS.metadata);
  expect(await codeOf(() => read(sized(LIMITS.metadata + 1)))).toBe('upload-too-large');
});
