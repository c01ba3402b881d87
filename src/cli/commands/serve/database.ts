import { resolve } from 'node:path';
import { SignetError } from '../../../core/errors/index.ts';
import { readDatabaseUrl } from '../../../serve/storage/database-of.ts';
import { type DatabaseUrl, formatDatabaseUrl, parseDatabaseUrl } from '../../../store/database-url.ts';
import { carryOut, parseCommand, runGroup } from '../../line/command.ts';
import type { Command, Group, ParsedCommand } from '../../line/declaration.ts';
import { dockerTable } from '../../terminal/table.ts';
import { ProcessTerminal, type Terminal } from '../../terminal/terminal.ts';

/** Milliseconds between two lines about a table that takes long. */
const REPORT_INTERVAL = 2000;
/** Tables that are named at most. */
const NAMED = 10;
const IS_URL = /^[a-z]+:/;

const COPY: Command<Terminal> = {
  program: 'signet',
  path: 'serve database copy',
  summary: 'Copy everything in a database to an empty one, of whichever kind, and compare both row by row',
  layout: 'wide',
  details: `FROM and TO are sqlite:PATH, postgres://USER@HOST/NAME, mysql://USER@HOST/NAME, or files that hold such a URL, with a
password. A copy that was cut short goes on where it was when the command is run again. Stop the server before: a
database in its data folder is refused while it runs, and what changes meanwhile anywhere is found by the comparison.`,
  notes: `Blobs, the master key and the token key are no part of the database; they stay in the data folder.`,
  args: [
    { name: 'FROM', takes: 'file' },
    { name: 'TO', takes: 'file' },
  ],
  flags: [{ name: 'json', type: 'switch', about: 'Print what was copied as JSON' }],
  json: [
    ['what', 'What the rows are'],
    ['rows', 'How many there are, in both databases'],
  ],
  run: copy,
};

const IMPORT: Command<Terminal> = {
  program: 'signet',
  path: 'serve database import-rethinkdb',
  summary: 'Import the dump of a Notary that kept its data in RethinkDB, as DTR and UCP do, into an empty database',
  layout: 'wide',
  details: `DUMP is the file that rethinkdb dump has written: DATABASE/TABLE.json in a gzipped tar archive. TO is
postgres://USER@HOST/NAME, mysql://USER@HOST/NAME, or a file that holds such a URL, with a password. Files and changes of
the server and the encrypted keys of the signer come to the tables that Notary has in such a database. All is imported and
compared with the dump, or nothing is.`,
  notes: `Every sha256 must be right, and no row may be there twice. Tables of other programs are left out, and named.`,
  args: [
    { name: 'DUMP', takes: 'file' },
    { name: 'TO', takes: 'file' },
  ],
  flags: [{ name: 'json', type: 'switch', about: 'Print what was imported as JSON' }],
  json: [
    ['what', 'What the rows are'],
    ['rows', 'How many there are, in the dump and in the database'],
  ],
  run: importDump,
};

/** `signet serve database …`. */
export const DATABASE: Group<Terminal> = {
  program: 'signet',
  path: 'serve database',
  summary: "Work on a server's database",
  layout: 'wide',
  lists: [
    [
      'Commands',
      [
        ['copy', async () => COPY],
        ['import-rethinkdb', async () => IMPORT],
      ],
    ],
  ],
};

/** `signet serve database …`. Returns the exit code. Throws a SignetError if it fails. */
export async function databaseCommand(words: string[], terminal: Terminal = new ProcessTerminal()): Promise<number> {
  return runGroup(DATABASE, words, async (command, rest) => carryOut(command, terminal, parseCommand(command, rest)));
}

async function copy(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const [from = '', to = ''] = parsed.args;
  const urls = { from: databaseIn(from, 'FROM', COPY), to: databaseIn(to, 'TO', COPY) };
  const { copyDatabase } = await import('../../../serve/storage/copy/copy.ts');
  const { counts, signerKeys } = await copyDatabase({ ...urls, onProgress: reporter(terminal) });
  if (signerKeys > 0) {
    terminal.printError(
      `The ${signerKeys} keys of notary-signer are not copied. Name their database as --signer-database to the server.\n`,
    );
  }
  printCounts(terminal, parsed, counts);
  if (parsed.has('json')) return 0;
  const [source, target] = [urls.from, urls.to].map(formatDatabaseUrl);
  terminal.printError(
    `Every row of ${source} is in ${target}. Start the server with it: --database or --database-file\n`,
  );
  return 0;
}

async function importDump(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const [dump = '', target = ''] = parsed.args;
  const to = databaseIn(target, 'TO', IMPORT);
  const { importRethinkdb } = await import('../../../serve/storage/rethinkdb/import.ts');
  const { counts, others, deleted } = await importRethinkdb({
    dump: resolve(dump),
    to,
    onProgress: reporter(terminal),
  });
  if (others.length > 0) {
    const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : '';
    terminal.printError(`Left out, since Notary has no such tables: ${others.slice(0, NAMED).join(', ')}${more}\n`);
  }
  if (deleted > 0) terminal.printError(`Left out, since Notary has marked them as deleted: ${deleted} rows\n`);
  printCounts(terminal, parsed, counts);
  terminal.printError(`All of it is in ${formatDatabaseUrl(to)}, and was compared with the dump.\n`);
  return 0;
}

function printCounts(
  terminal: Terminal,
  parsed: ParsedCommand,
  counts: readonly { readonly what: string; readonly rows: number }[],
): void {
  terminal.print(
    parsed.has('json')
      ? `${JSON.stringify(counts, null, 4)}\n`
      : dockerTable(
          ['DATA', 'ROWS'],
          counts.map(({ what, rows }) => [what, String(rows)]),
        ),
  );
}

/** What a command is doing with something, and how far it is. */
interface Progress {
  readonly step: string;
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** Reports the start and end of each table, and the progress of tables that take long. */
function reporter(terminal: Terminal): (progress: Progress) => void {
  let reported = Number.NEGATIVE_INFINITY;
  return ({ step, what, done, total }) => {
    const isDone = done >= total;
    if (!isDone && performance.now() - reported < REPORT_INTERVAL) return;
    reported = performance.now();
    terminal.printError(`${step} ${what}: ${isDone ? done : `${done} of ${total}`}\n`);
  };
}

function databaseIn(text: string, name: string, command: Command<Terminal>): DatabaseUrl {
  if (!IS_URL.test(text)) return readDatabaseUrl(resolve(text));
  const url = parseDatabaseUrl(text);
  if (url.kind === 'sqlite') return { ...url, path: resolve(url.path) };
  if (url.revealPassword() === '') return url;
  throw new SignetError('usage', `${name} has a password, and every user of the machine can read command lines`, {
    exitCode: 125,
    next: `Write the URL into a file, and name that: signet ${command.path} ${command.args?.map((arg) => arg.name).join(' ')}`,
  });
}
