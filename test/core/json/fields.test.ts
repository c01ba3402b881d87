import { describe, expect, test } from 'bun:test';
import { Fields } from '../../../src/core/json/fields.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import { failure } from '../../support/failure.ts';

const KNOWN = ['name', 'size', 'keys', 'is'];
const read = (text: string, others: 'refuse' | 'ignore' = 'ignore') =>
  new Fields(parseJson(text), 'the thing', KNOWN, others);

describe('members', () => {
  const fields = read('{"name":"a","size":3,"keys":["x"],"is":true,"more":{"a":1}}');

  test('are read by their type', () => {
    expect(fields.string('name')).toBe('a');
    expect(fields.optionalString('name')).toBe('a');
    expect(fields.integer('size')).toBe(3);
    expect(fields.array('keys')).toEqual(['x']);
    expect(fields.strings('keys')).toEqual(['x']);
    expect(fields.boolean('is')).toBe(true);
    expect(fields.map('more')).toEqual(new Map([['a', 1]]));
    expect(fields.raw('size')).toBe(3);
    expect(fields.raw('none')).toBeUndefined();
  });

  test('null and absent are empty lists and objects (protocol G-15)', () => {
    for (const empty of [read('{}'), read('{"keys":null,"name":null}')]) {
      expect(empty.array('keys')).toEqual([]);
      expect(empty.strings('keys')).toEqual([]);
      expect(empty.map('keys')).toEqual(new Map());
      expect(empty.optionalString('name')).toBeUndefined();
    }
  });

  const wrong: [what: string, get: () => unknown][] = [
    ['a number as a string', () => fields.string('size')],
    ['nothing as a string', () => fields.string('none')],
    ['null as a string', () => read('{"name":null}').string('name')],
    ['a number as an optional string', () => fields.optionalString('size')],
    ['a string as an integer', () => fields.integer('name')],
    ['nothing as an integer', () => fields.integer('none')],
    ['an integer as a boolean', () => fields.boolean('size')],
    ['a string as an array', () => fields.array('name')],
    ['an object as an array', () => fields.array('more')],
    ['an array with a number as strings', () => read('{"keys":["a",1]}').strings('keys')],
    ['an array as an object', () => fields.map('keys')],
  ];
  for (const [what, get] of wrong) {
    test(`${what} is refused`, async () => {
      const error = await failure(get, 'json-unexpected');
      expect(error.message).toStartWith('the thing: ');
    });
  }

  test('a fraction is no integer', () => {
    const withFraction = new Fields(parseJson('{"size":1.5}', { numbers: 'any' }), 'the thing', KNOWN, 'ignore');
    return failure(() => withFraction.integer('size'), 'json-unexpected');
  });
});

describe('names', () => {
  test('that are unknown are ignored, or refused', async () => {
    expect(read('{"other":1}').raw('other')).toBe(1);
    await failure(() => read('{"other":1}', 'refuse'), 'json-unexpected');
  });

  // Go's parser takes each of these for the member that it looks like, and lets the last one win.
  for (const name of ['Name', 'NAME', 'naMe', 'Size', 'Is', 'i\u017f', '\u017fize', '\u212aeys', 'I\u017f']) {
    for (const others of ['ignore', 'refuse'] as const) {
      test(`${JSON.stringify(name)} is refused where others are to ${others}`, () =>
        failure(() => read(`{"name":"a","${name}":"b"}`, others), 'json-unexpected'));
    }
  }

  test('of foreign members are shown on one line, shortened', async () => {
    const error = await failure(() => read(`{"${'x'.repeat(5000)}":1}`, 'refuse'), 'json-unexpected');
    expect(error.message.length).toBeLessThan(200);
    expect((await failure(() => read('{"\\u009b31m\\u2028":1}', 'refuse'), 'json-unexpected')).message).not.toMatch(
      /[\u0080-\u009f\u2028]/,
    );
  });
});

test('only objects have members', async () => {
  for (const text of ['null', '[]', '"a"', '1', 'true']) await failure(() => read(text), 'json-unexpected');
  await failure(() => new Fields(undefined, 'the thing', KNOWN, 'ignore'), 'json-unexpected');
});
