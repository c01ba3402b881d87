// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables are the Dockerfile's
import { expect, test } from 'bun:test';
import { isSignetError } from '../../src/core/errors/index.ts';
import { findImageUses } from '../../src/dockerfile/index.ts';
import { settings } from './support.ts';

test('long and deep texts take no more than linear time and no stack', () => {
  const size = 200_000;
  const texts = [
    `FROM a\nRUN ${' '.repeat(size)}x`,
    `FROM a\n${'RUN x \\\n'.repeat(size / 8)}`,
    `#${' '.repeat(size)}x\nFROM a`,
    `# ${'a'.repeat(size)}\nFROM a`,
    `FROM a\nRUN ${'<<'.repeat(size / 2)}`,
    `FROM a\nRUN ${'"'.repeat(size)} <<EOF\nEOF`,
    `FROM a\nCOPY ${'--chown=1 '.repeat(size / 10)}`,
    `FROM a\nONBUILD ${'ONBUILD '.repeat(size / 8)}`,
    `FROM ${'${A:-'.repeat(size / 5)}`,
    `FROM ${'"'.repeat(size)}`,
    `ARG X=a ${'X=$X$X '.repeat(60)}\nFROM a`,
    'FROM a\n'.repeat(size / 7),
  ];
  for (const text of texts) {
    try {
      findImageUses(text, settings());
    } catch (error) {
      if (!isSignetError(error)) throw new Error(text.slice(0, 50), { cause: error });
    }
  }
  expect(texts.length).toBe(12);
}, 10_000);
