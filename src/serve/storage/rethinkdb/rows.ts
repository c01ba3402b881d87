import { createHash } from 'node:crypto';
import { decodeBase64AsGo } from '../../../core/base64.ts';
import { SignetError } from '../../../core/errors/index.ts';
import type { JsonObject, JsonValue } from '../../../core/json/parse.ts';
import { LIMITS } from '../../../core/limits.ts';
import { type Gun, parseGun } from '../../../core/names/gun.ts';
import { isKeyId, type KeyId } from '../../../core/names/key-id.ts';
import { parseRole, type RoleName } from '../../../core/names/role.ts';
import { quoted } from '../../../core/printable.ts';
import { type Instant, SECOND } from '../../../core/time.ts';

/** What every row has. */
interface DumpedRow {
  /** Undefined if there is none. */
  readonly createdAt: Instant | undefined;
}

/** A row of `tuf_files`. */
export interface DumpedFile extends DumpedRow {
  readonly gun: Gun;
  readonly role: RoleName;
  readonly version: number;
  readonly sha256: string;
  readonly data: Buffer;
}

/** A row of `changefeed`. */
export interface DumpedChange extends DumpedRow {
  readonly id: string;
  readonly gun: Gun;
  readonly version: number;
  /** Empty for a deletion. */
  readonly sha256: string;
  readonly category: 'update' | 'deletion';
}

/** A row of `private_keys`. */
export interface DumpedKey extends DumpedRow {
  readonly id: KeyId;
  readonly encryption: string;
  readonly wrapping: string;
  readonly algorithm: string;
  readonly alias: string;
  readonly publicBytes: Buffer;
  /** As the signer has encrypted it. */
  readonly encrypted: Buffer;
  readonly gun: string;
  readonly role: string;
  readonly lastUsed: Instant | undefined;
}

/** The widest number that Notary's columns take. */
const MAX_INTEGER = 2 ** 31 - 1;
/** Seconds of `0001-01-01`, which Go writes for no time (protocol B.12.5). */
const NO_TIME = -62_135_596_800;
/** The last second that a `timestamp` of MySQL has. */
const LAST_SECOND = 2 ** 31 - 1;
const NAME = 255;
const SHORT_NAME = 50;
/** Bytes of a `blob` of MySQL. */
const MAX_KEY = 65_535;
const SHA256 = /^[0-9a-f]{64}$/;
const ZONE = /^(?:Z|[+-]\d\d:\d\d)$/;
const TEXT = /^[\x20-\x7e]*$/;

/** Reads a row of `tuf_files`; undefined for one that is marked as deleted. Throws `json-unexpected` and `name-invalid`. */
export function fileIn(document: JsonObject): DumpedFile | undefined {
  const row = new Row(document, [
    ...['gun_role_version', 'gun', 'role', 'version', 'sha256', 'data', 'created_at', 'updated_at', 'deleted_at'],
    'timestamp_checksum?',
  ]);
  if (row.time('deleted_at') !== undefined) return undefined;
  const [gun, role] = [parseGun(row.text('gun', NAME)), parseRole(row.text('role', NAME))];
  const version = row.integer('version', 1);
  const data = row.bytes('data', LIMITS.metadata);
  const sha256 = row.text('sha256', NAME);
  const key = row.value('gun_role_version');
  if (JSON.stringify(key) !== JSON.stringify([gun, role, version])) {
    throw unexpected('gun_role_version is not gun, role and version');
  }
  const what = `${role} ${version} of ${gun}`;
  if (data.length === 0) throw unexpected(`${what} is empty`);
  if (createHash('sha256').update(data).digest('hex') !== sha256) {
    throw unexpected(`the data of ${what} has another sha256 than its row says`);
  }
  return { gun, role, version, sha256, data, createdAt: row.time('created_at') };
}

/** Reads a row of `changefeed`. Throws `json-unexpected` and `name-invalid`. */
export function changeIn(document: JsonObject): DumpedChange {
  const row = new Row(document, ['id', 'created_at', 'gun', 'version', 'sha256', 'category']);
  const category = row.text('category', NAME);
  if (category !== 'update' && category !== 'deletion') throw unexpected(`there is no category ${quoted(category)}`);
  const sha256 = row.text('sha256', NAME);
  if (category === 'update' ? !SHA256.test(sha256) : sha256 !== '') throw unexpected('sha256 is none');
  const createdAt = row.time('created_at');
  if (createdAt === undefined) throw unexpected('created_at is no time');
  const [id, gun] = [row.text('id', NAME), parseGun(row.text('gun', NAME))];
  return { id, gun, version: row.integer('version', 0), sha256, category, createdAt };
}

