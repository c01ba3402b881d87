import { dirname } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { type JsonValue, parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import { quoted } from '../../core/printable.ts';
import type { Environment } from '../../core/variables.ts';
import { readSmallFile } from '../../store/files.ts';
import { checkVariables } from './check-variables.ts';
import { isLoopbackHost } from './host-name.ts';
import type { SettingType } from './setting-types.ts';
import { flagOf, SETTING_NAMES, SETTINGS, type SettingName, type Settings, variableOf } from './settings.ts';

/** Where settings come from. A flag goes before a variable, a variable before the file, the file before the default. */
export interface SettingSources {
  /** Texts by flag name without dashes, in the order given. */
  readonly flags?: ReadonlyMap<string, readonly string[]>;
  readonly environment?: Environment;
  /** Path of the settings file. */
  readonly file?: string | undefined;
  /** Where relative paths of flags and variables begin. */
  readonly folder: string;
}

/**
 * Reads and checks all settings, and that no variable is mistyped. Throws `setting-unknown`, `setting-invalid`, `settings-conflict` or
 * `settings-unreadable`; messages name the setting, where it was set and what is allowed.
 */
export function readSettings({ flags, environment, file, folder }: SettingSources): Settings {
  checkVariables(environment ?? {});
  const written = file === undefined ? undefined : readFile(file);
  const read = (name: SettingName): unknown => {
    const type: SettingType<unknown> = SETTINGS[name].type;
    const given = flags?.get(flagOf(name));
    if (given !== undefined) return readTexts(type, name, `--${flagOf(name)}`, given, folder);
    const variable = environment?.[variableOf(name)] ?? '';
    if (variable !== '') return readTexts(type, name, variableOf(name), textsOfVariable(type, variable), folder);
    const member = written?.raw(name);
    if (file === undefined || member === undefined) return SETTINGS[name].default;
    return readTexts(type, name, file, textsOfMember(type, member), dirname(file));
  };
  const settings = Object.fromEntries(SETTING_NAMES.map((name) => [name, read(name)])) as Settings;
  checkTogether(settings);
  return settings;
}

function readFile(file: string): Fields {
  const json = parseFile(file);
  const members = json instanceof Map ? [...json.keys()] : [];
  const unknown = members.find((name) => !(SETTING_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new SignetError(
      'setting-unknown',
      `unknown setting ${quoted(unknown, 100)} in ${file}; known are ${SETTING_NAMES.join(', ')}`,
    );
  }
  return new Fields(json, `the settings file ${file}`, SETTING_NAMES, 'refuse');
}

function parseFile(file: string): JsonValue {
  try {
    const bytes = readSmallFile(file, LIMITS.configFile, true);
    if (bytes === undefined) throw new Error('there is no such file');
    return parseJson(bytes);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignetError('settings-unreadable', `cannot read the settings file ${file}: ${why}`, { cause });
  }
}

function textsOfVariable(type: SettingType<unknown>, text: string): readonly string[] {
  return type.several ? text.split(',').map((item) => item.trim()) : [text];
}

/** The texts of a JSON value; undefined if its type cannot be that of the setting. */
function textsOfMember(type: SettingType<unknown>, value: JsonValue): readonly string[] | undefined {
  const items = type.several ? value : [value];
  if (!Array.isArray(items)) return undefined;
  const isScalar = (item: JsonValue) =>
    typeof item === 'string' || typeof item === 'number' || typeof item === 'boolean';
  return items.every(isScalar) ? items.map(String) : undefined;
}

function readTexts(
  type: SettingType<unknown>,
  name: SettingName,
  source: string,
  texts: readonly string[] | undefined,
  folder: string,
): unknown {
  const value = texts === undefined ? undefined : readValue(type, name, source, texts, folder);
  if (value !== undefined && source.startsWith('--') && type.isSecret?.(value) === true) {
    throw new SignetError('setting-invalid', `${source} has a password, and every user of the machine can read flags`, {
      detail: { setting: name },
      next: `Put the URL into ${variableOf(name)}, or into a file: ${source}-file FILE`,
    });
  }
  if (value !== undefined) return value;
  const got = texts === undefined || type.isSecret !== undefined ? '' : `, got ${quoted(texts.join(','), 200)}`;
  throw new SignetError('setting-invalid', `setting ${name} (${source}) must be ${type.expects}${got}`, {
    detail: { setting: name },
  });
}

/** A type that knows more than "not allowed" says so by an error. */
function readValue(
  type: SettingType<unknown>,
  name: SettingName,
  source: string,
  texts: readonly string[],
  folder: string,
): unknown {
  try {
    return type.read(texts, folder);
  } catch (cause) {
    if (!(cause instanceof SignetError)) throw cause;
    throw new SignetError('setting-invalid', `setting ${name} (${source}) must be ${type.expects}: ${cause.message}`, {
      cause,
      detail: { setting: name },
      ...(cause.next !== undefined && { next: cause.next }),
    });
  }
}

/** What no setting shows alone. */
function checkTogether(settings: Settings): void {
  const { tls, tlsCertificate, tlsKey, behindProxy, listen, database, databaseFile } = settings;
  if (database !== undefined && databaseFile !== undefined) {
    conflict('database and databaseFile name a database each', 'Leave out one of them.');
  }
  if (settings.signerDatabase !== undefined && settings.signerDatabaseFile !== undefined) {
    conflict('signerDatabase and signerDatabaseFile name a database each', 'Leave out one of them.');
  }
  const issuer = [
    settings.tokenIssuer,
    settings.tokenIssuerService,
    settings.tokenIssuerRealm,
    settings.tokenIssuerKeys,
  ];
  const given = issuer.filter((part) => part !== undefined).length;
  if (given !== 0 && given !== issuer.length) {
    conflict(
      'tokenIssuer, tokenIssuerService, tokenIssuerRealm and tokenIssuerKeys must be set together',
      'Set all four as notary-server had them in its auth.options, or none.',
    );
  }
  if (given !== 0 && !settings.auth) {
    conflict('with auth off no token is looked at, so tokenIssuer has no use', 'Leave out one of them.');
  }
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    conflict('tlsCertificate and tlsKey must be set together', 'Set both, or neither to use the local authority.');
  }
  if (!tls && tlsCertificate !== undefined) {
    conflict('tls is off, but tlsCertificate is set', 'Leave out one of them.');
  }
  if (!tls && !behindProxy && !isLoopbackHost(listen.host)) {
    conflict(
      `tls is off, but ${listen.host} can be reached from other machines`,
      'Listen on localhost, or set behindProxy if only a TLS-terminating proxy can reach this address.',
    );
  }
  checkSigner(settings);
}

function checkSigner(settings: Settings): void {
  const { signer, signerCa, signerCertificate, signerKey, signerWithoutCertificate } = settings;
  const isCertified = signerCertificate !== undefined;
  if (isCertified !== (signerKey !== undefined)) {
    conflict('signerCertificate and signerKey must be set together', 'Set both, or neither.');
  }
  if (signer === undefined) {
    if (signerCa === undefined && !isCertified && !signerWithoutCertificate) return;
    conflict('settings of a signer are set, but not the signer', 'Name it: --signer HOST:PORT');
  }
  if (settings.mirror.length > 0) {
    conflict('mirror and signer are both set, but a mirror signs nothing', 'Leave out one of them.');
  }
  if (settings.signerDatabase !== undefined || settings.signerDatabaseFile !== undefined) {
    conflict(
      'signer and signerDatabase are both set',
      'Use the signer, or its keys from its database: leave out one of them.',
    );
  }
  if (signerCa === undefined) {
    conflict('signer is set, but not signerCa', 'Name the file of its authority: --signer-ca FILE');
  }
  if (isCertified === signerWithoutCertificate) {
    conflict(
      isCertified
        ? 'signerCertificate and signerWithoutCertificate contradict each other'
        : 'signer is set, but no certificate by which it knows this server',
      isCertified
        ? 'Leave out one of them.'
        : 'Name one: --signer-certificate FILE --signer-key FILE. If the signer asks for none, say so: --signer-without-certificate on',
    );
  }
}

function conflict(message: string, next: string): never {
  throw new SignetError('settings-conflict', message, { next });
}
