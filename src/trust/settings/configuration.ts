import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { type JsonValue, parseJson } from '../../core/json/parse.ts';
import { looksLikeDockerHub, namesRegistry, parseReference, type Reference } from '../../core/names/reference.ts';
import { quoted } from '../../core/printable.ts';
import { type RegistrySettings, registryEndpoints, registryMirrors } from '../../remote/registry/registry-endpoints.ts';
import { parseServerAddress } from '../../remote/transport/server-address.ts';
import { DOCKERS_RULES, type ImageRules, readDigestRule, readExemptions } from '../decide/image-rules.ts';
import type { WhenUnreachable } from '../update/collection-source.ts';
import { type PassphrasePlaces, readPassphrasePlaces } from './passphrase-places.ts';
import { NO_PINS, type PinningSettings, parsePinning } from './pinning-settings.ts';

/** Settings of one registry beyond docker's own. */
interface RegistryConfiguration extends RegistrySettings {
  /** The trust server for the registry's images. */
  readonly trustServer?: string;
  /** Origins of token services on other hosts to which logins for the registry may be sent. */
  readonly tokenServices: readonly string[];
}

/**
 * The client's settings: `signet.json` next to docker's own configuration.
 *
 * @example
 * ```ts
 * import { type Configuration, openTrust } from 'signet';
 *
 * const { configuration }: { configuration: Configuration } = await openTrust();
 * assert.equal(configuration.defaultRegistry, undefined);
 * ```
 */
export interface Configuration {
  /** The registry of names without one; `docker.io` by default. */
  readonly defaultRegistry: string | undefined;
  readonly registries: ReadonlyMap<string, RegistryConfiguration>;
  /** The root keys that repositories may have. `readPinning` reads the files that it names. */
  readonly pinning: PinningSettings;
  /** Where passphrases of keys can be read, so that no one has to be asked. */
  readonly passphrases: PassphrasePlaces;
  /** What reading does if a trust server is unreachable. */
  readonly whenUnreachable: WhenUnreachable;
  /** What images need besides a signed tag, and which need no signature. */
  readonly images: ImageRules;
  /** The file of tags whose digests are frozen; `readConfiguration` reads it into `images`. */
  readonly frozen: string | undefined;
  /** What happens, while trust is on, to docker commands that Signet does not enforce. */
  readonly uncovered: Uncovered;
}

/** `refuse` them, or `warn` and pass them to docker. */
type Uncovered = (typeof UNCOVERED)[number];
const UNCOVERED = ['refuse', 'warn'] as const;

const MEMBERS: readonly string[] = [
  'defaultRegistry',
  'digests',
  'exempt',
  'frozen',
  'passphrases',
  'registries',
  'trustPinning',
  'uncovered',
  'whenUnreachable',
];

export const NO_CONFIGURATION: Configuration = {
  defaultRegistry: undefined,
  registries: new Map(),
  pinning: NO_PINS,
  passphrases: new Map(),
  whenUnreachable: 'cache',
  images: DOCKERS_RULES,
  frozen: undefined,
  uncovered: 'refuse',
};

/**
 * Parses `signet.json`, whose path is `path`. Unknown members are refused, because a mistyped one would silently not
 * protect. Throws `configuration-invalid`.
 */
export function parseConfiguration(bytes: Uint8Array, path: string): Configuration {
  try {
    const fields = new Fields(parseJson(bytes), 'the file', MEMBERS, 'refuse');
    const trustPinning = fields.raw('trustPinning');
    return {
      defaultRegistry: readDefaultRegistry(fields.optionalString('defaultRegistry')),
      registries: new Map(
        [...fields.map('registries')].map(([host, value]) => [checkHost(host), readRegistry(host, value)]),
      ),
      pinning: trustPinning === undefined ? NO_PINS : parsePinning(trustPinning, path),
      passphrases: readPassphrasePlaces(fields.map('passphrases')),
      whenUnreachable: readWhenUnreachable(fields.optionalString('whenUnreachable')),
      images: {
        digests: readDigestRule(fields.optionalString('digests')),
        exempt: readExemptions(fields.map('exempt')),
      },
      frozen: readFrozenPath(fields.optionalString('frozen')),
      uncovered: readUncovered(fields.optionalString('uncovered')),
    };
  } catch (cause) {
    throw isSignetError(cause) ? cause.within('configuration-invalid', `${path}: ${cause.message}`) : cause;
  }
}

/**
 * Resolves a typed name to a reference. With a default registry, names without a registry belong to it: `alice/app`
 * directly, a single word below `library/`, as on Docker Hub.
 *
 * @example
 * ```ts
 * import { formatReference, openTrust, resolveName } from 'signet';
 *
 * const { configuration } = await openTrust({ env: { ...process.env, SIGNET_DEFAULT_REGISTRY: 'registry.example.com' } });
 * assert.equal(formatReference(resolveName('alice/app', configuration)), 'registry.example.com/alice/app');
 * ```
 */
export function resolveName(text: string, { defaultRegistry }: Configuration): Reference {
  if (defaultRegistry === undefined || namesRegistry(text)) return parseReference(text);
  const { registry: _, ...onHub } = parseReference(text);
  return { registry: defaultRegistry, ...onHub };
}

function readDefaultRegistry(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return checkHost(text);
  } catch (cause) {
    throw isSignetError(cause) ? cause.reworded(`defaultRegistry: ${cause.message}`) : cause;
  }
}

function readWhenUnreachable(text: string | undefined): WhenUnreachable {
  if (text === undefined || text === 'cache' || text === 'refuse') return text ?? NO_CONFIGURATION.whenUnreachable;
  throw new SignetError('json-unexpected', 'whenUnreachable is neither "cache" nor "refuse"');
}

function readFrozenPath(text: string | undefined): string | undefined {
  if (text === undefined || (text.trim() !== '' && !text.includes('\0'))) return text;
  throw new SignetError('json-unexpected', 'frozen is not the name of a file');
}

function readUncovered(text: string | undefined): Uncovered {
  const uncovered = text === undefined ? NO_CONFIGURATION.uncovered : UNCOVERED.find((known) => known === text);
  if (uncovered === undefined) throw new SignetError('json-unexpected', 'uncovered is neither "refuse" nor "warn"');
  return uncovered;
}

/** Checks a registry's host and optional port by docker's own grammar. Throws `name-invalid`. */
export function checkHost(host: string): string {
  if (registryIn(host) === host && !looksLikeDockerHub(host)) return host;
  throw new SignetError('name-invalid', `${quoted(host, 100)} is not a registry's host name; write HOST or HOST:PORT`);
}

function registryIn(host: string): string | undefined {
  try {
    return parseReference(`${host}/image`).registry;
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function readRegistry(host: string, value: JsonValue): RegistryConfiguration {
  const fields = new Fields(
    value,
    `registry ${host}`,
    ['trustServer', 'endpoint', 'mirrors', 'tokenServices'],
    'refuse',
  );
  const [trustServer, endpoint] = [fields.optionalString('trustServer'), fields.optionalString('endpoint')];
  const settings = {
    ...(trustServer === undefined ? {} : { trustServer: parseServerAddress(trustServer).href }),
    ...(endpoint === undefined ? {} : { endpoint }),
    mirrors: fields.strings('mirrors'),
    tokenServices: fields.strings('tokenServices').map((address) => parseServerAddress(address).origin),
  };
  registryEndpoints(host, settings);
  registryMirrors(settings);
  return settings;
}
