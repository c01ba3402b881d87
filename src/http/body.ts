import { collectBytes } from '../core/collected-bytes.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import type { Call } from './call.ts';

/** The errors of one that reads bodies. */
interface BodyErrors {
  /** For a body beyond the reader's own limit. */
  tooLarge(): SignetError;
  /** For a body that does not come to its end. If absent, the transport's own error passes through. */
  interrupted?(cause: unknown): SignetError;
}

/**
 * Looks at the length that a request declares, before anything of the body is read: refuses what is beyond the bound,
 * and counts what will be in memory. What declares none is counted as it is read. Throws `too-large`, or what `keep` throws.
 */
export function admitBody(call: Call): void {
  const { limit, memory } = call.body;
  const declared = declaredLength(call.request);
  if (declared === undefined) return;
  if (declared > limit) throw tooLarge(limit);
  if (memory > 0) call.keep(Math.min(declared, memory));
}

/**
 * The body, piece by piece as it arrives; nothing if there is none. The transport ends a body where its declared length
 * ends; of others each piece is counted before it is handed on. Throws `too-large`, what `keep` throws, and
 * `interrupted`.
 */
export async function* bodyOf(
  call: Call,
  interrupted?: BodyErrors['interrupted'],
): AsyncGenerator<Uint8Array, void, void> {
  const { request } = call;
  const { limit, memory } = call.body;
  const isCounted = declaredLength(request) === undefined;
  let length = 0;
  try {
    for await (const piece of (request.body ?? []) as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > limit) throw tooLarge(limit);
      if (isCounted && memory > 0) call.keep(Math.min(piece.length, memory));
      yield piece;
    }
  } catch (cause) {
    if (interrupted === undefined || isSignetError(cause)) throw cause;
    throw interrupted(cause);
  }
}

/** The whole body, of at most `limit` bytes. Throws what `errors` has for it, and what `bodyOf` throws. */
export function readBody(call: Call, limit: number, { tooLarge, interrupted }: BodyErrors): Promise<Buffer> {
  return collectBytes(bodyOf(call, interrupted), { declared: declaredLength(call.request), limit, tooLarge });
}

/** Undefined also for a header that the transport reads in its own way, as of one length said twice. */
function declaredLength({ headers }: Request): number | undefined {
  const declared = headers.get('content-length');
  return declared !== null && /^[0-9]+$/.test(declared) ? Number(declared) : undefined;
}

function tooLarge(limit: number): SignetError {
  return new SignetError('too-large', `the body of the request is larger than ${limit} bytes`);
}
