import { readFileSync } from 'node:fs';
import { type ErrorCode, isSignetError } from '../../../src/core/errors/index.ts';
import type { JsonObject, JsonValue } from '../../../src/core/json/parse.ts';
import { parseJson } from '../../../src/core/json/parse.ts';
import { openKeyFile, parseKeyFile } from '../../../src/core/keys/key-file.ts';
import type { PrivateKey } from '../../../src/core/keys/private-key.ts';

/** A file below test/vectors. */
export function vector(path: string): Buffer {
  return readFileSync(new URL(`../../vectors/${path}`, import.meta.url));
}

/** The code of the SignetError that `run` throws; another error passes through, none gives undefined. */
export function codeOf(run: () => unknown): ErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (isSignetError(error)) return error.code;
    throw error;
  }
}

/** The first key of a key file. */
export function openFirst(file: Uint8Array, passphrase?: string): PrivateKey {
  const [first] = parseKeyFile(file);
  if (first === undefined) throw new Error('no key in the file');
  return openKeyFile(first, passphrase === undefined ? undefined : Buffer.from(passphrase));
}

/** A member deep inside of a JSON object. */
export function member(value: JsonValue | undefined, ...path: string[]): JsonValue {
  const found = path.reduce<JsonValue | undefined>((at, name) => (at as JsonObject | undefined)?.get(name), value);
  if (found === undefined) throw new Error(`no ${path.join('.')}`);
  return found;
}

export function jsonVector(path: string): JsonValue {
  return parseJson(vector(path));
}
