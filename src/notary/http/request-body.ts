import { LIMITS } from '../../core/limits.ts';
import { readBody } from '../../http/body.ts';
import type { Call } from '../../http/call.ts';
import { Refusal } from '../publish/refusal.ts';

/**
 * Reads the body of a request to its end. Throws a `Refusal`: `upload-encoding-unsupported`, `upload-too-large` or
 * `upload-malformed`; and what the server around it throws if it cannot take the body.
 */
export async function readWholeBody(call: Call): Promise<Buffer> {
  // Nothing is ever unpacked, so no small request can become a large one.
  if ((call.request.headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Refusal('upload-encoding-unsupported');
  }
  return readBody(call, LIMITS.upload, {
    tooLarge: () => new Refusal('upload-too-large'),
    interrupted: (cause) => new Refusal('upload-malformed', undefined, cause),
  });
}
