import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readSettings, type SettingSources } from '../settings/read-settings.ts';
import type { Settings } from '../settings/settings.ts';
import { dataFolder } from './data-folder.ts';

/** What a command line says of settings. */
interface SettingFlags extends Pick<SettingSources, 'flags'> {
  /** The settings file that it names. */
  readonly config?: string | undefined;
}

/**
 * The settings of the server with this data folder, for every command that works on it: flags, the environment, and the
 * file that a flag or `$SIGNET_CONFIG` names, or else `signet.json` of the folder. Throws what `readSettings` throws.
 */
export function settingsOf(data: string, { flags = new Map(), config }: SettingFlags = {}): Settings {
  const folder = process.cwd();
  const chosen = config ?? (process.env.SIGNET_CONFIG || undefined);
  const usual = dataFolder(data).settings;
  const file = chosen === undefined ? (existsSync(usual) ? usual : undefined) : resolve(folder, chosen);
  return readSettings({ flags, environment: process.env, file, folder });
}
