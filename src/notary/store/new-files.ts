import type { StoredFile } from '../../core/accept/stored-file.ts';
import { SignetError } from '../../core/errors/index.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';

/** A file that is to be stored. */
export interface NewFile extends StoredFile {
  /** SHA-256 of `bytes`, in lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** The files with their checksums, and which of them is the newest timestamp. Throws `publication-incomplete`. */
export function newFiles(
  gun: Gun,
  files: readonly StoredFile[],
): { readonly rows: readonly NewFile[]; readonly timestamp: NewFile } {
  const rows = files.map((file) => ({ ...file, sha256: digestHex(digestOf(file.bytes)) }));
  const [timestamp] = rows.filter(({ role }) => role === 'timestamp').sort((a, b) => b.version - a.version);
  if (timestamp === undefined) {
    throw new SignetError('publication-incomplete', `a publication of ${gun} has no timestamp`);
  }
  return { rows, timestamp };
}
