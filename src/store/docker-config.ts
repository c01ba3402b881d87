import { mkdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { Fields } from '../core/json/fields.ts';
import { decodeUtf8, type JsonObject, type JsonValue, parseJson } from '../core/json/parse.ts';
import { LIMITS } from '../core/limits.ts';
import { isErrno, readSmallFile, unwritable, writePrivateFile } from './files.ts';
import { editMember } from './json-edit.ts';

const KNOWN = ['auths', 'credHelpers', 'credsStore'];

/** Docker's `config.json`, kept as text and edited member by member, so that everything else in it is preserved. */
export class DockerConfig {
  private readonly path: string;
  private readonly text: string;
  private readonly document: JsonObject;
  private readonly fields: Fields;

  private constructor(path: string, text: string) {
    this.path = path;
    this.text = text.trim() === '' ? '{}' : text;
    this.document = parseDocument(this.text, path);
    this.fields = checked(path, () => new Fields(this.document, path, KNOWN, 'ignore'));
  }

  /**
   * Reads `config.json` in the folder. A missing or empty file is an empty object. Throws `docker-config-invalid` or
   * `file-*`.
   */
  static read(folder: string): DockerConfig {
    const path = join(folder, 'config.json');
    const bytes = readSmallFile(path, LIMITS.configFile, true) ?? Buffer.alloc(0);
    return new DockerConfig(
      path,
      checked(path, () => decodeUtf8(bytes)),
    );
  }

  /** The entries of `auths`, by server. */
  get auths(): JsonObject {
    return checked(this.path, () => this.fields.map('auths'));
  }

  /** The suffix of the credential helper for all servers, if any. */
  get credsStore(): string | undefined {
    return checked(this.path, () => this.fields.optionalString('credsStore')) || undefined;
  }

  /** The suffix of the credential helper for one server. */
  credHelper(server: string): string | undefined {
    const suffix = checked(this.path, () => this.fields.map('credHelpers')).get(server);
    if (suffix === undefined || typeof suffix === 'string') return suffix;
    throw invalid(this.path, 'credHelpers must name programs');
  }

  /** Whether docker has been told where to store logins. */
  get knowsLogins(): boolean {
    const helpers = checked(this.path, () => this.fields.map('credHelpers'));
    return this.credsStore !== undefined || helpers.size > 0 || this.auths.size > 0;
  }

  /** Any other member, as parsed. */
  member(name: string): JsonValue | undefined {
    return this.document.get(name);
  }

  /** A copy with the member at this path set, or removed if the value is undefined. */
  with(path: readonly string[], value: string | ReadonlyMap<string, string> | undefined): DockerConfig {
    return new DockerConfig(this.path, editMember(this.text, path, value));
  }

  /** Writes the file (0600) atomically. If it is a link, writes its target. Throws `file-unwritable`. */
  save(): void {
    const target = resolved(this.path);
    makeFolder(dirname(target));
    writePrivateFile(target, Buffer.from(this.text, 'utf8'));
  }
}

function parseDocument(text: string, path: string): JsonObject {
  const document = checked(path, () => parseJson(text, { numbers: 'any' }));
  if (document instanceof Map) return document;
  throw invalid(path, 'it is not a JSON object');
}

function checked<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('docker-config-invalid', messageOf(path, cause.message), { detail: { path } });
  }
}

function invalid(path: string, why: string): SignetError {
  return new SignetError('docker-config-invalid', messageOf(path, why), { detail: { path } });
}

function messageOf(path: string, why: string): string {
  return `cannot use ${path}: ${why}`;
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return path;
    throw unwritable(`cannot write ${path}`, cause);
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true });
  } catch (cause) {
    throw unwritable(`cannot make the folder ${folder}`, cause);
  }
}
