import type { Share } from './shares.ts';

/** Bytes up to which an answer leaves at once and is not counted. */
const LARGE = 256 * 1024;
/** More than the headers take: the transport must be able to keep them together with the whole body. */
const ROOM_FOR_HEADERS = 1024 * 1024;

/**
 * A large answer that is in memory, counted until the client has taken all of it: clients that ask and never read must
 * not fill the memory. The handler has declared its length. To HEAD it is the headers alone. Answers from the disk, and
 * small ones, stay as they are. Throws what `Share.send` throws.
 */
export function countUntilTaken(response: Response, share: Share, request: Request): Response {
  const { status, headers } = response;
  const length = Number(headers.get('content-length') ?? 0);
  if (length <= LARGE) return response;
  // Not before: reading these properties makes a stream of the body, and a signal for the request.
  const [{ body }, { signal }] = [response, request];
  if (body === null) return response;
  if (request.method === 'HEAD') return new Response(null, { status, headers });
  const taken = share.send(length);
  if (signal.aborted) taken();
  else signal.addEventListener('abort', taken);
  return new Response(handOver(body, length, taken), { status, headers });
}

/**
 * The same bytes, written and ended in one turn. Of such a stream the transport declares the length, if it may keep all
 * of it; every other stream is sent in chunks, whatever its headers say. `taken` is called when the last byte has left.
 */
function handOver(source: ReadableStream<Uint8Array>, length: number, taken: () => void): ReadableStream {
  const direct: Bun.DirectUnderlyingSource = {
    type: 'direct',
    pull: async (sink) => {
      try {
        const pieces = await Array.fromAsync(source);
        for (const piece of pieces) void sink.write(piece);
        await sink.end();
      } finally {
        taken();
      }
    },
    cancel: taken,
  };
  return new ReadableStream(direct, { highWaterMark: length + ROOM_FOR_HEADERS });
}