/** Reads a row of `private_keys`; undefined for one that is marked as deleted. Throws `json-unexpected`. */
export function keyIn(document: JsonObject): DumpedKey | undefined {
  const row = new Row(document, [
    ...['key_id', 'encryption_alg', 'keywrap_alg', 'algorithm', 'passphrase_alias', 'public', 'private'],
    ...['created_at', 'updated_at', 'deleted_at', 'gun?', 'role?', 'last_used?'],
  ]);
  if (row.time('deleted_at') !== undefined) return undefined;
  const id = row.text('key_id', NAME);
  if (!isKeyId(id)) throw unexpected(`${quoted(id)} is no key id`);
  return {
    id,
    encryption: row.text('encryption_alg', NAME),
    wrapping: row.text('keywrap_alg', NAME),
    algorithm: row.text('algorithm', SHORT_NAME),
    alias: row.text('passphrase_alias', SHORT_NAME),
    publicBytes: row.bytes('public', MAX_KEY),
    encrypted: row.bytes('private', MAX_KEY),
    // Signers of old did not write these, and Go reads them as empty.
    gun: row.has('gun') ? row.text('gun', NAME) : '',
    role: row.has('role') ? row.text('role', NAME) : '',
    createdAt: row.time('created_at'),
    lastUsed: row.has('last_used') ? row.time('last_used') : undefined,
  };
}

/** The columns of a document, and no others. */
class Row {
  private readonly columns: JsonObject;

  /** Columns that may be missing are marked with `?`. */
  constructor(columns: JsonObject, names: readonly string[]) {
    this.columns = columns;
    const known = new Set(names.map((name) => name.replace('?', '')));
    const missing = names.find((name) => !name.endsWith('?') && !columns.has(name));
    if (missing !== undefined) throw unexpected(`it has no column ${missing}`);
    const unknown = [...columns.keys()].find((name) => !known.has(name));
    if (unknown !== undefined) throw unexpected(`Notary has no column ${quoted(unknown)}`);
  }

  has(name: string): boolean {
    return this.columns.has(name);
  }

  value(name: string): JsonValue | undefined {
    return this.columns.get(name);
  }

  text(name: string, longest: number): string {
    const value = this.value(name);
    if (typeof value === 'string' && value.length <= longest && TEXT.test(value)) return value;
    throw unexpected(`${name} is no text of up to ${longest} printable characters`);
  }

  integer(name: string, least: number): number {
    const value = this.value(name);
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MAX_INTEGER) return value;
    throw unexpected(`${name} is no number from ${least} to ${MAX_INTEGER}`);
  }

  bytes(name: string, longest: number): Buffer {
    const data = this.special(name, 'BINARY', ['data']).get('data');
    const bytes = typeof data === 'string' ? decodeBase64AsGo(data) : undefined;
    if (bytes !== undefined && bytes.length <= longest) return bytes;
    throw unexpected(`${name} is no base64 of up to ${longest} bytes`);
  }

  /** Undefined for Go's zero time. */
  time(name: string): Instant | undefined {
    const value = this.special(name, 'TIME', ['epoch_time', 'timezone']);
    const [seconds, zone] = [value.get('epoch_time'), value.get('timezone')];
    if (typeof seconds !== 'number' || typeof zone !== 'string' || !ZONE.test(zone))
      throw unexpected(`${name} is no time`);
    if (seconds === NO_TIME) return undefined;
    if (seconds <= 0 || seconds >= LAST_SECOND) throw unexpected(`${name} is no time between 1970 and 2038`);
    return Math.round(seconds * SECOND);
  }

  private special(name: string, type: string, members: readonly string[]): JsonObject {
    const value = this.value(name);
    const isSpecial =
      value instanceof Map &&
      value.get('$reql_type$') === type &&
      value.size === members.length + 1 &&
      members.every((member) => value.has(member));
    if (isSpecial) return value;
    throw unexpected(`${name} is not of RethinkDB's type ${type}`);
  }
}

function unexpected(why: string): SignetError {
  return new SignetError('json-unexpected', why);
}
