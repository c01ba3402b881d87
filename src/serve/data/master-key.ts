import { randomBytes } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Environment } from '../../core/variables.ts';
import { readSmallFile, writePrivateFile } from '../../store/files.ts';
import type { DataFolder } from './data-folder.ts';

/** Bytes of the key that seals the online signing keys. */
export const MASTER_KEY_BYTES = 32;
const VARIABLE = 'SIGNET_MASTER_KEY';

interface MasterKeySource {
  readonly folder: DataFolder;
  /** The file that the settings name. */
  readonly file: string | undefined;
  readonly environment: Environment;
  /** Whether anything is sealed with a key already. */
  readonly isInUse: boolean;
}

/**
 * The master key, for the caller to wipe: from `$SIGNET_MASTER_KEY`, from the file that the settings name, or from the
 * data folder, where one is made if nothing is sealed yet. A key is written as 64 hexadecimal digits or as base64.
 * Throws `master-key-unreadable`, or what `readSmallFile` throws.
 */
export function loadMasterKey({ folder, file, environment, isInUse }: MasterKeySource): Buffer {
  const given = environment[VARIABLE] ?? '';
  if (given !== '') return decode(Buffer.from(given, 'latin1'), VARIABLE);
  const path = file ?? folder.masterKey;
  const text = readSmallFile(path, LIMITS.keyFile, true);
  if (text !== undefined) return decode(text, path);
  if (file !== undefined || isInUse) throw missing(path);
  return makeMasterKey(path);
}

/** The master key of a file, for the caller to wipe. Throws `master-key-unreadable`, or what `readSmallFile` throws. */
export function readMasterKey(path: string): Buffer {
  const text = readSmallFile(path, LIMITS.keyFile, true);
  if (text === undefined) throw missing(path);
  return decode(text, path);
}

/** Whether the master key comes from the environment, and not from a file. */
export function isMasterKeyGiven(environment: Environment): boolean {
  return (environment[VARIABLE] ?? '') !== '';
}

function missing(path: string): SignetError {
  return new SignetError('master-key-unreadable', `there is no master key ${path}`);
}

function makeMasterKey(path: string): Buffer {
  const key = randomBytes(MASTER_KEY_BYTES);
  const text = Buffer.from(`${key.toString('base64')}\n`, 'latin1');
  writePrivateFile(path, text);
  text.fill(0);
  return key;
}

/** Wipes `text`. */
function decode(text: Buffer, source: string): Buffer {
  const written = text.toString('latin1').trim();
  text.fill(0);
  const isHex = /^[0-9a-fA-F]{64}$/.test(written);
  const key = Buffer.from(written, isHex ? 'hex' : 'base64');
  if (key.length === MASTER_KEY_BYTES && (isHex || /^[A-Za-z0-9+/]{43}=?$/.test(written))) return key;
  key.fill(0);
  throw new SignetError(
    'master-key-unreadable',
    `${source} does not hold ${MASTER_KEY_BYTES} bytes in base64 or hexadecimal`,
  );
}
