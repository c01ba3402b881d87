import { SignetError } from '../core/errors/index.ts';

/** Hears of bytes before they are taken; throws where they cannot be. */
type ByteCounter = (bytes: number) => void;

/**
 * The request, with a body that cannot deliver more than `limit` bytes: a longer one is refused at once where its length
 * is declared, and breaks off where it is not. `count` hears of a declared length at once, of others chunk by chunk; a
 * body that nobody counts and nothing limits stays as it is. Throws `too-large` or what `count` throws, and so does the
 * body when read.
 */
export function limitBody(request: Request, limit: number, count?: ByteCounter): Request {
  const header = request.headers.get('content-length');
  if (header !== null) {
    const declared = Number(header);
    if (declared > limit) throw tooLarge(limit);
    count?.(declared);
    // The transport ends a body where its declared length ends.
    return request;
  }
  if (request.body === null || (limit === Number.POSITIVE_INFINITY && count === undefined)) return request;
  return new Request(request, { body: request.body.pipeThrough(counter(limit, count)) });
}

function counter(limit: number, count: ByteCounter = () => {}): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > limit) throw tooLarge(limit);
      count(chunk.length);
      controller.enqueue(chunk);
    },
  });
}

function tooLarge(limit: number): SignetError {
  return new SignetError('too-large', `the body of the request is larger than ${limit} bytes`);
}
