import { collectBytes } from '../../core/collected-bytes.ts';
import { SignetError } from '../../core/errors/index.ts';

/**
 * Reads a body of at most `limit` bytes. Throws `response-too-large`: before reading if the declared length is above
 * the limit, otherwise as soon as the body is. Calls `arrived` for every piece.
 */
export function readCapped(
  body: AsyncIterable<Uint8Array> | null,
  declaredLength: string | null,
  limit: number,
  arrived: () => void,
): Promise<Buffer> {
  const declared = declaredLength === null ? undefined : Number(declaredLength);
  const tooLarge = () =>
    new SignetError('response-too-large', `the response is longer than ${limit} bytes`, { detail: { limit } });
  return collectBytes(body, { declared, limit, tooLarge, arrived });
}
