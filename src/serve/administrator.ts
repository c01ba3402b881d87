import { randomInt } from 'node:crypto';
import { hashPassword } from '../accounts/password.ts';
import type { AccountStore } from '../accounts/store.ts';
import { parseUserName } from '../accounts/user-name.ts';
import type { Instant } from '../core/time.ts';

/** The first account and its password, which nothing but this object knows. */
export interface NewAdministrator {
  readonly name: string;
  readonly password: string;
}

const NAME = parseUserName('admin');
/** Without letters and digits that look alike. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
/** 24 characters of 5 bits. */
const GROUPS = 4;
const GROUP = 6;

/** Makes the administrator of a server that has no accounts yet; undefined where there are any. */
export async function addFirstAdministrator(store: AccountStore, now: Instant): Promise<NewAdministrator | undefined> {
  if ((await store.users()).length > 0) return undefined;
  const password = Array.from({ length: GROUPS }, randomGroup).join('-');
  const secret = Buffer.from(password, 'latin1');
  try {
    await store.addUser({ name: NAME, passwordHash: await hashPassword(secret), admin: true }, now);
    return { name: NAME, password };
  } finally {
    secret.fill(0);
  }
}

function randomGroup(): string {
  return Array.from({ length: GROUP }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}
