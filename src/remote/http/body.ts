import { CollectedBytes } from '../../core/collected-bytes.ts';
import { SignetError } from '../../core/errors/index.ts';

/**
 * Reads a body of at most `limit` bytes. Throws `response-too-large`: before reading if the declared length is above
 * the limit, otherwise as soon as the body is. Calls `arrived` for every piece.
 */
export async function readCapped(
  body: AsyncIterable<Uint8Array> | null,
  declaredLength: string | null,
  limit: number,
  arrived: () => void,
): Promise<Buffer> {
  if (declaredLength !== null && !(Number(declaredLength) <= limit)) tooLarge(limit);
  const read = new CollectedBytes();
  for await (const piece of body ?? []) {
    arrived();
    if (read.length + piece.length > limit) tooLarge(limit);
    read.add(piece);
  }
  return read.take();
}

function tooLarge(limit: number): never {
  throw new SignetError('response-too-large', `the response is longer than ${limit} bytes`, { detail: { limit } });
}
