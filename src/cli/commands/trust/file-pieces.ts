import { createReadStream } from 'node:fs';
import { SignetError } from '../../../core/errors/index.ts';
import { goFileError } from '../../wording/go-errors.ts';

/** Yields the content of a file in pieces. Throws `file-missing`, worded as docker does. */
export async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(path)) yield piece;
  } catch (cause) {
    throw new SignetError('file-missing', goFileError(cause, path), { cause });
  }
}
