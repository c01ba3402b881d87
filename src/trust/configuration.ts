import { SignetError } from '../core/errors/index.ts';
import { Fields } from '../core/json/fields.ts';
import { type JsonValue, parseJson } from '../core/json/parse.ts';
import { parseKeyId } from '../core/names/key-id.ts';
import { namesRegistry, parseReference, type Reference } from '../core/names/reference.ts';
import type { Pinning } from '../core/pinning.ts';
import { type RegistrySettings, registryEndpoints, registryMirrors } from '../remote/registry-endpoints.ts';
import { parseServerAddress } from '../remote/server-address.ts';

/** What Signet knows of one registry beyond docker's defaults. */
export interface RegistryConfiguration extends RegistrySettings {
  /** The trust server that speaks for the registry's images. */
  readonly trustServer?: string;
  /** Origins of token services, elsewhere, to which logins for the registry may be sent. */
  readonly tokenServices: readonly string[];
}

/** The client's settings: `signet.json` beside docker's own configuration. */
export interface Configuration {
  /** The registry that short names mean; `docker.io` where none is set. */
  readonly defaultRegistry: string | undefined;
  readonly registries: ReadonlyMap<string, RegistryConfiguration>;
  readonly pinning: Pinning;
}

export const NO_CONFIGURATION: Configuration = {
  defaultRegistry: undefined,
  registries: new Map(),
  pinning: { certs: new Map(), tofu: true },
};

/**
 * Parses `signet.json`. Unknown members are refused, as a mistyped one would silently not protect.
 * Throws `configuration-invalid`.
 */
export function parseConfiguration(bytes: Uint8Array, path: string): Configuration {
  try {
    const fields = new Fields(
      parseJson(bytes),
      'the file',
      ['defaultRegistry', 'registries', 'trustPinning'],
      'refuse',
    );
    return {
      defaultRegistry: readDefaultRegistry(fields.optionalString('defaultRegistry')),
      registries: new Map(
        [...fields.map('registries')].map(([host, value]) => [checkHost(host), readRegistry(host, value)]),
      ),
      pinning: readPinning(fields.raw('trustPinning')),
    };
  } catch (cause) {
    if (!(cause instanceof SignetError)) throw cause;
    throw new SignetError('configuration-invalid', `${path}: ${cause.message}`, { cause });
  }
}

/**
 * The reference that a typed name means. With a default registry, a name that gives no registry lies there:
 * `alice/app` directly, a single word below `library/`, as on Docker Hub.
 */
export function resolveName(text: string, { defaultRegistry }: Configuration): Reference {
  if (defaultRegistry === undefined || namesRegistry(text)) return parseReference(text);
  const { registry: _, ...onHub } = parseReference(text);
  return { registry: defaultRegistry, ...onHub };
}

function readDefaultRegistry(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : checkHost(text);
}

/** Checks a registry's host and optional port by docker's own grammar. */
export function checkHost(host: string): string {
  const { registry } = parseReference(`${host}/image`);
  if (registry !== host)
    throw new SignetError(
      'name-invalid',
      `${JSON.stringify(host)} is not a registry's host name; write HOST or HOST:PORT`,
    );
  return host;
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

function readPinning(value: JsonValue | undefined): Pinning {
  if (value === undefined) return NO_CONFIGURATION.pinning;
  const fields = new Fields(value, 'trustPinning', ['certs', 'disableTofu'], 'refuse');
  const certs = new Map([...fields.map('certs')].map(([pattern, ids]) => [pattern, readKeyIds(pattern, ids)]));
  return { certs, tofu: fields.raw('disableTofu') === undefined || !fields.boolean('disableTofu') };
}

function readKeyIds(pattern: string, value: JsonValue): ReturnType<typeof parseKeyId>[] {
  if (!Array.isArray(value))
    throw new SignetError('json-unexpected', `trustPinning: certs of ${pattern} is not an array of key IDs`);
  return value.map((id) => parseKeyId(typeof id === 'string' ? id : ''));
}
