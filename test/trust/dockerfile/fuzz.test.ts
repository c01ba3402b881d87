// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables are the Dockerfile's
import { expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { findImageUses, type ImageUse, rewriteImages } from '../../../src/trust/dockerfile/index.ts';
import { random } from '../../support/random.ts';
import { settings } from './support.ts';

const MILLISECONDS = 2_000;
const DIGEST = `sha256:${'0'.repeat(64)}`;
const PIECES = [
  ...['FROM ', 'from\t', 'COPY ', 'RUN ', 'ADD ', 'ONBUILD ', 'ARG ', 'LABEL ', 'AS ', 'as b', 'X=', 'INCLUDE '],
  ...['--from=', '--mount=', '--platform=', '--link ', '--', 'type=bind,', 'from=', ',target=/x ', '=', ','],
  ...['a', 'b', 'b:1', 'host:5000/a/b', 'scratch', '0', '1', 'base', '/x /y', '@', DIGEST],
  ...['$X', '${X}', '${X:-a}', '${X#a}', '$TARGETARCH', '${', '}', '$'],
  ...[
    '\n',
    '\n',
    '\n',
    '\r\n',
    '\r',
    ' ',
    '\t',
    '\v',
    '\\\n',
    '\\\r\n',
    '\\',
    '\\\\\n',
    '`\n',
    '`',
    '\ufeff',
    '\u00a0',
    'é',
  ],
  ...[
    '# ',
    '# syntax=f',
    '# escape=`',
    '#!',
    '//',
    '# c\n',
    '<<EOF',
    '<<-E',
    "<<'EOF'",
    '\nEOF\n',
    '\n\tE\n',
    '<<',
    '<<FROM',
  ],
  ...['"', "'", '["x", "/y"]', '[', ']', '{', ';', '\u0000', '\ud800'],
];

const given = settings({ buildArgs: { X: 'b' }, contexts: ['base'] });

/** Mostly whole lines that docker takes, so that what is generated gets past the first check. */
function dockerfile(next: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const some = (count: number) => Array.from({ length: Math.floor(next() * count) }, () => pick(PIECES)).join('');
  const lines = [
    'FROM a',
    'FROM a AS b',
    'COPY --from=b /x /y',
    'RUN --mount=from=c,target=/x y',
    'RUN x \\\n y',
    'RUN <<E\nFROM z\nE',
  ];
  const head = next() < 0.2 ? some(4) : '';
  const body = Array.from({ length: Math.floor(next() * 6) }, () =>
    next() < 0.6 ? pick(lines) : pick(lines) + some(6),
  );
  return `${head}${['FROM a', ...body].join(pick(['\n', '\n', '\r\n']))}${next() < 0.5 ? some(12) : ''}`;
}

/** The text without the words of `uses`. */
function remainder(source: string, uses: readonly ImageUse[]): string {
  return uses.reduceRight((text, { span }) => text.slice(0, span.from) + text.slice(span.to), source);
}

test('whatever the Dockerfile, it is refused by name or rewritten to digests with nothing else changed', () => {
  const next = random(20_261_123);
  const stopAt = performance.now() + MILLISECONDS;
  let [read, refused] = [0, 0];
  for (let round = 0; round < 20_000 && performance.now() < stopAt; round++) {
    const source = dockerfile(next);
    try {
      const uses = findImageUses(source, given);
      const pinned = rewriteImages(source, uses, given, () => `p@${DIGEST}`);
      const again = findImageUses(pinned, settings());
      expect(remainder(pinned, again)).toBe(remainder(source, uses));
      expect(again.filter(({ isImage, name }) => isImage && name !== `p@${DIGEST}` && name !== 'base')).toEqual([]);
      read++;
    } catch (error) {
      if (!isSignetError(error, 'dockerfile-invalid', 'dockerfile-uncertain'))
        throw new Error(JSON.stringify(source), { cause: error });
      expect(error.message).not.toMatch(/[\n\r]/);
      refused++;
    }
  }
  expect(read).toBeGreaterThan(100);
  expect(refused).toBeGreaterThan(100);
}, 30_000);

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
