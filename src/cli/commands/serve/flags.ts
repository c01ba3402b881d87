import type { SettingType } from '../../../serve/settings/setting-types.ts';
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName } from '../../../serve/settings/settings.ts';
import type { Flag, ParsedCommand, Takes } from '../../line/declaration.ts';

/** Flags that are not settings, because they locate the settings and data. */
const LOCATION_FLAGS: readonly Flag[] = [
  {
    name: 'config',
    type: 'value',
    word: 'FILE',
    takes: 'file',
    about: 'Settings file (default signet.json in the data folder)',
  },
  {
    name: 'data',
    type: 'value',
    word: 'FOLDER',
    takes: 'folder',
    about: 'Data folder (default ~/.local/share/signet, or /var/lib/signet for root)',
  },
];

/** Flags of commands that do something other than serve, and then exit. */
const ACTION_FLAGS: readonly Flag[] = [
  {
    name: 'check',
    type: 'switch',
    about: 'Say what a server would find in the databases of a Notary, and end; nothing is changed',
  },
  { name: 'json', type: 'switch', about: 'Print what --check finds as JSON' },
  {
    name: 'trust-here',
    type: 'switch',
    about: "Make this machine trust the server's authority, and end: the system's store and docker's",
  },
  { name: 'untrust-here', type: 'switch', about: 'Undo --trust-here, and end' },
  { name: 'yes', type: 'switch', about: 'Do not ask before --trust-here and --untrust-here' },
];

/** All flags of `signet serve`: one for each setting, and those that are not settings. */
export const SERVE_FLAGS: readonly Flag[] = [
  ...SETTING_NAMES.map(settingFlag),
  ...LOCATION_FLAGS,
  ...ACTION_FLAGS,
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Printed in the help after the flags. */
export const SETTINGS_NOTES = `Options also come from the settings file (--token-lifetime is "tokenLifetime" there) and from the environment
(SIGNET_TOKEN_LIFETIME). ${listNames()} are arrays in the file and have commas in the environment.
An option goes before the environment, the environment before the file.`;

/** The settings given on the command line, as text, by flag name. */
export function givenSettings(parsed: ParsedCommand): ReadonlyMap<string, readonly string[]> {
  const flags = SETTING_NAMES.map(flagOf);
  return new Map(flags.flatMap((flag) => (parsed.values(flag).length === 0 ? [] : [[flag, parsed.values(flag)]])));
}

function settingFlag(name: SettingName): Flag {
  const { type, help }: { type: SettingType<unknown>; help: string } = SETTINGS[name];
  const shown = type.show(SETTINGS[name].default);
  return {
    name: flagOf(name),
    type: type.several ? 'list' : 'value',
    word: type.argument,
    takes: takenBy(type.argument),
    about: `${help}${type.several ? ', may be repeated' : ''}`,
    ...(shown === '' ? {} : { default: shown }),
  };
}

/** If the argument's name is a list of lower-case words, those are the only values of the setting. `FILE` is a file. */
function takenBy(argument: string): Takes {
  const words = argument.split('|');
  if (words.includes('FILE')) return 'file';
  return words.every((word) => /^[a-z]+$/.test(word)) ? words : 'text';
}

function listNames(): string {
  const several = SETTING_NAMES.filter((name) => SETTINGS[name].type.several);
  return several.map((name) => `"${name}"`).join(', ');
}
