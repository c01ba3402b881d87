import { randomInt } from 'node:crypto';
import { hashPassword, verifyPassword } from '../../accounts/identity/password.ts';
import type { AccountStore } from '../../accounts/store/store.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Instant } from '../../core/time.ts';
import { readSmallFile, removeFile } from '../../store/files.ts';
import type { DataFolder } from './data-folder.ts';
import { ADMINISTRATOR, forgetFirstPassword, keepFirstPassword } from './first-password.ts';

/** The first account and its password. */
export interface NewAdministrator {
  readonly name: string;
  readonly password: string;
  /** The file that the password was written to; undefined if nothing but this object knows it. */
  readonly file: string | undefined;
}

interface FirstAdministratorOptions {
  readonly folder: DataFolder;
  readonly store: AccountStore;
  /** Whether the password is written to a file, because no one sees it otherwise. */
  readonly inFile: boolean;
  readonly now: Instant;
}

/** Without letters and digits that look alike. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 24 characters of 5 bits. */
const GROUPS = 4;
const GROUP = 6;

/**
 * Makes the administrator of a server that has no accounts yet; undefined if there are any, or if another replica makes
 * one at this moment. The file is written first: a crash in between leaves no account whose password no one knows. Throws
 * `file-unwritable`.
 */
export async function addFirstAdministrator(options: FirstAdministratorOptions): Promise<NewAdministrator | undefined> {
  const { folder, store, inFile, now } = options;
  if ((await store.users()).length > 0) return undefined;
  const password = Array.from({ length: GROUPS }, randomGroup).join('-');
  const secret = Buffer.from(password, 'latin1');
  try {
    if (inFile) keepFirstPassword(folder, password);
    else forgetFirstPassword(folder, ADMINISTRATOR);
    await store.addUser({ name: ADMINISTRATOR, passwordHash: await hashPassword(secret), admin: true }, now);
    return { name: ADMINISTRATOR, password, file: inFile ? folder.firstPassword : undefined };
  } catch (error) {
    if (!isSignetError(error, 'user-exists')) throw error;
    forgetFirstPassword(folder, ADMINISTRATOR);
    return undefined;
  } finally {
    secret.fill(0);
  }
}

/**
 * The file with the first password where it still opens the account; a file that opens nothing is removed. Throws what
 * `readSmallFile` throws.
 */
export async function firstPasswordFile(folder: DataFolder, store: AccountStore): Promise<string | undefined> {
  const text = readSmallFile(folder.firstPassword, LIMITS.keyFile, false);
  if (text === undefined) return undefined;
  try {
    const user = await store.user(ADMINISTRATOR);
    const isGood = user !== undefined && (await verifyPassword(text.subarray(0, -1), user.passwordHash));
    if (isGood) return folder.firstPassword;
    removeFile(folder.firstPassword);
    return undefined;
  } finally {
    text.fill(0);
  }
}

function randomGroup(): string {
  return Array.from({ length: GROUP }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}
