import { parseUserName, type UserName } from '../../accounts/identity/user-name.ts';
import { removeFile, writePrivateFile } from '../../store/files.ts';
import type { DataFolder } from './data-folder.ts';

/** The account that a server without accounts makes. */
export const ADMINISTRATOR = parseUserName('admin');

/**
 * Puts the administrator's first password where only the server's user can read it, for the person who starts a service whose
 * output goes into a journal. Throws `file-unwritable`.
 */
export function keepFirstPassword({ firstPassword }: DataFolder, password: string): void {
  const text = Buffer.from(`${password}\n`, 'latin1');
  try {
    writePrivateFile(firstPassword, text);
  } finally {
    text.fill(0);
  }
}

/** Removes the file when the password in it ends: another one is set, or the account is removed. Throws `file-unwritable`. */
export function forgetFirstPassword({ firstPassword }: DataFolder, name: UserName): void {
  if (name === ADMINISTRATOR) removeFile(firstPassword);
}
