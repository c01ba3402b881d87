import { expect, test } from 'bun:test';
import { LineReader } from '../../src/dockerfile/lines.ts';
import { failure } from '../support/failure.ts';

function lines(source: string, escapeCharacter: '\\' | '`' = '\\'): string[] {
  const reader = new LineReader('Dockerfile', source, escapeCharacter);
  const found: string[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) found.push(`${line.place} ${line.text}`);
  return found;
}

test('comments and empty lines are no instructions, and indents do not count', () => {
  expect(lines('\n# one\n \t# two\n\n  FROM a\n\t\nRUN b')).toEqual(['Dockerfile:5 FROM a', 'Dockerfile:7 RUN b']);
});

test('what Go counts as a space is an indent', () => {
  expect(lines('\u00a0\u2003\u3000\f\vFROM a\n\u0085RUN b\n')).toEqual(['Dockerfile:1 FROM a', 'Dockerfile:2 RUN b']);
});

test('a byte order mark counts only at the very beginning', () => {
  expect(lines('\ufeffFROM a\n\ufeffRUN b\n')).toEqual(['Dockerfile:1 FROM a', 'Dockerfile:2 \ufeffRUN b']);
});

test('lines end in a line feed with or without a carriage return', () => {
  expect(lines('FROM a\r\nRUN b \\\r\n c\r\n')).toEqual(['Dockerfile:1 FROM a', 'Dockerfile:2 RUN b  c']);
});

test('a carriage return inside a line is refused: versions cut there differently', async () => {
  const error = await failure(() => lines('FROM a\nRUN b\rFROM c\n'), 'dockerfile-uncertain');
  expect(error.message).toBe('Dockerfile:2: a carriage return stands inside a line');
});

test('an instruction goes on over comments, empty lines and blanks behind the mark, and keeps its inner indents', () => {
  expect(lines('FR\\\nOM \\ \t\n# no\n\n   # no\n  a\nRUN b')).toEqual(['Dockerfile:1 FROM   a', 'Dockerfile:7 RUN b']);
});

test('an escape character alone on its line begins an instruction', () => {
  expect(lines('\\\nFROM a\n')).toEqual(['Dockerfile:1 FROM a']);
});

test('a continuation may end with the file', () => {
  expect(lines('FROM a \\\n\n')).toEqual(['Dockerfile:1 FROM a ']);
});

test('a comment does not go on', () => {
  expect(lines('# a \\\nFROM b')).toEqual(['Dockerfile:2 FROM b']);
});

test('the other escape character ends nothing', () => {
  expect(lines('RUN a `\nRUN b \\\n')).toEqual(['Dockerfile:1 RUN a `', 'Dockerfile:2 RUN b ']);
  expect(lines('RUN a `\n b \\\n', '`')).toEqual(['Dockerfile:1 RUN a  b \\']);
});

test('two escape characters at the end of a line are refused: versions disagree', async () => {
  const error = await failure(() => lines('FROM a\nRUN b \\\\\nFROM c\n'), 'dockerfile-uncertain');
  expect(error.message).toStartWith('Dockerfile:2: ');
  await failure(() => lines('RUN b \\\\ \t\n'), 'dockerfile-uncertain');
  await failure(() => lines('RUN a\\\n b\\\\\n'), 'dockerfile-uncertain');
});

test('a part of a line is found in the file, unless a continuation divides it', () => {
  const source = '# c\n  FROM one\\\r\n two\n';
  const line = new LineReader('Dockerfile', source, '\\').next();
  expect(line?.text).toBe('FROM one two');
  const span = line?.spanOf({ from: 9, to: 12 });
  expect(source.slice(span?.from, span?.to)).toBe('two');
  expect(line?.spanOf({ from: 5, to: 8 })).toEqual({ from: 11, to: 14 });
  expect(line?.spanOf({ from: 6, to: 11 })).toBeUndefined();
});
