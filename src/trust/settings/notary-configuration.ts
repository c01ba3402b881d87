import { dirname, join, resolve } from 'node:path';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { type JsonObject, type JsonValue, parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseGun } from '../../core/names/gun.ts';
import { isKeyId } from '../../core/names/key-id.ts';
import { quoted } from '../../core/printable.ts';
import { parseServerAddress } from '../../remote/transport/server-address.ts';
import { readSmallFile } from '../../store/files.ts';
import { neededHome } from '../../store/home.ts';
import { NO_PINS, type PinningSettings } from './pinning-settings.ts';

/** The settings of a notary client: its `config.json` (protocol E.1.1). All paths are absolute. */
interface NotaryConfiguration {
  /** The folder of keys and trusted metadata; `~/.notary` by default. */
  readonly trustDir: string;
  readonly server: URL | undefined;
  readonly tls: {
    /** PEM authorities to trust instead of the system's. */
    readonly ca: string | undefined;
    /** PEM client certificate and key: both or neither. */
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
  /** For `readPinning`. */
  readonly pinning: PinningSettings;
}

/**
 * Reads a notary client's `config.json`; undefined if there is none. As in Notary, member names are case-insensitive
 * and unknown ones are ignored, except in `trust_pinning`, where a mistyped one would silently not protect. Throws
 * `configuration-invalid`, or why the file cannot be read.
 */
export async function readNotaryConfiguration(path: string): Promise<NotaryConfiguration | undefined> {
  const bytes = readSmallFile(path, LIMITS.configFile, true);
  if (bytes === undefined) return undefined;
  try {
    return parseNotaryConfiguration(bytes, resolve(path));
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('configuration-invalid', `${path}: ${cause.message}`, {
      ...(cause.next === undefined ? {} : { next: cause.next }),
    });
  }
}

function parseNotaryConfiguration(bytes: Buffer, path: string): NotaryConfiguration {
  const fields = fieldsOf(parseJson(bytes), 'the file', ['trust_dir', 'remote_server', 'trust_pinning'], 'ignore');
  const remote = fields.raw('remote_server');
  const pinning = fields.raw('trust_pinning');
  return {
    trustDir: trustFolder(fields.optionalString('trust_dir') || '~/.notary'),
    ...readRemote(remote ?? new Map(), dirname(path)),
    pinning: pinning === undefined ? NO_PINS : readPins(pinning),
  };
}

function readRemote(value: JsonValue, folder: string): Pick<NotaryConfiguration, 'server' | 'tls'> {
  const known = ['url', 'root_ca', 'tls_client_cert', 'tls_client_key', 'skiptlsverify'];
  const remote = fieldsOf(value, 'remote_server', known, 'ignore');
  if (remote.raw('skiptlsverify') !== undefined && remote.boolean('skiptlsverify')) {
    throw new SignetError('configuration-invalid', 'remote_server: skipTLSVerify is true, and Signet always verifies', {
      next: "Name the file of the server's authority in remote_server.root_ca instead.",
    });
  }
  const path = (name: string) => {
    const given = remote.optionalString(name);
    return given ? resolve(folder, given) : undefined;
  };
  const [ca, cert, key] = [path('root_ca'), path('tls_client_cert'), path('tls_client_key')];
  if ((cert === undefined) !== (key === undefined))
    throw invalid('remote_server: either pass both client key and cert, or neither');
  const url = remote.optionalString('url');
  return { server: url ? parseServerAddress(url) : undefined, tls: { ca, cert, key } };
}

function readPins(value: JsonValue): PinningSettings {
  const fields = fieldsOf(value, 'trust_pinning', ['certs', 'ca', 'disable_tofu'], 'refuse');
  const isDecided = fields.raw('disable_tofu') !== undefined;
  return {
    certs: new Map([...fields.map('certs')].map(([pattern, ids]) => [checkPattern(pattern), readKeyIds(pattern, ids)])),
    ca: new Map([...fields.map('ca')].map(([prefix, path]) => [checkPrefix(prefix), readPath(prefix, path)])),
    tofu: isDecided ? (fields.boolean('disable_tofu') ? 'off' : 'on') : undefined,
  };
}

function readKeyIds(pattern: string, value: JsonValue): readonly string[] {
  const isList = Array.isArray(value) && value.length > 0;
  if (isList && value.every((id): id is string => typeof id === 'string' && isKeyId(id))) return value;
  throw invalid(`invalid format for trust_pinning.certs: ${quoted(pattern)} has no list of key IDs`);
}

/** Relative to the working folder, unlike the paths of `remote_server`: Notary resolves it that way. */
function readPath(prefix: string, value: JsonValue): string {
  if (typeof value === 'string' && value !== '') return resolve(value);
  throw invalid(`trust_pinning: ca of ${quoted(prefix)} is not the path of a file`);
}

/** A Notary collection may have any name that is a GUN, not only an image's. */
function checkPattern(pattern: string): string {
  return pattern.endsWith('*') ? checkPrefix(pattern.slice(0, -1), pattern) : checkPrefix(pattern, pattern, ['']);
}

function checkPrefix(prefix: string, pattern = prefix, completions: readonly string[] = ['', 'x']): string {
  if (completions.some((rest) => isGun(prefix + rest))) return pattern;
  throw invalid(`trust_pinning: no collection has the name ${quoted(pattern, 300)}`);
}

function isGun(text: string): boolean {
  try {
    parseGun(text);
    return true;
  } catch {
    return false;
  }
}

function trustFolder(text: string): string {
  return /^~(?:\/|$)/.test(text) ? join(neededHome(process.env), text.slice(1)) : resolve(text);
}

/** The members of an object, with names in lower case. Nested names are unchanged: they are GUNs. */
function fieldsOf(value: JsonValue, what: string, known: readonly string[], others: 'refuse' | 'ignore'): Fields {
  if (!(value instanceof Map)) throw invalid(`${what} is not a JSON object`);
  const members: JsonObject = new Map([...value].map(([name, member]) => [name.toLowerCase(), member]));
  if (members.size < value.size) throw invalid(`${what} has a member twice, in upper and lower case`);
  return new Fields(members, what, known, others);
}

function invalid(why: string): SignetError {
  return new SignetError('configuration-invalid', why);
}
