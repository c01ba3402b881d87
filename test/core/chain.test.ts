import { describe, expect, test } from 'bun:test';
import { ChainWriter, formatKnown, parseChain, parseKnown } from '../../src/core/chain.ts';
import { isSignetError } from '../../src/core/errors/index.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { failure } from '../support/failure.ts';
import { random } from '../support/random.ts';

const SHA = 'ab'.repeat(32);
const FILES: readonly (readonly [string, string])[] = [
  ['timestamp', '{}\n'],
  ['root', ''],
  ['2.root', '\n\n1.root 3\nabc\n'],
  ['snapshot', 'x'],
  ['targets', '{"a":1}'],
  ['targets/releases', '\u0000ÿ'],
  ['targets/a-b_c/d', 'y'],
];

function written(files: readonly (readonly [string, string])[]): Buffer {
  const writer = new ChainWriter();
  for (const [name, text] of files) expect(writer.add(name, Buffer.from(text))).toBe(true);
  return writer.finish();
}

describe('a chain', () => {
  test('is read as it was written', () => {
    const files = parseChain(written(FILES));
    expect([...files].map(([name, bytes]) => [name, bytes.toString()])).toEqual(FILES.map((file) => [...file]));
    expect(parseChain(Buffer.of()).size).toBe(0);
  });

  test('has the form that its description gives', () => {
    expect(
      written([
        ['timestamp', '{}'],
        ['root', 'abc'],
      ]).toString(),
    ).toBe('timestamp 2\n{}\nroot 3\nabc\n');
  });

  test('refuses a file that would make it too long, and accepts smaller ones after it', () => {
    const writer = new ChainWriter();
    expect(writer.add('root', Buffer.alloc(LIMITS.chain - 100))).toBe(true);
    expect(writer.add('targets', Buffer.alloc(100))).toBe(false);
    expect(writer.add('snapshot', Buffer.alloc(10))).toBe(true);
    const chain = writer.finish();
    expect(chain.length).toBeLessThanOrEqual(LIMITS.chain);
    expect([...parseChain(chain).keys()]).toEqual(['root', 'snapshot']);
  });

  test('has as many files as a client follows, and no more', () => {
    const writer = new ChainWriter();
    let files = 0;
    while (writer.add(`targets/d${files}`, Buffer.of())) files++;
    expect(files).toBe(LIMITS.rootChain + LIMITS.delegations + 3);
    const full = writer.finish();
    expect(parseChain(full).size).toBe(files);
    return failure(() => parseChain(Buffer.concat([full, Buffer.from('root 0\n\n')])), 'response-invalid');
  });

  test.each([
    ['nothing but a name', 'root'],
    ['no length', 'root \n\n'],
    ['no name', ' 1\na\n'],
    ['a length that is too short', 'root 1\nab\n'],
    ['a length that is too long', 'root 3\nab\n'],
    ['a length beyond the end', 'root 999999999\nab\n'],
    ['a length with a sign', 'root +2\nab\n'],
    ['a length below zero', 'root -1\nab\n'],
    ['a length with a zero in front', 'root 02\nab\n'],
    ['a length in other digits', 'root 0x2\nab\n'],
    ['a length of too many digits', 'root 0000000002\nab\n'],
    ['two spaces', 'root  2\nab\n'],
    ['a carriage return', 'root 2\r\nab\n'],
    ['no line feed at its end', 'root 2\nab'],
    ['the same name twice', 'root 2\nab\nroot 2\nab\n'],
    ['a role that cannot be', 'targets/ 2\nab\n'],
    ['a way out of its folder', 'targets/../root 2\nab\n'],
    ['a role in capital letters', 'Root 2\nab\n'],
    ['an old file that is no root', '2.targets 2\nab\n'],
    ['a root of version zero', '0.root 2\nab\n'],
    ['a root with a zero in front', '02.root 2\nab\n'],
    ['a name that is far too long', `targets/${'a'.repeat(1000)} 2\nab\n`],
    ['something behind it', 'root 2\nab\n\n'],
  ])('with %s is none', (_, text) => failure(() => parseChain(Buffer.from(text)), 'response-invalid'));

  test('is parsed to its end or refused, whatever the bytes', () => {
    const next = random(20261123);
    const below = (limit: number) => Math.floor(next() * limit);
    const whole = written(FILES);
    const deadline = performance.now() + 1000;
    for (let round = 0; round < 20_000 && performance.now() < deadline; round++) {
      const bytes = Buffer.from(whole.subarray(0, below(4) === 0 ? below(whole.length) : whole.length));
      for (let change = below(4); change > 0; change--) bytes[below(bytes.length)] = below(256);
      try {
        // What is taken is exactly what a writer writes.
        const files = [...parseChain(bytes)].map(([name, file]) => [name, file.toString('latin1')] as const);
        const again = Buffer.concat(
          files.map(([name, file]) => Buffer.from(`${name} ${file.length}\n${file}\n`, 'latin1')),
        );
        expect(again.equals(bytes)).toBe(true);
      } catch (error) {
        if (!isSignetError(error, 'response-invalid')) throw error;
      }
    }
  });
});

describe('the header', () => {
  test.each([{}, { root: SHA }, { root: SHA, timestamp: SHA }])('says what a client has: %j', (known) => {
    expect(parseKnown(formatKnown(known))).toEqual(known);
  });

  test('without a root says nothing: the timestamp alone is of no use', () => {
    expect(formatKnown({ timestamp: SHA })).toBe('none');
  });

  test.each([
    null,
    '',
    ' none',
    'None',
    'root=',
    `root=${SHA.toUpperCase()}`,
    `timestamp=${SHA}`,
    `root=${SHA},timestamp=${SHA}`,
  ])('of another form is none: %p', (text) => expect(parseKnown(text)).toBeUndefined());
});
