import { expect, test } from 'bun:test';
import { settled } from '../../scripts/screen.ts';

const CASES: readonly (readonly [string, string, string])[] = [
  ['nothing', '', ''],
  ['plain lines', 'one\r\ntwo\n', 'one\ntwo\n'],
  ['a last line without its end', 'one\ntwo', 'one\ntwo\n'],
  ['empty lines inside, none at the end', '\none\n\ntwo\n\n\n', '\none\n\ntwo\n'],
  ['colours', '\x1b[1;32mgreen\x1b[0m and \x1b[?25lplain\n', 'green and plain\n'],
  ['a line drawn over', 'downloading 10%\rdownloading 100%\n', 'downloading 100%\n'],
  ['a line drawn over by a shorter one', 'downloading\rdone\x1b[K\n', 'done\n'],
  ['a line erased as a whole', 'downloading\x1b[2K\rdone\n', 'done\n'],
  [
    'progress of two layers',
    'a: 1%\nb: 1%\n\x1b[2A\x1b[2K\ra: 100%\x1b[2B\r\x1b[1A\x1b[2K\rb: done\x1b[1B\rend\n',
    'a: 100%\nb: done\nend\n',
  ],
  ['up beyond the top', 'one\n\x1b[9Atop\n', 'top\n'],
  ['a character taken back', 'abc\b\bX\n', 'aXc\n'],
  ['control characters', 'bell\x07 and \x1b7save\n', 'bell and save\n'],
];

for (const [name, output, shown] of CASES) {
  test(`shows ${name}`, () => expect(settled(output)).toBe(shown));
}
