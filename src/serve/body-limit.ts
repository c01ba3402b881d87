import { SignetError } from '../core/errors/index.ts';

/**
 * The request, with a body that cannot deliver more than `limit` bytes: a longer one is refused at once where its length
 * is declared, and breaks off where it is not. Throws `too-large`, and so does the body when read.
 */
export function limitBody(request: Request, limit: number): Request {
  const declared = request.headers.get('content-length');
  if (declared !== null && Number(declared) > limit) throw tooLarge(limit);
  // The transport already ends a body where its declared length ends.
  if (declared !== null || request.body === null || limit === Number.POSITIVE_INFINITY) return request;
  return new Request(request, { body: request.body.pipeThrough(counter(limit)) });
}

function counter(limit: number): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      size += chunk.length;
      if (size > limit) controller.error(tooLarge(limit));
      else controller.enqueue(chunk);
    },
  });
}

function tooLarge(limit: number): SignetError {
  return new SignetError('too-large', `the body of the request is larger than ${limit} bytes`);
}
