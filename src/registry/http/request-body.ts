import { SignetError } from '../../core/errors/index.ts';
import { bodyOf, readBody } from '../../http/body.ts';
import type { Call } from '../../http/call.ts';

/**
 * The body of a request, piece by piece; nothing if there is none. Throws `body-interrupted` if the client went away, and
 * what `check` throws, which is told the size up to now with each piece before it is handed on.
 */
export async function* piecesOf(
  call: Call,
  check: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for await (const piece of bodyOf(call, interrupted)) {
    bytes += piece.length;
    check(bytes);
    yield piece;
  }
}

/** The whole body. Throws `manifest-too-large` beyond `limit` bytes, or `body-interrupted`. */
export function readManifestBody(call: Call, limit: number): Promise<Buffer> {
  const tooLarge = () => new SignetError('manifest-too-large', `a manifest may have ${limit} bytes`);
  return readBody(call, limit, { tooLarge, interrupted });
}

function interrupted(cause: unknown): SignetError {
  return new SignetError('body-interrupted', 'the body of the request broke off', { cause });
}
