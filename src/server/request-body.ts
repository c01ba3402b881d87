import { LIMITS } from '../core/limits.ts';
import { Refusal } from './refusal.ts';

/**
 * Reads the body of a request to its end. Throws a `Refusal`: `upload-encoding-unsupported`, `upload-too-large` or
 * `upload-malformed`.
 */
export async function readBody(request: Request): Promise<Buffer> {
  // Nothing is ever unpacked, so no small request can become a large one.
  if ((request.headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Refusal('upload-encoding-unsupported');
  }
  if (Number(request.headers.get('content-length') ?? 0) > LIMITS.upload) throw new Refusal('upload-too-large');
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(request)) {
    length += chunk.length;
    if (length > LIMITS.upload) throw new Refusal('upload-too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function* chunksOf(request: Request): AsyncGenerator<Uint8Array> {
  try {
    yield* request.body ?? [];
  } catch (cause) {
    throw new Refusal('upload-malformed', undefined, cause);
  }
}
