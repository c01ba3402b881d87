import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { PublicKey } from '../../../core/keys/public-key.ts';
import { parsePublicKeyFile } from '../../../core/keys/public-key-file.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Instant } from '../../../core/time.ts';
import { readKeyInput } from '../../terminal/key-input.ts';
import { goReadError } from '../../wording/go-errors.ts';

/**
 * Reads a public key or certificate from a PEM file, a pipe or standard input (`-`). Errors are worded as docker does
 * (protocol D.12).
 */
export async function readPublicKey(path: string, now: Instant): Promise<PublicKey> {
  const bytes = readBounded(path);
  try {
    return parsePublicKeyFile(bytes, now);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.reworded(`could not parse public key from file: ${path}: ${cause.message}`);
  }
}

function readBounded(path: string): Buffer {
  const refuse = (why: string, cause?: unknown) =>
    new SignetError('file-missing', `unable to read public key from file: ${why}`, { cause });
  try {
    const bytes = readKeyInput(path, LIMITS.keyFile);
    if (bytes !== undefined) return bytes;
  } catch (cause) {
    throw isSignetError(cause) ? refuse(goReadError(cause, path), cause) : cause;
  }
  throw refuse(`open ${path}: no such file or directory`);
}
