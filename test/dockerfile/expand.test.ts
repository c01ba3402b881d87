// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables are the Dockerfile's
import { expect, test } from 'bun:test';
import { expandWord, UNKNOWN } from '../../src/dockerfile/expand.ts';

const VALUES = new Map<string, string | typeof UNKNOWN>([
  ['A', 'one'],
  ['EMPTY', ''],
  ['ARCH', UNKNOWN],
]);
const expand = (word: string) => expandWord(word, (name) => VALUES.get(name));

test.each([
  ['plain:tag', 'plain:tag'],
  ['$A', 'one'],
  ['x${A}y', 'xoney'],
  ['$A.$A', 'one.one'],
  ['$NONE', ''],
  ['${NONE}', ''],
  ['${A:-two}', 'one'],
  ['${A-two}', 'one'],
  ['${NONE:-two}', 'two'],
  ['${NONE-two}', 'two'],
  ['${EMPTY:-two}', 'two'],
  ['${EMPTY-two}', ''],
  ['${A:+two}', 'two'],
  ['${A+two}', 'two'],
  ['${NONE:+two}', ''],
  ['${NONE+two}', ''],
  ['${EMPTY:+two}', ''],
  ['${EMPTY+two}', 'two'],
  ['${A:?why}', 'one'],
  ['${A?why}', 'one'],
  ['${NONE:-${A}}', 'one'],
  ['${NONE:-${NONE:-$A}}/x', 'one/x'],
  ['"quoted"', 'quoted'],
  ["'$A'", '$A'],
  ['"$A"', 'one'],
  ['"it\'s"', "it's"],
  ['a"b"\'c\'d', 'abcd'],
  ['""', ''],
])('%s is read as %s', (word, expected) => {
  expect(expand(word)).toBe(expected);
});

test.each([
  '$ARCH',
  '${ARCH}',
  '${ARCH:-amd64}',
  '${ARCH:+x}',
  '${NONE:?why}',
  '${EMPTY:?why}',
  '${NONE?why}',
  '${A#o}',
  '${A%%e}',
  '${A/o/e}',
  '${A:x}',
  '${}',
  '${',
  '${A',
  '${A:-two',
  '$',
  '$1',
  '$@',
  '$$',
  '$-',
  '$é',
  '$Aé',
  'a\\b',
  'a`b',
  '"open',
  "'open",
  '${NONE:-"}',
  '${NONE:-'.repeat(40) + '}'.repeat(40),
])('%s is not known beforehand', (word) => {
  expect(expand(word)).toBeUndefined();
});
