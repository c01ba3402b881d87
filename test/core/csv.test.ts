import { describe, expect, test } from 'bun:test';
import { fieldValue, readCsv, readNamedFields, writeCsv, writeNamedFields } from '../../src/core/csv.ts';
import { failure } from '../support/failure.ts';

describe('readCsv', () => {
  /** What Go's encoding/csv said of each. */
  test.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['a,', ['a', '']],
    [',', ['', '']],
    [' a , b ', [' a ', ' b ']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a""b"', ['a"b']],
    ['""', ['']],
    ['"",', ['', '']],
    ['""""', ['"']],
    ['""""""', ['""']],
    ['"type=a","x=b,c"', ['type=a', 'x=b,c']],
    ['#a,b', ['#a', 'b']],
    ["'a,b'", ["'a", "b'"]],
    ['a\\,b', ['a\\', 'b']],
    ['é,\u00a0', ['é', '\u00a0']],
  ])('%j holds %j', (text, fields) => {
    expect(readCsv(text)).toEqual(fields);
    expect(readCsv(writeCsv(fields))).toEqual(fields);
  });

  test.each(['', 'a"b', 'a"b"', '"a', '"a"b', '"a" ,b', ' "a"', '"""', '"a""', '"a,b', 'a\nb', '"a\r\nb"', 'a\n'])(
    '%j is refused, as Go does, or since its versions differ',
    async (text) => {
      expect((await failure(() => readCsv(text), 'docker-value-unclear')).message).toStartWith(JSON.stringify(text));
    },
  );
});

describe('readNamedFields', () => {
  test('gives keys and values, and writes them as they were', () => {
    const text = 'type=registry,"ref=a,b",x,y=,z==';
    const fields = readNamedFields(text);
    expect(fields.map(({ name, value }) => [name, value])).toEqual([
      ['type', 'registry'],
      ['ref', 'a,b'],
      ['x', undefined],
      ['y', ''],
      ['z', '='],
    ]);
    expect(writeNamedFields(fields)).toBe(text);
    expect(['ref', 'x', 'nothing'].map((name) => fieldValue(fields, name))).toEqual(['a,b', undefined, undefined]);
  });

  test.each([
    ['type=local,type=registry', '"type" stands there twice'],
    ['type=local,TYPE=registry', '"type" stands there twice'],
    ['type=local," type=registry"', '"type" stands there twice'],
    ['type=local,"type=registry"', '"type" stands there twice'],
    ['ro,ro', '"ro" stands there twice'],
    ['a=b,', '"" is no key'],
    ['=b', '"" is no key'],
    ['a b=c', '"a b" is no key'],
    ['ſ=c', '"ſ" is no key'],
  ])('%s is refused', async (text, reason) => {
    const { message, next } = await failure(() => readNamedFields(text), 'docker-value-unclear');
    expect(message).toBe(`${JSON.stringify(text)} is not read alike by every builder: ${reason}`);
    expect(next).toBe('Name each field once, in small letters: key=value,key=value');
  });

  test('a key must be written exactly as it is asked for', async () => {
    for (const text of ['Type=a', '" type=a"']) {
      const { message } = await failure(() => fieldValue(readNamedFields(text), 'type'), 'docker-value-unclear');
      expect(message).toEndWith('is not written as "type"');
    }
  });
});
