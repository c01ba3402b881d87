import { isatty } from 'node:tty';
import { isSignetError, type SignetError } from '../../../core/errors/index.ts';
import { ControlSequence } from '../../../core/printable.ts';
import type { Finding, TablesReport } from '../../../notary/check/report.ts';
import { checkServe, type ServeReport } from '../../../serve/check.ts';
import type { ServeSettings } from '../../../serve/start.ts';
import { printErr, printOut } from '../../terminal/output.ts';

const STDERR = 2;
/** Milliseconds between two progress lines. */
const TICK = 100;
const ERASE_LINE = new ControlSequence('\u001b[2K\r');

/**
 * `signet serve --check`: reports what a server with these settings would find in a Notary's databases, and what it
 * would do. Changes nothing. Returns 0 if it could serve them, 1 if anything prevents it.
 */
export async function checkCommand(settings: ServeSettings, isJson: boolean): Promise<number> {
  const progress = isatty(STDERR) ? progressLine() : undefined;
  const report = await checkServe(settings, process.env, Date.now(), progress).catch((error: unknown) => {
    if (isJson && isSignetError(error)) printOut(faultJson(error));
    throw error;
  });
  if (progress !== undefined) printErr(ERASE_LINE);
  const isFit = report.findings.every(({ level }) => level !== 'error');
  printOut(isJson ? `${JSON.stringify({ fit: isFit, ...report }, undefined, 2)}\n` : reportText(report, isFit));
  return isFit ? 0 : 1;
}

/** What kept the check from looking, for programs that read what it found. */
function faultJson({ code, message, next }: SignetError): string {
  const finding: Finding = { level: 'error', code, message, ...(next === undefined ? {} : { next }) };
  return `${JSON.stringify({ fit: false, findings: [finding] }, undefined, 2)}\n`;
}

function progressLine(): (what: string, done: number, total: number) => void {
  let last = 0;
  return (what, done, total) => {
    if (performance.now() - last < TICK) return;
    last = performance.now();
    printErr(ERASE_LINE, `Looking at ${what}: ${done} of ${total}`);
  };
}

function reportText(report: ServeReport, isFit: boolean): string {
  const { repositories, files, changes } = report.counts;
  const lines = [
    `Trust data   ${report.database}`,
    `             ${tablesText('notary-server', report.server)}`,
    `             ${repositories} repositories, ${files} files, ${changes} changes`,
    ...keysText(report),
    '',
    ...report.findings.flatMap(findingText),
    ...planText(report, isFit),
    'Nothing was changed.',
  ];
  return `${lines.join('\n')}\n`;
}

function tablesText(program: string, { owner, bookkeeping }: TablesReport): string {
  if (owner === undefined) return `no tables of ${program} that could be used`;
  const whose = owner === 'signet' ? `tables as ${program} has them, made by Signet` : `tables of ${program}`;
  return bookkeeping === undefined
    ? `${whose}, without schema_migrations`
    : `${whose}, migration ${bookkeeping.version}`;
}

function keysText(report: ServeReport): readonly string[] {
  const { database, signerDatabase, signerAddress, signer, aliases, newKeys } = report;
  if (signerAddress !== undefined) return [`Keys         behind the signer ${signerAddress}, which was not asked`];
  if (signer === undefined) return ['Keys         none of a notary-signer'];
  const open = aliases.map(
    ({ alias, keys, open: opened }) => `             alias ${alias}: ${opened} of ${keys} keys open`,
  );
  return [
    `Keys         ${signerDatabase ?? database}`,
    `             ${tablesText('notary-signer', signer)}`,
    ...open,
    ...(newKeys === undefined ? [] : [`             new keys: ${newKeys.type}, alias ${newKeys.alias}`]),
  ];
}

const LEVELS: Readonly<Record<Finding['level'], string>> = { error: 'ERROR', warning: 'WARNING', note: 'NOTE' };

function findingText({ level, about, message, next }: Finding): readonly string[] {
  const subject = about === undefined ? '' : `${about}: `;
  return [`${LEVELS[level].padEnd(7)} ${subject}${message}`, ...(next === undefined ? [] : [`        ${next}`])];
}

function planText({ server, signer, signerAddress, findings }: ServeReport, isFit: boolean): readonly string[] {
  const gap = findings.length === 0 ? [] : [''];
  const isRefused = server.owner === undefined || findings.some(({ code }) => code === 'database-rights-missing');
  if (!isFit && isRefused) return [...gap, 'Signet would not start on this database.'];
  const tables =
    server.owner === undefined
      ? "Signet would make Notary's tables in this empty database, and its own beside them (signet_…)."
      : 'Signet would read and write these tables as notary-server does, alter none of them, and make its own beside them (signet_…).';
  const history = server.owner === 'notary' ? ['It would keep every version that is stored.'] : [];
  const own =
    signer?.owner === undefined
      ? 'It would make keys of its own, sealed with its master key.'
      : 'It would sign with the keys of notary-signer, and add new ones to its table.';
  const keys = signerAddress === undefined ? own : `It would have ${signerAddress} sign, and make new keys.`;
  return [...gap, tables, ...history, keys];
}
