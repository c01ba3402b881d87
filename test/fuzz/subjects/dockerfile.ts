// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables are the Dockerfile's
import { deepStrictEqual, strictEqual } from 'node:assert';
import { findImageUses, type ImageUse, rewriteImages } from '../../../src/dockerfile/index.ts';
import { settings } from '../../dockerfile/support.ts';
import { classicBases } from '../../support/classic-dockerfile.ts';
import type { Dice } from '../dice.ts';
import type { Subject } from '../engine.ts';
import { anyOf, bytes, generated, lines, words } from '../mutate.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const PINNED = `p@${DIGEST}`;
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
    '<< ',
    '<< <<EOF',
    '<<FROM',
  ],
  ...['"', "'", '["x", "/y"]', '[', ']', '{', ';', '\u0000', '\u{10ffff}'],
];
const LINES = [
  'FROM a',
  'FROM a AS b',
  'COPY --from=b /x /y',
  'RUN --mount=from=c,target=/x y',
  'RUN x \\\n y',
  'RUN <<E\nFROM z\nE',
];

/** Mostly whole lines that docker takes, so that what is generated gets past the first check. */
function dockerfile(dice: Dice): string {
  const some = (count: number) => dice.some(count, () => dice.pick(PIECES)).join('');
  const body = dice.some(6, () => (dice.chance(0.6) ? dice.pick(LINES) : dice.pick(LINES) + some(6)));
  const head = dice.chance(0.2) ? some(4) : '';
  return `${head}${['FROM a', ...body].join(dice.pick(['\n', '\n', '\r\n']))}${dice.chance(0.5) ? some(12) : ''}`;
}

const given = settings({ buildArgs: { X: 'b' }, contexts: ['base'] });

/** Refused by name, or rewritten to digests with nothing else changed: no use of an image is lost on the way. */
const subject: Subject = {
  seeds: [
    'FROM a',
    '# syntax=docker/dockerfile:1\nARG X=b\nFROM ${X} AS one\nFROM host:5000/a/b\nCOPY --from=one /x /y\n',
    'FROM a AS b\nRUN --mount=type=bind,from=c,target=/x \\\n y\nONBUILD COPY --from=d /x /y\n',
    'FROM a\nRUN <<EOF\nFROM nothing\nEOF\nCOPY --from=0 /x /y\nFROM b\n'.replace('COPY --from=0 /x /y\n', ''),
  ].map((text) => Buffer.from(text)),
  mutate: anyOf(generated(dockerfile), generated(dockerfile), words(PIECES), lines, bytes),
  refusals: ['dockerfile-invalid', 'dockerfile-uncertain'],
  check: (input) => {
    const source = input.toString('utf8');
    const uses = findImageUses(source, given);
    const rewritten = rewriteImages(source, uses, given, () => PINNED);
    const again = findImageUses(rewritten, settings());
    strictEqual(remainder(rewritten, again), remainder(source, uses));
    deepStrictEqual(
      again.filter(({ isImage, name }) => isImage && name !== PINNED && name !== 'base'),
      [],
    );
  },
};

const HEREDOC_PIECES = [
  ...['RUN <<EOF', 'RUN <<-EOF cat', 'COPY <<A <<EOF /x', 'ONBUILD RUN <<EOF', "ADD <<'EOF' /x", 'RUN <<EOF \\'],
  ...['EOF', '\tEOF', ' EOF', 'A', 'EOF \\', 'FROM evil', 'RUN x \\', 'RUN x \\ \t', 'RUN x \\\\', 'RUN `', '\\', '`'],
  ...['# c', ' # c \\', '', ' ', '\t', 'x', 'x \\', 'FROM a', 'FROM b AS c', 'COPY --from=c /x /y', '# escape=`'],
];

/** Here-documents: a builder that knows none refuses the file, or builds on the same images. */
const heredocs: Subject = {
  seeds: ['FROM a\nRUN <<EOF\nFROM evil\nEOF\n', 'FROM a\nCOPY <<A <<EOF /x\nA\nx\nEOF\nFROM b'].map((text) =>
    Buffer.from(text),
  ),
  mutate: anyOf(
    generated((dice) => ['FROM a', ...dice.some(12, () => dice.pick(HEREDOC_PIECES))].join('\n')),
    generated((dice) => ['FROM a', ...dice.some(12, () => dice.pick(HEREDOC_PIECES))].join(dice.pick(['\n', '\r\n']))),
    lines,
  ),
  refusals: ['dockerfile-invalid', 'dockerfile-uncertain'],
  check: (input) => {
    const source = input.toString('utf8');
    const bases = findImageUses(source, settings()).filter(({ by }) => by === 'FROM');
    const classic = classicBases(source);
    if (classic === undefined) return;
    deepStrictEqual(
      classic,
      bases.map(({ span }) => source.slice(span.from, span.to)),
    );
  },
};

export const DOCKERFILE_SUBJECTS = { dockerfile: () => subject, 'dockerfile-heredocs': () => heredocs };

/** The text without the words of `uses`. */
function remainder(source: string, uses: readonly ImageUse[]): string {
  return uses.reduceRight((text, { span }) => text.slice(0, span.from) + text.slice(span.to), source);
}
