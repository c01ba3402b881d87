import { describe, expect, test } from 'bun:test';
import type { ErrorCode } from '../../../src/core/errors/index.ts';
import { decodeUtf8, type JsonOptions, type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { failure } from '../../support/failure.ts';

const map = (...members: [string, JsonValue][]) => new Map<string, JsonValue>(members);

describe('a JSON text', () => {
  const texts: [text: string, value: JsonValue][] = [
    ['null', null],
    [' \t\r\n true \n', true],
    ['false', false],
    ['0', 0],
    ['-17', -17],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', Number.MIN_SAFE_INTEGER],
    ['""', ''],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"\\u0041\\u00e9\\uD83D\\ude00"', 'Aé😀'],
    ['"😀 \u2028 \u007f"', '😀 \u2028 \u007f'],
    ['[]', []],
    ['[1,[2,[]],{}]', [1, [2, []], map()]],
    ['{ "b" : 1 , "a" : [ null ] }', map(['b', 1], ['a', [null]])],
  ];
  for (const [text, value] of texts) {
    test(`${text.trim()} is read`, () => {
      expect(parseJson(text)).toEqual(value);
      expect(parseJson(Buffer.from(text))).toEqual(value);
    });
  }

  test('keeps the order and the names of members, whatever they are', () => {
    const value = parseJson('{"2":0,"1":0,"__proto__":{"isAdmin":true},"constructor":1,"toString":2}');
    if (!(value instanceof Map)) throw new Error('not an object');
    expect([...value.keys()]).toEqual(['2', '1', '__proto__', 'constructor', 'toString']);
    expect(value.get('__proto__')).toEqual(map(['isAdmin', true]));
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  test('takes the same name in different objects', () => {
    expect(parseJson('[{"a":1},{"a":2}]')).toEqual([map(['a', 1]), map(['a', 2])]);
  });
});

describe('refused is', () => {
  const malformed = [
    '',
    ' ',
    'nul',
    'True',
    'undefined',
    'NaN',
    'Infinity',
    '+1',
    '01',
    '-',
    '.5',
    '1.',
    '1e',
    '0x10',
    "'a'",
    '"a',
    '"a\nb"',
    '"\u0000"',
    '"\\x41"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\',
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{1:1}',
    '{"a":1 "b":2}',
    '{"a" 1}',
    '{"a":1',
    ']',
    '}',
    '1 2',
    '{}{}',
    '{}\u0000',
    'null,',
    '\ufeffnull',
    '\u00a0null',
    '/* a */ null',
    'null // b',
  ];
  for (const text of malformed) {
    test(JSON.stringify(text), () => failure(() => parseJson(text), 'json-malformed'));
  }

  const surrogates = ['"\\ud83d"', '"\\ude00"', '"\\ude00\\ud83d"', '"\\ud83d x \\ude00"', '{"\\udfff":1}', '"\ud800"'];
  for (const text of surrogates) {
    test(`half a surrogate pair in ${JSON.stringify(text)}`, () => failure(() => parseJson(text), 'json-malformed'));
  }

  const encodings: [what: string, bytes: readonly number[]][] = [
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x31]],
    ['UTF-16', [0x31, 0x00]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['an overlong zero', [0x22, 0xc0, 0x80, 0x22]],
    ['a byte that is never UTF-8', [0x22, 0xff, 0x22]],
    ['a cut character', [0x22, 0xf0, 0x9f, 0x98, 0x22]],
    ['a character beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ];
  for (const [what, bytes] of encodings) {
    test(what, () => failure(() => parseJson(Buffer.from(bytes)), 'json-malformed'));
  }

  const twice = ['{"a":1,"a":1}', '{"a":1,"b":2,"\\u0061":3}', '[{"x":{"":0,"":1}}]', '{"__proto__":1,"__proto__":2}'];
  for (const text of twice) {
    test(`a name twice in ${text}`, () => failure(() => parseJson(text), 'json-duplicate-key'));
  }

  const unsafe = [
    '9007199254740992',
    '-9007199254740992',
    '1e3',
    '1E3',
    '1.0',
    '0.5',
    '-0',
    '1e21',
    '1e400',
    '123456789012345678901234567890',
  ];
  for (const text of unsafe) {
    test(`the number ${text}`, () => failure(() => parseJson(text), 'json-number-unsafe'));
  }

  test('a long name, without repeating all of it', async () => {
    const name = 'n'.repeat(100_000);
    const error = await failure(() => parseJson(`{"${name}":1,"${name}":2}`), 'json-duplicate-key');
    expect(error.message.length).toBeLessThan(200);
  });
});

describe('any numbers', () => {
  const options: JsonOptions = { numbers: 'any' };

  test('are read where they are asked for', () => {
    expect(parseJson('[1.5,1e3,-0,1e21,0.1]', options)).toEqual([1.5, 1000, -0, 1e21, 0.1]);
  });

  test('have an end', () => failure(() => parseJson('1e400', options), 'json-number-unsafe'));
});

describe('nesting', () => {
  const nested = (levels: number, inside = '') => `${'['.repeat(levels)}${inside}${']'.repeat(levels)}`;

  test('may be as deep as the limit', () => {
    for (const inside of ['', '1']) expect(parseJson(nested(LIMITS.jsonDepth, inside))).toBeArray();
    const objects = `${'{"a":'.repeat(LIMITS.jsonDepth)}1${'}'.repeat(LIMITS.jsonDepth)}`;
    expect(parseJson(objects)).toBeInstanceOf(Map);
  });

  const cases: [text: string, options: JsonOptions, code: ErrorCode | undefined][] = [
    [nested(LIMITS.jsonDepth + 1), {}, 'json-too-deep'],
    [nested(100_000), {}, 'json-too-deep'],
    ['{"a":{"b":[]}}', { depth: 2 }, 'json-too-deep'],
    ['{"a":{"b":1}}', { depth: 2 }, undefined],
    ['1', { depth: 0 }, undefined],
    ['[]', { depth: 0 }, 'json-too-deep'],
  ];
  for (const [text, options, code] of cases) {
    test(`of ${text.slice(0, 20)} ${code === undefined ? 'is taken' : 'is refused'} at ${options.depth ?? LIMITS.jsonDepth}`, async () => {
      if (code === undefined) parseJson(text, options);
      else await failure(() => parseJson(text, options), code);
    });
  }
});

describe('the number of values', () => {
  const text = '{"a":[1,"",null],"b":{}}';

  test('counts objects, arrays and what is in them, but no names', async () => {
    expect(parseJson(text, { values: 6 })).toBeInstanceOf(Map);
    await failure(() => parseJson(text, { values: 5 }), 'json-too-large');
  });

  test('has a limit', () => failure(() => parseJson(`[${'1,'.repeat(LIMITS.jsonValues)}1]`), 'json-too-large'));
});

test('a byte order mark is a character like others to the decoder', () => {
  expect(decodeUtf8(Buffer.from([0xef, 0xbb, 0xbf, 0x61]))).toBe('\ufeffa');
});
