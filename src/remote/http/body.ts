import { collectBytes } from '../../core/collected-bytes.ts';
import { SignetError } from '../../core/errors/index.ts';

/**
 * Reads a body of at most `limit` bytes to its end. A declared length above the limit fails before anything is read,
 * a longer body as soon as it passes the limit: `response-too-large`. `arrived` is called for every piece.
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
