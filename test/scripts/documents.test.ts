import { expect, test } from 'bun:test';
import { ROOT } from '../../scripts/paths.ts';
import { findCommand } from '../../src/cli/commands/docker/closed-world/commands.ts';
import { DOCKER_COMMANDS } from '../../src/cli/commands/docker/closed-world/table.ts';
import { permit } from '../../src/cli/commands/docker/permission.ts';
import { SERVE } from '../../src/cli/commands/serve/serve.ts';
import { SIGNER } from '../../src/cli/commands/signer/signer.ts';
import { helpText } from '../../src/cli/line/help.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import { parseConfiguration } from '../../src/trust/settings/configuration.ts';
import { uninitialised } from '../cli/fake-session.ts';
import { isOption, wrongIn } from '../support/command-reader.ts';
import { blocksOf, readDocument } from '../support/documents.ts';

const DOCUMENTS = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...[...new Bun.Glob('docs/**/*.md').scanSync(ROOT)].sort(),
];
/** What stands in prose and tables as code, and is no command line of Signet's or of a docker that Signet knows. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['DOCKER_CONTENT_TRUST=0 signet buildx inspect --bootstrap', 'an option of buildx that is refused while trust is on'],
  ['kill -9', "the system's own command, not docker's"],
  ['signet trust COMMAND --help', 'COMMAND stands for any of them'],
  ['key generate -o', "an option of notary's command, of which the text speaks"],
  ['--trustDir', "an option of notary's command, of which the text speaks"],
  ['--legacy', "an option of notary's command, of which the text speaks"],
  ['--rootkey', "an option of notary's command, of which the text speaks"],
  ['--rootcert', "an option of notary's command, of which the text speaks"],
  ['docker container frobnicate', 'an example of a command that docker does not have'],
  ['key rotate --legacy N', 'an option of notary that Signet leaves out, as the text says'],
  ['delegation role <name> invalid', 'a message'],
  ['key with same ID already exists for role: <role>', 'a message'],
  [
    'key name "NAME" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character',
    'a message',
  ],
  ["tag can't be used with --all-tags/-a", 'a message'],
  ['trust server returned a bad response.', 'a message'],
  ['trust server rejected operation.', 'a message'],
]);
/** The tests that run the blocks of a document in a language. */
const RUN: ReadonlyMap<string, string> = new Map([
  ['README.md console', 'test/lesson/readme.test.ts'],
  ['docs/configuration.md sh', 'test/lesson/readme.test.ts'],
  ['docs/library.md ts', 'test/library/examples.ts'],
  ['docs/migrate-database.md console', 'test/interop/takeover/database-document.test.ts'],
  ['docs/migrate.md console', 'test/interop/copies/migrate-document.test.ts'],
  ['docs/trust-commands.md console', 'test/cli/commands/trust/reference.test.ts'],
  ['docs/trust-keys.md console', 'test/cli/commands/trust/keys-document.test.ts'],
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

test('the classes of commands are those of the table that Signet goes by', () => {
  const section = readDocument('docs/differences.md')
    .split('### ')
    .find((text) => text.startsWith('While trust is on'));
  const rows = [...(section ?? '').matchAll(/^\| (enforced|harmless|existing|refused) \| (.*?) \|/gm)];
  expect(rows.map(([, kind]) => kind)).toEqual(['enforced', 'harmless', 'existing', 'refused']);
  for (const [, kind, commands = ''] of rows) {
    for (const [, command = ''] of commands.matchAll(/`([^`]*)`/g)) {
      const found = findCommand(command.split(' --')[0]?.split(' ') ?? []);
      // Some are refused for what else stands on the line.
      const isOnCondition = kind === 'refused' && found?.unless !== undefined;
      const really: string | undefined = isOnCondition ? 'refused' : found?.kind;
      expect({ command, kind: really }).toEqual({ command, kind });
    }
  }
});

test('the example of an exemption says what the document shows', async () => {
  const document = readDocument('docs/configuration.md');
  const session = await uninitialised();
  session.configuration = parseConfiguration(Buffer.from(blocksOf(document, 'json')[0] ?? ''), '/signet.json');
  await permit(session, parseReference('registry.internal/tools/lint:2'));
  expect(blocksOf(document, 'text')).toContain(session.errors);
});

test('the options of the server and of the signer are those of their help', () => {
  const blocks = blocksOf(readDocument('docs/configuration.md'), 'text').filter((text) => text.startsWith('Options:'));
  expect(blocks).toHaveLength(2);
  for (const [index, command] of [SERVE, SIGNER].entries())
    expect(helpText(command)).toContain(blocks[index] ?? 'none');
});

test('every block of commands is run by a test', () => {
  const found = DOCUMENTS.flatMap((document) =>
    ['console', 'sh', 'bash', 'shell', 'ts']
      .filter((language) => blocksOf(readDocument(document), language).length > 0)
      .map((language) => `${document} ${language}`),
  );
  expect(found.sort()).toEqual([...RUN.keys()].sort());
  for (const [blocks, path] of RUN) expect(readDocument(path)).toContain(`'${blocks.split(' ')[0]}'`);
  // The one job that is run.
  expect(blocksOf(readDocument('docs/configuration.md'), 'sh')).toHaveLength(1);
  // What a terminal shows stands in a block that is run.
  const shown = DOCUMENTS.filter((document) =>
    blocksOf(readDocument(document), 'text').some((text) => /^\w*\$ /m.test(text)),
  );
  expect(shown).toEqual([]);
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
    [...paragraph.replaceAll(/\s+/g, ' ').matchAll(/`([^`]+)`/g)].map(([, text = '']) => ({ document, text })),
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
