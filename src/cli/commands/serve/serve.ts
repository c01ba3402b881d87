import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isatty } from 'node:tty';
import { SignetError } from '../../../core/errors/index.ts';
import { chosenDataFolder, dataFolder } from '../../../serve/data/data-folder.ts';
import { type Flags, parseFlags } from '../../../serve/settings/flags.ts';
import { readSettings } from '../../../serve/settings/read-settings.ts';
import { flagOf, SETTING_NAMES } from '../../../serve/settings/settings.ts';
import { ACTION_FLAGS, LOCATION_FLAGS, serveHelp } from '../../../serve/settings/settings-help.ts';
import { type RunningServer, type ServeSettings, startServer } from '../../../serve/start.ts';
import { printOut } from '../../terminal/output.ts';

const FLAGS: ReadonlySet<string> = new Set([...SETTING_NAMES.map(flagOf), ...LOCATION_FLAGS.map(({ flag }) => flag)]);
const SWITCHES: ReadonlySet<string> = new Set(ACTION_FLAGS.map(({ flag }) => flag));
const INTERRUPTED = 130;
const STDOUT = 1;

/**
 * `signet serve`: serves until SIGTERM or SIGINT asks it to stop, and returns 0 when all requests have ended. A second
 * signal ends it at once; SIGHUP takes renewed certificates into use. `--trust-here` and `--untrust-here` end instead of
 * serving. Throws a SignetError where it cannot start.
 */
export async function serveCommand(args: string[]): Promise<number> {
  const flags = parseFlags(args, FLAGS, SWITCHES);
  if (flags === 'help') {
    printOut(serveHelp());
    return 0;
  }
  const settings = settingsFrom(flags);
  const action = actionIn(flags);
  if (action !== undefined) {
    const { trustHere } = await import('./trust-here.ts');
    return trustHere(settings, action);
  }
  const server = await startServer(settings, { isTerminal: isatty(STDOUT) });
  const asked = stopSignal(server);
  printOut(server.announcement);
  await asked;
  await server.stop();
  return 0;
}

/** What to do instead of serving. */
function actionIn(flags: Flags): { readonly isUndo: boolean; readonly isSure: boolean } | undefined {
  const [isTrust, isUndo, isSure] = ['trust-here', 'untrust-here', 'yes'].map((flag) => flags.has(flag));
  if (isTrust && isUndo) {
    throw new SignetError('usage', 'conflicting options: --trust-here and --untrust-here', { exitCode: 125 });
  }
  if (isTrust || isUndo) return { isUndo: isUndo === true, isSure: isSure === true };
  if (isSure) throw new SignetError('usage', '--yes is for --trust-here and --untrust-here', { exitCode: 125 });
  return undefined;
}

function settingsFrom(flags: Flags): ServeSettings {
  const folder = process.cwd();
  const data = chosenDataFolder(flags.get('data')?.at(-1));
  const chosen = flags.get('config')?.at(-1) ?? (process.env.SIGNET_CONFIG || undefined);
  const usual = dataFolder(data).settings;
  const file = chosen === undefined ? (existsSync(usual) ? usual : undefined) : resolve(folder, chosen);
  return { ...readSettings({ flags, environment: process.env, file, folder }), data };
}

/** Listens to signals, and resolves with the first that asks to stop. */
function stopSignal(server: RunningServer): Promise<void> {
  process.on('SIGHUP', () => void server.reload());
  return new Promise((stop) => {
    let isFirst = true;
    const onSignal = () => {
      if (!isFirst) process.exit(INTERRUPTED);
      isFirst = false;
      stop();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
