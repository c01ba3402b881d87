import { describe, expect, test } from 'bun:test';
import { formatPem, parsePem } from '../../../src/core/keys/pem.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { codeOf, vector } from './support.ts';

const parse = (text: string) => parsePem(Buffer.from(text));
const BLOCK = '-----BEGIN X KEY-----\nrole: root\n\nYWJj\n-----END X KEY-----\n';

describe('reading PEM', () => {
  test('type, headers and bytes', () => {
    const [block, ...others] = parse(BLOCK);
    expect(others).toEqual([]);
    expect(block?.type).toBe('X KEY');
    expect([...(block?.headers ?? [])]).toEqual([['role', 'root']]);
    expect(block?.bytes.toString()).toBe('abc');
  });

  test('CRLF, comments around blocks, and no empty line after the headers', () => {
    const blocks = parse(
      `Bag Attributes\n  a: b\n${BLOCK.replaceAll('\n', '\r\n')}\nand\n${BLOCK.replace('\n\n', '\n')}`,
    );
    expect(blocks.map(({ bytes, headers }) => [bytes.toString(), headers.get('role')])).toEqual([
      ['abc', 'root'],
      ['abc', 'root'],
    ]);
  });

  test('a value may have colons, and is trimmed', () => {
    expect(parse(BLOCK.replace('role: root', 'gun:  localhost:5000/a '))[0]?.headers.get('gun')).toBe(
      'localhost:5000/a',
    );
  });

  test('text without a block gives none', () => {
    expect(parse('')).toEqual([]);
    expect(parse('YWJj\n')).toEqual([]);
  });

  test.each([
    ['no end', BLOCK.replace(/-----END.*\n/, '')],
    ['the end of another type', BLOCK.replace('END X', 'END Y')],
    ['a block in a block', BLOCK.replace('YWJj', BLOCK)],
    ['no padding', BLOCK.replace('YWJj', 'YWI')],
    ['two paddings', BLOCK.replace('YWJj', 'YWI=YWI=')],
    ['bits that are not used', BLOCK.replace('YWJj', 'YWK=').replace('YWK=', 'YWJ=')],
    ['the URL alphabet', BLOCK.replace('YWJj', '_-_-')],
    ['a header twice', BLOCK.replace('role: root', 'role: root\nrole: targets')],
    ['a folded header', BLOCK.replace('role: root', 'role: root\n more: x')],
    ['lower case in the type', BLOCK.replaceAll('X KEY', 'x key')],
    ['an end alone', '-----END X KEY-----\n'],
    ['too many headers', BLOCK.replace('role: root', Array.from({ length: 17 }, (_, n) => `h${n}: x`).join('\n'))],
    ['too long a header', BLOCK.replace('root', 'r'.repeat(1100))],
    ['too many blocks', BLOCK.repeat(65)],
  ])('%s is malformed', (_, text) => {
    expect(codeOf(() => parse(text))).toBe('key-malformed');
  });

  test('the size is capped', () => {
    const comment = (size: number) => Buffer.alloc(size, '#');
    expect(parsePem(comment(LIMITS.keyFile))).toEqual([]);
    expect(codeOf(() => parsePem(comment(LIMITS.keyFile + 1)))).toBe('too-large');
  });
});

describe('writing PEM', () => {
  test.each([
    'client-private/f04390192d15c590e39d1e9dea7cedfd21220350e2bcb1e8bae25292c2b094c3.key',
    'keys/rsa-pkcs1-aes128.pem',
    'keys/rsa.crt',
  ])('%s comes back byte for byte', (path) => {
    const file = vector(path);
    const [block] = parsePem(file);
    expect(formatPem(block?.type ?? '', block?.headers ?? new Map(), block?.bytes ?? Buffer.of())).toBe(
      file.toString(),
    );
  });

  test('headers are sorted, Proc-Type first', () => {
    const headers = new Map([
      ['role', 'a'],
      ['DEK-Info', 'b'],
      ['Proc-Type', '4,ENCRYPTED'],
      ['gun', 'c'],
    ]);
    expect(formatPem('X', headers, Buffer.from('abc'))).toBe(
      '-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: b\ngun: c\nrole: a\n\nYWJj\n-----END X-----\n',
    );
  });

  test.each([
    [0, []],
    [48, [64]],
    [49, [64, 4]],
  ])('%d bytes have lines of %p', (size, lengths) => {
    const lines = formatPem('X', new Map(), Buffer.alloc(size)).split('\n').slice(1, -2);
    expect(lines.map((line) => line.length)).toEqual(lengths);
  });

  test('a value with a line break cannot be written', () => {
    expect(codeOf(() => formatPem('X', new Map([['role', 'a\ngun: b']]), Buffer.of(1)))).toBe('key-malformed');
  });
});
