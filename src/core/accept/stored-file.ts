import { SignetError } from '../errors/index.ts';
import type { JsonValue } from '../json/parse.ts';
import type { Metadata } from '../metadata/common.ts';
import { parseEnvelope } from '../metadata/envelope.ts';
import type { DelegationName, RoleName } from '../names/role.ts';

/** A file for the server to store. */
export interface StoredFile {
  readonly role: RoleName;
  readonly version: number;
  readonly bytes: Buffer;
}

/** Builds a file for the store. */
export function stored(role: RoleName, version: number, bytes: Buffer): StoredFile {
  return { role, version, bytes };
}

/** Parses a file from the server's own store. It was verified when it was accepted. */
export function readCurrent<Payload extends Metadata>(
  role: DelegationName | RoleName,
  current: ReadonlyMap<RoleName, Buffer>,
  read: (signed: JsonValue) => Payload,
): Payload | undefined {
  const bytes = current.get(role);
  return bytes === undefined ? undefined : ofStored(role, () => read(parseEnvelope(role, bytes).signed));
}

/** Runs a check of a stored file; what it throws says that the file is one that is stored. */
export function ofStored<T>(role: RoleName, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SignetError)) throw error;
    throw error.reworded(`the stored ${role} cannot be built on: ${error.message}`, {
      detail: { ...error.detail, name: 'ErrValidation' },
    });
  }
}
