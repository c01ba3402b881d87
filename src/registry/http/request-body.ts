import { CollectedBytes } from '../../core/collected-bytes.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';

/**
 * The body of a request, chunk by chunk; nothing where there is none. Throws `body-interrupted` where the client went
 * away, and what `check` throws, which hears of the size with each chunk before it is handed on.
 */
export async function* bodyOf(
  request: Request,
  check: (bytes: number) => void = () => {},
): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  const chunks = (request.body ?? []) as AsyncIterable<Uint8Array>;
  try {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      check(bytes);
      yield chunk;
    }
  } catch (cause) {
    if (isSignetError(cause)) throw cause;
    throw new SignetError('body-interrupted', 'the body of the request broke off', { cause });
  }
}

/** The whole body. Throws `manifest-too-large` beyond `limit` bytes, or `body-interrupted`. */
export async function readManifestBody(request: Request, limit: number): Promise<Buffer> {
  const check = (bytes: number) => {
    if (bytes > limit) throw new SignetError('manifest-too-large', `a manifest may have ${limit} bytes`);
  };
  check(Number(request.headers.get('content-length') ?? 0));
  const body = new CollectedBytes();
  for await (const chunk of bodyOf(request, check)) body.add(chunk);
  return body.take();
}
