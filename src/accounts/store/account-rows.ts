import { createHash, randomBytes } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';
import { parseUserName, type UserName } from '../identity/user-name.ts';
import type { User, UserChange } from './store.ts';

/** A user as every database has one. */
export interface UserRow {
  name: string;
  password_hash: string;
  admin: number;
  disabled: number;
  stamp: string;
  created: number;
  updated: number;
}

/** Throws `user-name-invalid` for a row that nothing of Signet has written. */
export function userOf(row: UserRow): User {
  return {
    name: parseUserName(row.name),
    passwordHash: row.password_hash,
    admin: row.admin !== 0,
    disabled: row.disabled !== 0,
    stamp: row.stamp,
    created: row.created,
    updated: row.updated,
  };
}

/** What was changed, in words, for the record. */
export function describeChange({ passwordHash, admin, disabled }: UserChange): string {
  const changes = [
    passwordHash === undefined ? undefined : 'password',
    admin === undefined ? undefined : `role ${admin ? 'admin' : 'user'}`,
    disabled === undefined ? undefined : `state ${disabled ? 'disabled' : 'enabled'}`,
  ];
  return changes.filter((change) => change !== undefined).join(', ');
}

/** The database does not tell where people are, only whether a network that one knows is one of theirs. */
export function hashOfNetwork(name: UserName, network: string): Buffer {
  return createHash('sha256').update(`${name} ${network}`).digest();
}

/** What tells one state of a user from the next: 128 random bits. */
export function newStamp(): string {
  return randomBytes(16).toString('base64url');
}

/** A flag as a column has it; null leaves what is there. */
export function flagColumn(flag: boolean | undefined): number | null {
  return flag === undefined ? null : Number(flag);
}

/** The error of a name that no user has. */
export function unknownUser(name: UserName): SignetError {
  return new SignetError('user-unknown', `there is no user ${name}`);
}
