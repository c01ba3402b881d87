import { realpathSync, type Stats } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { isErrno, readSmallFile, unreadable, unsafe } from '../../store/files.ts';
import { isGivenByRoot } from '../../store/given-secret.ts';
import { nameOfKey, type PassphraseSource, withoutLineEnd, wrongPassphrase } from './source.ts';

const ROOT = 0;
const WRITABLE_BY_OTHERS = 0o022;
const OPEN_TO_OTHERS = 0o077;

/** A source that reads a file. */
export function fileSource(path: string): PassphraseSource {
  return {
    find: async () => readPassphraseFile(path),
    refuse: (request) =>
      wrongPassphrase(
        request,
        'Correct the file, or take it out of the settings to be asked.',
        `the passphrase in ${path} does not open ${nameOfKey(request)}`,
      ),
  };
}

/**
 * Reads a passphrase without its line end, for the caller to wipe. The file must belong to this user or root, and no
 * one else may be able to change it. Others may read it only if root has allowed it: below `/run/secrets`, or in a file
 * of root's that Signet can read without being root. Throws `file-missing`, `file-unsafe`, `file-unreadable`,
 * `too-large`, or `passphrase-missing` for an empty one.
 */
export function readPassphraseFile(path: string, user = process.geteuid?.()): Buffer {
  const real = realPath(path);
  const text = readSmallFile(real, LIMITS.keyFile, false, (stat) => check(path, real, stat, user)) ?? missing(path);
  const passphrase = withoutLineEnd(text);
  if (passphrase.length === 0) throw new SignetError('passphrase-missing', `there is no passphrase in ${path}`);
  return passphrase;
}

/** Secrets are mounted as links; check the file that they point to. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT', 'ENOTDIR')) return missing(path);
    throw unreadable(path, cause);
  }
}

function check(path: string, real: string, stat: Stats, user: number | undefined): void {
  const { mode, uid } = stat;
  // A system without users has no modes either.
  if (user === undefined) return;
  if (uid !== user && uid !== ROOT) throw unsafe(path, 'belongs to another user');
  if ((mode & WRITABLE_BY_OTHERS) !== 0) throw openToOthers(path, 'written');
  if ((mode & OPEN_TO_OTHERS) !== 0 && !isGivenByRoot(real, stat, user)) throw openToOthers(path, 'read');
}

function openToOthers(path: string, how: string): SignetError {
  return new SignetError('file-unsafe', `the passphrase file ${path} can be ${how} by others`, {
    next: `Make it private first: chmod 600 ${path}`,
    detail: { path },
  });
}

function missing(path: string): never {
  throw new SignetError('file-missing', `the passphrase file ${path} does not exist`, { detail: { path } });
}
