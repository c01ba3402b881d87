import type { Share } from './shares.ts';

/** What is handed to the transport at one time, in bytes; it takes the next piece when the client has taken the last. */
const PIECE = 64 * 1024;
const LARGE = 256 * 1024;

/**
 * A large answer that is in memory, in pieces, and counted until the client has taken them all: clients that ask and
 * never read must not fill the memory. Such an answer declares its length, and is sent in chunks. Answers from the
 * disk, and small ones, stay as they are. Throws what `Share.send` throws.
 */
export function inPieces(response: Response, share: Share, signal: AbortSignal): Response {
  const length = Number(response.headers.get('content-length') ?? 0);
  if (response.body === null || length <= LARGE) return response;
  const sent = share.send(length);
  if (signal.aborted) sent();
  else signal.addEventListener('abort', sent);
  const { status, headers } = response;
  headers.delete('content-length');
  return new Response(cut(response.body, sent), { status, headers });
}

/** The same bytes in pieces; `ended` is called when the last one was taken, or when nobody wants any more. */
function cut(source: ReadableStream<Uint8Array>, ended: () => void): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let rest: Uint8Array = new Uint8Array();
  return new ReadableStream({
    pull: async (controller) => {
      if (rest.length === 0) {
        const { value } = await reader.read();
        if (value === undefined) {
          ended();
          controller.close();
          return;
        }
        rest = value;
      }
      controller.enqueue(rest.subarray(0, PIECE));
      rest = rest.subarray(PIECE);
    },
    cancel: () => {
      ended();
      return reader.cancel();
    },
  });
}
