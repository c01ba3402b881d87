import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { SignetError } from '../../../core/errors/index.ts';
import { chosenDataFolder } from '../../../serve/data/data-folder.ts';
import { settingsOf } from '../../../serve/data/settings-of.ts';
import type { ServeCommandLine } from '../../../serve/settings/command-line.ts';
import type { ServeSettings } from '../../../serve/start.ts';
import { carryOut, parseCommand, WRONG_FLAG } from '../../line/command.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import { firstStop } from '../../terminal/interrupts.ts';
import { printOut } from '../../terminal/output.ts';
import { givenSettings, SERVE_FLAGS, SETTINGS_NOTES } from './flags.ts';

const INTERRUPTED = 130;
const STDOUT = 1;

export const SERVE: Command<undefined> = {
  program: 'signet',
  path: 'serve',
  summary: 'Serve trust data and images: trust server, registry, accounts and tokens',
  layout: 'wide',
  args: [],
  commands: [['database', async () => (await import('./database.ts')).DATABASE]],
  flags: SERVE_FLAGS,
  notes: `${SETTINGS_NOTES}\n\nsignet serve database copy FROM TO moves everything in a database to another one.`,
  examples: [
    { about: 'Serve this machine', line: 'serve' },
    { about: 'Serve a network', line: 'serve --listen 0.0.0.0:5000 --name registry.example.com' },
    { about: 'Make this machine trust the server', line: 'serve --trust-here' },
  ],
  exitCodes: [[INTERRUPTED, 'A second signal ended it at once.']],
  run: serve,
};

/** `signet serve`. Returns the exit code. Throws a SignetError if it cannot start. */
export async function serveCommand(words: readonly string[]): Promise<number> {
  const [first, ...rest] = words;
  if (first === 'database') return (await import('./database.ts')).databaseCommand(rest);
  return carryOut(SERVE, undefined, parseCommand(SERVE, words));
}

/**
 * Serves until SIGTERM or SIGINT, and returns 0 once all requests have ended. A second signal ends it immediately;
 * SIGHUP loads renewed certificates. With `--check`, `--trust-here` or `--untrust-here` it does that and returns
 * without serving.
 */
async function serve(_: undefined, parsed: ParsedCommand): Promise<number> {
  const commandLine = commandLineOf(parsed);
  const settings = settingsFrom(parsed, commandLine);
  const action = actionIn(parsed);
  if (parsed.has('check')) {
    const { checkCommand } = await import('./check.ts');
    return checkCommand(settings, parsed.has('json'));
  }
  if (action !== undefined) {
    const { trustHere } = await import('./trust-here.ts');
    return trustHere(settings, { ...action, commandLine });
  }
  const { startServer } = await import('../../../serve/start.ts');
  const server = await startServer(settings, { isTerminal: isatty(STDOUT), commandLine });
  process.on('SIGHUP', () => void server.reload());
  const asked = firstStop(INTERRUPTED);
  printOut(server.announcement);
  await asked;
  await server.stop();
  return 0;
}

/** The action to run instead of serving, if a flag asks for one. */
function actionIn(parsed: ParsedCommand): { readonly isUndo: boolean; readonly isSure: boolean } | undefined {
  const [isTrust, isUndo, isSure] = ['trust-here', 'untrust-here', 'yes'].map((flag) => parsed.has(flag));
  if (isTrust && isUndo) {
    throw new SignetError('usage', 'conflicting options: --trust-here and --untrust-here', { exitCode: WRONG_FLAG });
  }
  if (parsed.has('check') && (isTrust || isUndo)) {
    throw new SignetError('usage', 'conflicting options: --check changes nothing', { exitCode: WRONG_FLAG });
  }
  if (parsed.has('json') && !parsed.has('check')) {
    throw new SignetError('usage', '--json is for --check', { exitCode: WRONG_FLAG });
  }
  if (isTrust || isUndo) return { isUndo: isUndo === true, isSure: isSure === true };
  if (isSure) throw new SignetError('usage', '--yes is for --trust-here and --untrust-here', { exitCode: WRONG_FLAG });
  return undefined;
}

function commandLineOf(parsed: ParsedCommand): ServeCommandLine {
  const config = parsed.value('config') ?? (process.env.SIGNET_CONFIG || undefined);
  return { config: config === undefined ? undefined : resolve(config), flags: givenSettings(parsed) };
}

function settingsFrom(parsed: ParsedCommand, commandLine: ServeCommandLine): ServeSettings {
  const data = chosenDataFolder(parsed.value('data'));
  return { ...settingsOf(data, commandLine), data };
}
