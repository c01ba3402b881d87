import { expect, test } from 'bun:test';
import { findImageUses, rewriteImages } from '../../src/dockerfile/index.ts';
import { failure } from '../support/failure.ts';
import { settings } from './support.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const pinned = (name: string) => (name.includes('@') ? name : `${name.replace(/:.*/, '')}@${DIGEST}`);

function rewrite(source: string, changes: Parameters<typeof settings>[0] = {}): string {
  const given = settings(changes);
  return rewriteImages(source, findImageUses(source, given), given, ({ name }) => pinned(name));
}

test('only the words that name images change; line ends, indents, comments and the mark stay', () => {
  const source = [
    '\ufeff# syntax = docker/dockerfile:1  x=y\r',
    '# FROM b\r',
    'ARG\tV=1.2 \r',
    '  from   --platform=$BUILDPLATFORM  "a:$V"\tAS  build # no',
  ]
    .join('\n')
    .replace(' # no', '\r\nCOPY --chown=1 --from=c:3 \\\r\n  # d\r\n  /x /y\r\n\r\n');
  expect(rewrite(source)).toBe(
    source
      .replace('docker/dockerfile:1', `docker/dockerfile@${DIGEST}`)
      .replace('"a:$V"', `a@${DIGEST}`)
      .replace('c:3', `c@${DIGEST}`),
  );
});

test('here-documents, and what only looks like an instruction, stay', () => {
  const rest = 'RUN <<EOF\nFROM b\nCOPY --from=c /x /y\nEOF\nRUN echo FROM d --from=e\nLABEL x="FROM f"';
  expect(rewrite(`FROM a\n${rest}`)).toBe(`FROM a@${DIGEST}\n${rest}`);
});

test('every mount of a line is replaced in its place', () => {
  expect(
    rewrite('FROM a\nRUN --mount=type=bind,from=b:1,target=/b --mount=from=c,target=/c \\\n x --mount=from=d'),
  ).toBe(
    `FROM a@${DIGEST}\nRUN --mount=type=bind,from=b@${DIGEST},target=/b --mount=from=c@${DIGEST},target=/c \\\n x --mount=from=d`,
  );
});

test('stages, scratch and contexts stay, in the words in which every builder finds them', () => {
  const source =
    'ARG S=BASE\nFROM scratch AS Base\nFROM $S\nCOPY --from="Base" /x /y\nCOPY --from=files /x /y\nFROM files';
  expect(rewrite(source, { contexts: ['files'] })).toBe(
    'ARG S=BASE\nFROM scratch AS base\nFROM base\nCOPY --from=base /x /y\nCOPY --from=files /x /y\nFROM files',
  );
});

test('a digest replaced by itself changes nothing', () => {
  const source = `FROM a@${DIGEST} AS b\nFROM b\n`;
  expect(rewrite(source)).toBe(source);
});

test.each(['b c', 'b\nFROM c', '$X', '', 'b AS c', '"b"', 'b\\'])(
  'a text that would be read as something else than %j is refused',
  async (text) => {
    const given = settings();
    const source = 'FROM a';
    const uses = findImageUses(source, given);
    const attempt = () => rewriteImages(source, uses, given, () => text);
    expect(
      await Promise.resolve()
        .then(attempt)
        .catch((error) => error.code),
    ).toMatch(/^dockerfile-(invalid|uncertain)$/);
  },
);

test('a text that would become a stage is refused', async () => {
  const given = settings();
  const source = 'FROM a AS b\nFROM c AS d\nRUN x';
  const uses = findImageUses(source, given);
  await failure(
    () => rewriteImages(source, uses, given, ({ name }) => (name === 'c' ? 'B' : name)),
    'dockerfile-uncertain',
  );
});
