import { describe, expect, test } from 'bun:test';
import { canonicalize, canonicalText, compareUtf8, escapeForFile } from '../../../src/core/json/canonical.ts';
import { type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { failure } from '../../support/failure.ts';
import { vector } from '../keys/support.ts';

describe('canonical JSON', () => {
  const examples: [text: string, canonical: string][] = [
    ['{"b":1,"a":[true,null]}', '{"a":[true,null],"b":1}'],
    ['{"n":1e3}', '{"n":1000}'],
    ['{"x":"a\\/b\\u00e9\\u0041"}', '{"x":"a/béA"}'],
    ['"q\\"\\\\"', '"q\\"\\\\"'],
    ['"a<b>&c"', '"a<b>&c"'],
    ['"\\u0000\\t\\u007f\\u2028"', '"\u0000\t\u007f\u2028"'],
    ['-0', '0'],
    ['-12', '-12'],
    ['9007199254740991', '9007199254740991'],
    ['{}', '{}'],
    ['[]', '[]'],
    ['{"__proto__":1,"2":2,"10":3,"":4}', '{"":4,"10":3,"2":2,"__proto__":1}'],
  ];
  for (const [text, canonical] of examples) {
    test(`of ${text} (protocol H.8)`, () => {
      const value = parseJson(text, { numbers: 'any' });
      expect(canonicalText(value)).toBe(canonical);
      expect(canonicalize(value)).toEqual(Buffer.from(canonical));
    });
  }

  test('sorts names by their UTF-8 bytes, not by UTF-16 units', () => {
    // U+1F600 is D83D DE00 in UTF-16 and so sorts before U+FF61 there; in UTF-8 it is F0 9F 98 80, after EF BD A1.
    const value = new Map<string, JsonValue>([
      ['😀', 1],
      ['｡', 2],
      ['z', 3],
      ['é', 4],
    ]);
    expect(canonicalText(value)).toBe('{"z":3,"é":4,"｡":2,"😀":1}');
    expect(['😀', '｡'].sort()).toEqual(['😀', '｡']);
    expect(['😀', '｡'].sort(compareUtf8)).toEqual(['｡', '😀']);
  });

  test('a name is not normalised', () => {
    expect(canonicalText(new Map([['e\u0301', 1]]))).toBe('{"e\u0301":1}');
  });

  for (const number of ['1.5', '1e21', '9007199254740993', '-0.1']) {
    test(`refuses the number ${number}`, () =>
      failure(() => canonicalize(parseJson(`[${number}]`, { numbers: 'any' })), 'json-number-unsafe'));
  }

  test('of a canonical text is the same text', () => {
    for (const path of ['acme-app/root.json', 'acme-app/targets.json', 'roots/3.root.json']) {
      const text = vector(path).toString();
      const signed = text.slice('{"signed":'.length, text.lastIndexOf(',"signatures":'));
      expect(canonicalText(parseJson(signed))).toBe(signed);
    }
  });
});

describe('the form for files', () => {
  test('escapes what HTML could trip over, and nothing else (protocol A.1.1)', () => {
    expect(escapeForFile('"a<b>&c \u2028\u2029 é😀/\u007f"')).toBe(
      '"a\\u003cb\\u003e\\u0026c \\u2028\\u2029 é😀/\u007f"',
    );
    expect(parseJson(escapeForFile('"<\u2028>"'))).toBe('<\u2028>');
  });

  test('refuses control characters, which no parser accepts', async () => {
    for (const character of ['\u0000', '\t', '\n', '\u001f']) {
      await failure(() => escapeForFile(canonicalText(`a${character}`)), 'json-malformed');
    }
  });
});
