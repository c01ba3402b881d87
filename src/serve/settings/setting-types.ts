import { resolve } from 'node:path';
import { type DatabaseUrl, formatDatabaseUrl, parseDatabaseUrl } from '../../store/database-url.ts';
import { type Address, formatHostName, type HostName, parseHostName } from './host-name.ts';

/** How the text of one setting becomes a value. */
export interface SettingType<T> {
  /** Stands for the value in help texts, such as `HOST:PORT`. */
  readonly argument: string;
  /** The allowed values, completing "must be …". */
  readonly expects: string;
  /** Whether the setting takes several values: a JSON array, a comma-separated variable, a repeated flag. */
  readonly several: boolean;
  /** Reads the texts of one source; `folder` is where its relative paths begin. Undefined if not allowed. */
  read(texts: readonly string[], folder: string): T | undefined;
  /** The value as help texts show it; empty if there is nothing to show. */
  show(value: T): string;
  /**
   * Whether a value holds a secret. Types that have this are never quoted in messages, and such a value is refused as a
   * flag, which every user of the machine can read.
   */
  isSecret?(value: T): boolean;
}

/** The value of a type: `ValueOf<typeof port>` is a number. */
export type ValueOf<Type> = Type extends SettingType<infer T> ? T : never;

interface Scalar<T> {
  readonly argument: string;
  readonly expects: string;
  read(text: string, folder: string): T | undefined;
  show?(value: T): string;
}

function scalar<T>({ argument, expects, read, show }: Scalar<T>): SettingType<T> {
  return {
    argument,
    expects,
    several: false,
    read: (texts, folder) => {
      const text = texts.at(-1);
      return text === undefined ? undefined : read(text, folder);
    },
    show: show ?? String,
  };
}

