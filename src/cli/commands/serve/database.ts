import { resolve } from 'node:path';
import { SignetError } from '../../../core/errors/index.ts';
import type { CopyProgress } from '../../../serve/storage/copy/copy.ts';
import { readDatabaseUrl } from '../../../serve/storage/database-of.ts';
import { type DatabaseUrl, formatDatabaseUrl, parseDatabaseUrl } from '../../../store/database-url.ts';
import { carryOut, parseCommand, runGroup } from '../../line/command.ts';
import type { Command, Group, ParsedCommand } from '../../line/declaration.ts';
import { dockerTable } from '../../terminal/table.ts';
import { ProcessTerminal, type Terminal } from '../../terminal/terminal.ts';

/** Between two lines about a table that takes long, in milliseconds. */
const REPORT_INTERVAL = 2000;
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

/** `signet serve database …`. */
export const DATABASE: Group<Terminal> = {
  program: 'signet',
  path: 'serve database',
  summary: "Work on a server's database",
  layout: 'wide',
  lists: [['Commands', [['copy', async () => COPY]]]],
};

/** `signet serve database …`; returns the exit code. Throws what went wrong as a SignetError. */
export async function databaseCommand(words: string[], terminal: Terminal = new ProcessTerminal()): Promise<number> {
  return runGroup(DATABASE, words, async (command, rest) => carryOut(command, terminal, parseCommand(command, rest)));
}

async function copy(terminal: Terminal, parsed: ParsedCommand): Promise<number> {
  const [from = '', to = ''] = parsed.args;
  const urls = { from: databaseIn(from, 'FROM'), to: databaseIn(to, 'TO') };
  const { copyDatabase } = await import('../../../serve/storage/copy/copy.ts');
  const { counts, signerKeys } = await copyDatabase({ ...urls, onProgress: reporter(terminal) });
  if (signerKeys > 0) {
    terminal.printError(
      `The ${signerKeys} keys of notary-signer are not copied. Name their database as --signer-database to the server.\n`,
    );
  }
  if (parsed.has('json')) {
    terminal.print(`${JSON.stringify(counts, null, 4)}\n`);
    return 0;
  }
  terminal.print(
    dockerTable(
      ['DATA', 'ROWS'],
      counts.map(({ what, rows }) => [what, String(rows)]),
    ),
  );
  const [source, target] = [urls.from, urls.to].map(formatDatabaseUrl);
  terminal.printError(
    `Every row of ${source} is in ${target}. Start the server with it: --database or --database-file\n`,
  );
  return 0;
}

/** Says when a table begins and ends, and how far it is while that takes long. */
function reporter(terminal: Terminal): (progress: CopyProgress) => void {
  let reported = Number.NEGATIVE_INFINITY;
  return ({ step, what, done, total }) => {
    const isDone = done >= total;
    if (!isDone && performance.now() - reported < REPORT_INTERVAL) return;
    reported = performance.now();
    terminal.printError(`${step} ${what}: ${isDone ? done : `${done} of ${total}`}\n`);
  };
}

function databaseIn(text: string, name: string): DatabaseUrl {
  if (!IS_URL.test(text)) return readDatabaseUrl(resolve(text));
  const url = parseDatabaseUrl(text);
  if (url.kind === 'sqlite') return { ...url, path: resolve(url.path) };
  if (url.revealPassword() === '') return url;
  throw new SignetError('usage', `${name} has a password, and every user of the machine can read command lines`, {
    exitCode: 125,
    next: `Write the URL into a file, and name that: signet serve database copy FROM TO`,
  });
}
