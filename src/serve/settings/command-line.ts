import { resolve } from 'node:path';
import { shellWord } from '../../core/shell-word.ts';
import { parseDatabaseUrl } from '../../store/database-url.ts';
import type { SettingType } from './setting-types.ts';
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName, variableOf } from './settings.ts';

/** What a server was started with besides its data folder, for the commands that it tells people. */
export interface ServeCommandLine {
  /** The settings file that a flag or variable names, absolute. */
  readonly config: string | undefined;
  /** Texts by flag name without dashes, as they were given in the current folder. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

export const NO_COMMAND_LINE: ServeCommandLine = { config: undefined, flags: new Map() };

const DATABASE_SETTINGS = ['database', 'databaseFile'] as const satisfies readonly SettingName[];

/** Whether the command line itself says which database to use. */
export function namesDatabase({ flags }: ServeCommandLine): boolean {
  return DATABASE_SETTINGS.some((name) => flags.has(flagOf(name)));
}

/** `--config FILE`, if there is one. */
export function configWords({ config }: ServeCommandLine): readonly string[] {
  return config === undefined ? [] : [`--config ${shellWord(config)}`];
}

/** The settings of the command line as words of a shell that mean the same in every folder, but for those `without`. */
export function settingWords(line: ServeCommandLine, ...without: readonly SettingName[]): readonly string[] {
  const names = SETTING_NAMES.filter((name) => !without.includes(name));
  return names.flatMap((name) => textsOf(line, name).map((text) => `--${flagOf(name)} ${shellWord(text)}`));
}

/**
 * What goes before a `signet user` command, which takes no flags for settings, so that it finds the database of the server:
 * variables, and a blank after each.
 */
export function variablesForUser(line: ServeCommandLine): string {
  const database = DATABASE_SETTINGS.flatMap((name) => textsOf(line, name).map((text) => [variableOf(name), text]));
  const variables = line.config === undefined ? database : [['SIGNET_CONFIG', line.config], ...database];
  return variables.map(([name = '', text = '']) => `${name}=${shellWord(text)} `).join('');
}

function textsOf({ flags }: ServeCommandLine, name: SettingName): readonly string[] {
  const texts = flags.get(flagOf(name)) ?? [];
  const type: SettingType<unknown> = SETTINGS[name].type;
  // Of one that takes a single value, the last counts.
  return (type.several ? texts : texts.slice(-1)).map((text) => absolute(type, name, text));
}

/** With its path, if it is one, from the root. */
function absolute(type: SettingType<unknown>, name: SettingName, text: string): string {
  if (name === 'database') {
    const url = parseDatabaseUrl(text);
    return url.kind === 'sqlite' ? `sqlite:${resolve(url.path)}` : text;
  }
  const value = [type.read([text], process.cwd())].flat()[0];
  return typeof value === 'string' ? value : text;
}
