import { randomBytes } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';
import type { UserName } from './user-name.ts';

/** Characters of a password, at least, not counting the user's name if the password contains it. */
const MIN_PASSWORD = 8;
/** Characters of a password, at most. */
const MAX_PASSWORD = 256;
const MAX_UTF8_BYTES = 4;

/**
 * OWASP's first recommendation for argon2id with small memory: 19 MiB, two passes, one lane. One check takes 35 ms of
 * one core on the 2-core machine; 64 MiB, Bun's default, takes 135 ms.
 */
const ARGON2 = { algorithm: 'argon2id', memoryCost: 19 * 1024, timeCost: 2 } as const;

/** Refuses passwords that are too short, too long, or little more than the user's name. Throws `password-unfit`. */
export function checkPassword(password: Uint8Array, name: UserName): void {
  const text = new TextDecoder().decode(password);
  const characters = [...text].length;
  if (characters > MAX_PASSWORD) unfit(`the password is longer than ${MAX_PASSWORD} characters`);
  if (characters < MIN_PASSWORD) unfit(`the password is shorter than ${MIN_PASSWORD} characters`);
  const withoutName = text.toLowerCase().replaceAll(name, '');
  if ([...withoutName].length < MIN_PASSWORD) unfit("the password is little more than the user's name");
}

/** The argon2id hash of a password in PHC string format, with a new random salt. */
export function hashPassword(password: Uint8Array): Promise<string> {
  return Bun.password.hash(password, ARGON2);
}

/** Whether `password` is the one that was hashed. Costs what hashing costs. */
export async function verifyPassword(password: Uint8Array, hash: string): Promise<boolean> {
  if (password.length > MAX_PASSWORD * MAX_UTF8_BYTES) return false;
  return Bun.password.verify(password, hash);
}

/** The hash of a random password: checking against it makes an unknown user cost as much as a known one. */
export function unknownPasswordHash(): Promise<string> {
  return hashPassword(randomBytes(32));
}

function unfit(message: string): never {
  throw new SignetError('password-unfit', message);
}
