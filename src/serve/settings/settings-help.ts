import type { SettingType } from './setting-types.ts';
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName } from './settings.ts';

/** The flags that are not settings, because they say where settings and data are. */
export const LOCATION_FLAGS = [
  { flag: 'config', argument: 'FILE', help: 'Settings file (default signet.json in the data folder)' },
  {
    flag: 'data',
    argument: 'FOLDER',
    help: 'Data folder (default ~/.local/share/signet, or /var/lib/signet for root)',
  },
] as const;

/** The flags of commands that do something else than serve, and end. */
export const ACTION_FLAGS = [
  {
    flag: 'trust-here',
    help: "Make this machine trust the server's authority, and end: the system's store and docker's",
  },
  { flag: 'untrust-here', help: 'Undo --trust-here, and end' },
  { flag: 'yes', help: 'Do not ask before --trust-here and --untrust-here' },
] as const;

/** What `signet serve --help` prints, in the form of docker's help. */
export function serveHelp(): string {
  const rows = [
    ...SETTING_NAMES.map(rowOf),
    ...LOCATION_FLAGS.map(({ flag, argument, help }) => [`--${flag} ${argument}`, help] as const),
    ...ACTION_FLAGS.map(({ flag, help }) => [`--${flag}`, help] as const),
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(...rows.map(([left]) => left.length));
  return `
Usage:  signet serve [OPTIONS]

Serve trust data and images: trust server, registry, accounts and tokens

Options:
${rows.map(([left, right]) => `      ${left.padEnd(width)}   ${right}`).join('\n')}

Options also come from the settings file (--token-lifetime is "tokenLifetime" there) and from the environment
(SIGNET_TOKEN_LIFETIME). ${listNames()} are arrays in the file and have commas in the environment.
An option goes before the environment, the environment before the file.
`;
}

function rowOf(name: SettingName): readonly [string, string] {
  const { type, help }: { type: SettingType<unknown>; help: string } = SETTINGS[name];
  const shown = type.show(SETTINGS[name].default);
  const value = shown === '' ? '' : ` (default ${shown})`;
  const several = type.several ? ', may be repeated' : '';
  return [`--${flagOf(name)} ${type.argument}`, `${help}${several}${value}`];
}

function listNames(): string {
  const several = SETTING_NAMES.filter((name) => SETTINGS[name].type.several);
  return several.map((name) => `"${name}"`).join(', ');
}
