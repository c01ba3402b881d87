import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../scripts/paths.ts';
import { DOCKER_COMMANDS } from '../../src/cli/docker/closed-world/table.ts';
import { isOption, wrongIn } from '../support/command-reader.ts';
import { readDocument } from '../support/documents.ts';

const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(ROOT, 'docs'))
    .sort()
    .map((name) => `docs/${name}`),
];
/** What stands in prose and tables as code, and is no command line of Signet's or of a docker that Signet knows. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['kill -9', "the system's own command, not docker's"],
  ['signet trust COMMAND --help', 'COMMAND stands for any of them'],
  ['key generate -o', "an option of notary's command, of which the text speaks"],
  ['key rotate root -k', "an option of notary's command, of which the text speaks"],
  ['key rotate --legacy N', 'an option of notary that Signet leaves out, as the text says'],
  ['key with same ID already exists for role: …', 'a message'],
  ['trust server rejected operation.', 'a message'],
]);
const PROGRAMS: readonly string[] = ['signet', 'docker', 'npm', 'bun'];
const DOCKERS: ReadonlySet<string> = new Set(Object.keys(DOCKER_COMMANDS).map((name) => name.split(' ')[0] ?? ''));

interface Span {
  readonly document: string;
  readonly text: string;
}

const spans = DOCUMENTS.flatMap((document) => spansOf(document));

test('every command that the documents name is one, with the options that they name', async () => {
  const found = await Promise.all(
    spans.map(async ({ document, text }) => {
      const command = commandIn(text);
      const wrong = command === undefined ? undefined : await wrongIn(command);
      return wrong === undefined || EXCEPTIONS.has(text) ? [] : [`${document}: ${text}: ${wrong.split('\n')[0]}`];
    }),
  );
  expect(found.flat()).toEqual([]);
});

test('every option that the documents name alone is one of some command', async () => {
  const found = await Promise.all(
    spans.map(async ({ document, text }) => {
      const names = text.startsWith('--') ? [...text.matchAll(/(?:^| )--([a-z][a-z0-9-]*)/g)] : [];
      const known = await Promise.all(names.map(([, name = '']) => isOption(name)));
      return known.every(Boolean) || EXCEPTIONS.has(text) ? [] : [`${document}: ${text}`];
    }),
  );
  expect(found.flat()).toEqual([]);
});

test('every exception still stands in a document', () => {
  const texts = new Set(spans.map(({ text }) => text));
  expect([...EXCEPTIONS.keys()].filter((text) => !texts.has(text))).toEqual([]);
});

/** What stands between backquotes outside of blocks. */
function spansOf(document: string): readonly Span[] {
  const prose = readDocument(document).replaceAll(/^```.*?^```$/gms, '');
  const paragraphs = prose.split(/\n(?:\n|(?=[|*#-]))/);
  return paragraphs.flatMap((paragraph) =>
    [...paragraph.replaceAll('\n', ' ').matchAll(/`([^`]+)`/g)].map(([, text = '']) => ({ document, text })),
  );
}

/** The command line that a piece of code is; parts of `signet trust` are named by their last words. */
function commandIn(text: string): string | undefined {
  const line = text.replace(/^(?:sudo |[A-Z_]+=\S* )+/, '');
  const [first = '', second] = line.split(/\s+/);
  if (PROGRAMS.includes(first) || first.startsWith('node_modules/')) return text;
  if (first === 'trust' || first === 'serve' || first === 'user') return `signet ${text}`;
  if (second === undefined || !/^[a-z-]/.test(second)) return undefined;
  if (first === 'key' || first === 'signer' || first === 'delegation') return `signet trust ${text}`;
  return DOCKERS.has(first) && first !== '' ? `docker ${text}` : undefined;
}