/** Several values, each read on its own; one that is not allowed refuses them all. */
function listOf<T>({ argument, expects, read, show }: Scalar<T>): SettingType<readonly T[]> {
  return {
    argument,
    expects: `a list of ${expects}`,
    several: true,
    read: (texts, folder) => {
      const values = texts.map((text) => read(text, folder));
      return values.every((value) => value !== undefined) ? values : undefined;
    },
    show: (values) => values.map(show ?? String).join(','),
  };
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(...words: Words): SettingType<Words[number]> {
  return scalar({
    argument: words.join('|'),
    expects: `one of ${words.join(', ')}`,
    read: (text) => words.find((word) => word === text),
  });
}

const ON = ['on', 'true'];
const OFF = ['off', 'false'];

export const onOff: SettingType<boolean> = scalar({
  argument: 'on|off',
  expects: 'on or off',
  read: (text) => (ON.includes(text) ? true : OFF.includes(text) ? false : undefined),
  show: (value) => (value ? 'on' : 'off'),
});

/** An address to listen on: the port is always given. */
export const address: SettingType<Address> = scalar<Address>({
  argument: 'HOST:PORT',
  expects: 'HOST:PORT such as localhost:5000, 0.0.0.0:5000 or [::1]:5000',
  read: (text) => {
    const { host, port } = parseHostName(text) ?? {};
    return host === undefined || port === undefined ? undefined : { host, port };
  },
  show: formatHostName,
});

export const hostNames: SettingType<readonly HostName[]> = listOf({
  argument: 'HOST[:PORT]',
  expects: 'names such as registry.example.com or 192.0.2.7:5000',
  read: parseHostName,
  show: formatHostName,
});

/** A file, relative to the settings file that names it, or to the current folder. */
export const path: SettingType<string> = scalar({
  argument: 'FILE',
  expects: 'a file',
  read: (text, folder) => (isPath(text) ? resolve(folder, text) : undefined),
});

/** Files or folders, as `path` reads them. */
export const paths: SettingType<readonly string[]> = listOf({
  argument: 'PATH',
  expects: 'files or folders',
  read: (text, folder) => (isPath(text) ? resolve(folder, text) : undefined),
});

/** `path`, or one of a few words in its place. */
export function pathOr<const Words extends readonly string[]>(...words: Words): SettingType<string> {
  return scalar({
    argument: [...words, 'FILE'].join('|'),
    expects: `${words.join(', ')} or a file`,
    read: (text, folder) => {
      if (words.includes(text)) return text;
      return isPath(text) ? resolve(folder, text) : undefined;
    },
  });
}

/** A word of letters, digits and `.:_/-`, such as the name of a token service. */
export const word: SettingType<string> = scalar({
  argument: 'NAME',
  expects: 'a name of 1 to 100 letters, digits and . : _ / -',
  read: (text) => (/^[A-Za-z0-9.:_/-]{1,100}$/.test(text) ? text : undefined),
});

/** Where a token service is, as its challenge gives it. */
export const realm: SettingType<string> = scalar({
  argument: 'URL',
  expects: 'a URL of http:// or https:// without quotes, user and fragment',
  read: (text) => {
    const url = /^https?:\/\/[^\s"\\#@]+$/.test(text) && text.length <= 1000 ? URL.parse(text) : null;
    return url === null ? undefined : text;
  },
});

/** A setting that is a whole number from `lowest` to `highest`. */
export function wholeNumber(lowest: number, highest: number): SettingType<number> {
  return scalar({
    argument: 'NUMBER',
    expects: `a whole number from ${lowest} to ${highest}`,
    read: (text) => within(readInteger(text), lowest, highest),
  });
}

const SECONDS_IN = new Map([
  ['', 1],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** A length of time in seconds: `90`, `90s`, `15m`, `12h`, `7d`. */
export function duration(lowest: string, highest: string): SettingType<number> {
  const [least, most] = [readSeconds(lowest), readSeconds(highest)];
  return scalar({
    argument: 'TIME',
    expects: `a time from ${lowest} to ${highest}, such as 90s, 15m, 12h or 7d`,
    read: (text) => within(readSeconds(text), least ?? 0, most ?? 0),
    show: showSeconds,
  });
}

const BYTES_IN = new Map([
  ['', 1],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

/** A number of bytes: `65536`, `64MiB`, `20GiB`. */
export function size(lowest: string, highest: string): SettingType<number> {
  const [least, most] = [readBytes(lowest), readBytes(highest)];
  return scalar({
    argument: 'SIZE',
    expects: `a size from ${lowest} to ${highest}, such as 65536, 64MiB or 20GiB`,
    read: (text) => within(readBytes(text), least ?? 0, most ?? 0),
    show: showBytes,
  });
}

/** Where a database is. A path is relative to the settings file that names it, or to the current folder. */
export const databaseUrl: SettingType<DatabaseUrl> = {
  ...scalar<DatabaseUrl>({
    argument: 'URL',
    expects: 'sqlite:PATH, postgres://… or mysql://…',
    read: (text, folder) => {
      const url = parseDatabaseUrl(text);
      return url.kind === 'sqlite' ? { ...url, path: resolve(folder, url.path) } : url;
    },
    show: formatDatabaseUrl,
  }),
  isSecret: (url) => url.kind === 'server' && url.revealPassword() !== '',
};

/** Texts that another part checks: `check` says whether it takes one. */
export function texts(argument: string, expects: string, check: (text: string) => boolean) {
  return listOf<string>({ argument, expects, read: (text) => (check(text) ? text : undefined) });
}

/** A type whose setting may be left out. */
export function optional<T>(type: SettingType<T>): SettingType<T | undefined> {
  return { ...type, show: (value) => (value === undefined ? '' : type.show(value)) } as SettingType<T | undefined>;
}

/** Whether a text names a file or folder: not if it is empty, blank, or what no system takes. */
export function isPath(text: string): boolean {
  return text.trim() !== '' && !text.includes('\0');
}

function readInteger(text: string): number | undefined {
  return /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

function readSeconds(text: string): number | undefined {
  return readWithUnit(text, SECONDS_IN);
}

function readBytes(text: string): number | undefined {
  return readWithUnit(text, BYTES_IN);
}

function readWithUnit(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, digits, unit] = /^([0-9]{1,15})([A-Za-z]{0,3})$/.exec(text) ?? [];
  const factor = units.get(unit ?? '?');
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

function within(value: number | undefined, lowest: number, highest: number): number | undefined {
  return value !== undefined && value >= lowest && value <= highest ? value : undefined;
}

function showSeconds(seconds: number): string {
  return showWithUnit(seconds, SECONDS_IN);
}

function showBytes(bytes: number): string {
  return showWithUnit(bytes, BYTES_IN);
}

/** In the largest unit that divides the value. */
function showWithUnit(value: number, units: ReadonlyMap<string, number>): string {
  const [unit, factor] = [...units].findLast(([, factor]) => value > 0 && value % factor === 0) ?? ['', 1];
  return `${value / factor}${unit}`;
}
