import { CollectedBytes } from '../../core/collected-bytes.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { Refusal } from '../publish/refusal.ts';

/**
 * Reads the body of a request to its end. Throws a `Refusal`: `upload-encoding-unsupported`, `upload-too-large` or
 * `upload-malformed`; and what the server around it throws where it cannot take the body.
 */
export async function readBody(request: Request): Promise<Buffer> {
  // Nothing is ever unpacked, so no small request can become a large one.
  if ((request.headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Refusal('upload-encoding-unsupported');
  }
  if (Number(request.headers.get('content-length') ?? 0) > LIMITS.upload) throw new Refusal('upload-too-large');
  const body = new CollectedBytes();
  for await (const chunk of chunksOf(request)) {
    if (body.length + chunk.length > LIMITS.upload) throw new Refusal('upload-too-large');
    body.add(chunk);
  }
  return body.take();
}

async function* chunksOf(request: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* request.body ?? [];
  } catch (cause) {
    if (isSignetError(cause)) throw cause;
    throw new Refusal('upload-malformed', undefined, cause);
  }
}
