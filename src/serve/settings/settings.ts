import { parsePublicPattern } from '../../accounts/identity/grants.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { GunPrefixes } from '../../notary/http/gun-prefixes.ts';
import {
  address,
  databaseUrl,
  duration,
  hostNames,
  oneOf,
  onOff,
  optional,
  path,
  pathOr,
  paths,
  realm,
  type SettingType,
  size,
  texts,
  type ValueOf,
  wholeNumber,
  word,
} from './setting-types.ts';

interface Setting<T> {
  readonly type: SettingType<T>;
  readonly default: T;
  /** One or two sentences for help texts and the documentation, without the type's allowed values. */
  readonly help: string;
  /** The flag where it is not the name in kebab case. */
  readonly flag?: string;
}

/**
 * Every setting of `signet serve`, once. From this table come `signet.json` (the names), the environment variables
 * (`tlsKey` is SIGNET_TLS_KEY), the flags (`--tls-key`), the help text and the documentation.
 */
export const SETTINGS = {
  listen: setting(
    address,
    { host: 'localhost', port: 5000 },
    'Address to listen on. localhost is 127.0.0.1 and [::1]; 0.0.0.0 takes [::1] as well',
  ),
  names: {
    ...setting(hostNames, [], 'Names under which other machines reach this server'),
    flag: 'name',
  },
  tls: setting(onOff, true, 'HTTPS. Off is for a TLS-terminating proxy on the same machine'),
  tlsCertificate: setting(
    optional(path),
    undefined,
    'PEM certificate chain to use instead of one from the local authority',
  ),
  tlsKey: setting(optional(path), undefined, 'PEM private key of --tls-certificate'),
  behindProxy: setting(
    onOff,
    false,
    'A TLS-terminating proxy is in front: clients use https, X-Forwarded-For is believed',
  ),

  database: setting(
    optional(databaseUrl),
    undefined,
    'Database of everything but blobs and key files: sqlite:PATH, postgres://USER@HOST/NAME, mysql://USER@HOST/NAME; signet.db of the data folder if absent. A URL with a password goes into the variable or into a file',
  ),
  databaseFile: setting(optional(path), undefined, 'File that holds the URL of --database'),
  databasePool: setting(wholeNumber(1, 1000), 10, 'Connections to a database server at most'),
  databaseTimeout: setting(
    duration('1s', '10m'),
    30,
    'How long one statement of a database server, and the wait for a free connection, may take',
  ),
  signerDatabase: setting(
    optional(databaseUrl),
    undefined,
    'Database of a notary-signer whose keys go on; that of --database if absent, where it has such keys',
  ),
  signerDatabaseFile: setting(optional(path), undefined, 'File that holds the URL of --signer-database'),
  signerPassphrases: setting(
    optional(path),
    undefined,
    'File with the passphrases of its keys, NOTARY_SIGNER_ALIAS=PASSPHRASE in each line; the environment goes before it',
  ),

  auth: setting(onOff, true, 'Accounts and tokens. Off lets everybody do everything'),
  publicPull: setting(
    texts('PATTERN', 'repositories such as team/app, team/* or *', isPublicPattern),
    [],
    'Repositories that everybody may pull',
  ),
  service: setting(word, 'signet', 'Name of the token service; the same for all replicas'),
  tokenLifetime: setting(duration('60s', '1h'), 300, 'How long an access token is valid'),
  tokenIssuer: setting(
    optional(word),
    undefined,
    'Another issuer whose tokens the server takes, as a notary-server behind Harbor does: the `iss` of its tokens',
  ),
  tokenIssuerService: setting(optional(word), undefined, 'The service its tokens are for: their `aud`'),
  tokenIssuerRealm: setting(optional(realm), undefined, 'Where clients get its tokens'),
  tokenIssuerKeys: setting(
    optional(path),
    undefined,
    'File with what its tokens are verified by: its certificate or public key in PEM, or a JWKS',
  ),
  masterKeyFile: setting(
    optional(path),
    undefined,
    'File with the key that seals the online signing keys (SIGNET_MASTER_KEY holds the key itself)',
  ),

  signer: setting(
    optional(address),
    undefined,
    'A Notary signer that holds the online signing keys, in place of this server',
  ),
  signerCa: setting(
    optional(path),
    undefined,
    'PEM certificates of the authorities of the signer; no others are trusted',
  ),
  signerCertificate: setting(optional(path), undefined, 'PEM certificate chain by which the signer knows this server'),
  signerKey: setting(optional(path), undefined, 'PEM private key of --signer-certificate'),
  signerWithoutCertificate: setting(
    onOff,
    false,
    'Work with a signer that asks for no certificate: anyone who can reach it can sign with its keys',
  ),

  gunPrefixes: {
    ...setting(
      texts('PREFIX/', 'beginnings of repository names such as registry.example.com/team/', isGunPrefix),
      [],
      'Repositories that the trust server takes, by the beginnings of their names; all where none is given',
    ),
    flag: 'gun-prefix',
  },
  mirror: setting(
    paths,
    [],
    'Serve copies of trust data (signet trust export), or folders of them, instead of trust data of its own: read-only, without a key',
  ),
  currentMaxAge: setting(duration('0s', '365d'), 300, 'How long clients may cache current trust data; 0 forbids it'),
  consistentMaxAge: setting(
    duration('0s', '365d'),
    2_592_000,
    'How long clients may cache trust data named by version or checksum; 0 forbids it',
  ),
  maxPublish: setting(size('1KiB', '64MiB'), LIMITS.upload, 'Size of one publish of trust data'),
  maxBlob: setting(size('1MiB', '16TiB'), 64 * 2 ** 30, 'Size of one blob in the registry'),
  maxUploads: setting(
    wholeNumber(1, 1_000_000),
    1000,
    'Uploads that one user, or one address without a user, may have open',
  ),
  gcInterval: setting(duration('0s', '20d'), 86_400, 'Time between two collections of unused blobs; 0 turns them off'),
  uploadExpiry: setting(
    duration('1m', '365d'),
    86_400,
    'How long an upload that nobody finishes is kept after its last byte',
  ),
  gcGrace: setting(duration('1m', '365d'), 86_400, 'How long an unused blob is kept'),

  logLevel: setting(oneOf('debug', 'info', 'warning', 'error'), 'info', 'Least level that is logged'),
  logFormat: setting(oneOf('auto', 'text', 'json'), 'auto', 'Form of the log; auto is text on a terminal, else json'),
  accessLog: setting(pathOr('off', 'stderr'), 'off', 'Where requests are logged'),
  metrics: setting(
    oneOf('open', 'local', 'admin'),
    'open',
    'Who may read /metrics: everyone, clients on this machine, or administrators',
  ),

  maxRequests: setting(
    wholeNumber(1, 1_000_000),
    1024,
    'Requests in progress at one time; one network has half of them at most',
  ),
  idleTimeout: setting(
    duration('1s', '255s'),
    120,
    'How long a connection may be silent, or take to send 16 KiB of a request',
  ),
  shutdownGrace: setting(duration('0s', '1h'), 30, 'How long running requests may take to end when the server stops'),
} as const;

export type SettingName = keyof typeof SETTINGS;

/** The values of all settings, checked one by one and together. */
export type Settings = { readonly [Name in SettingName]: ValueOf<(typeof SETTINGS)[Name]['type']> };

export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[];

/** The environment variable of a setting: SIGNET_TLS_KEY. */
export function variableOf(name: SettingName): string {
  return `SIGNET_${words(name).join('_').toUpperCase()}`;
}

/** The flag of a setting, without its dashes: `tls-key`. */
export function flagOf(name: SettingName): string {
  const { flag }: Setting<unknown> = SETTINGS[name];
  return flag ?? words(name).join('-');
}

function setting<T>(type: SettingType<T>, value: T, help: string): Setting<T> {
  return { type, default: value, help };
}

function words(name: SettingName): readonly string[] {
  return name.split(/(?=[A-Z])/).map((part) => part.toLowerCase());
}

function isPublicPattern(text: string): boolean {
  return succeeds(() => parsePublicPattern(text));
}

function isGunPrefix(text: string): boolean {
  return succeeds(() => new GunPrefixes([text]));
}

function succeeds(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (isSignetError(error)) return false;
    throw error;
  }
}
