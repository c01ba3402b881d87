import { readFile } from 'node:fs/promises';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import { parsePublicKeyFile } from '../../core/keys/public-key-file.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Instant } from '../../core/time.ts';
import { goFileError } from '../go-errors.ts';

/** Reads a public key or certificate from a PEM file; errors are worded as docker does (protocol D.12). */
export async function readPublicKey(path: string, now: Instant): Promise<PublicKey> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new SignetError('file-missing', `unable to read public key from file: ${goFileError(cause, path)}`, {
      cause,
    });
  });
  try {
    return parsePublicKeyFile(bytes.subarray(0, LIMITS.keyFile), now);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw new SignetError(cause.code, `could not parse public key from file: ${path}: ${cause.message}`, { cause });
  }
}
