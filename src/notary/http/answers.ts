import { CHAIN_HEADER, CHAIN_TYPE } from '../../core/chain.ts';
import type { Gate } from '../../http/gate.ts';
import type { MetadataFile } from '../store/metadata-store.ts';

/** For how long clients and caches may keep an answer, in seconds; 0 forbids it. */
export interface MaxAge {
  /** A role's current file. */
  readonly current: number;
  /** A file named by its checksum or version, which never changes. */
  readonly consistent: number;
}

/** Go guesses this type for JSON, and nothing tells it better (protocol B.3, G-47). */
const TEXT = 'text/plain; charset=utf-8';
const LARGE = 256 * 1024;

/** A metadata file, with the cache rules of its class (protocol B.5). */
export function metadataAnswer(file: MetadataFile, kind: keyof MaxAge, maxAge: MaxAge, gate: Gate): Response {
  const headers = new Headers({ 'Content-Type': TEXT, 'Last-Modified': new Date(file.createdAt).toUTCString() });
  setCaching(headers, kind, maxAge[kind], gate);
  return bytesAnswer(file.bytes, headers);
}

/** The current timestamp alone. Caches are told that there are other answers at its address. */
export function timestampAnswer(file: MetadataFile, maxAge: MaxAge, gate: Gate): Response {
  const answer = metadataAnswer(file, 'current', maxAge, gate);
  answer.headers.set('Vary', CHAIN_HEADER);
  return answer;
}

/** A timestamp with what belongs to it. No cache keeps it: one that overlooks `Vary` would give it to Notary's clients. */
export function chainAnswer(chain: Buffer): Response {
  const headers = new Headers({ 'Content-Type': CHAIN_TYPE, Vary: CHAIN_HEADER });
  forbidCaching(headers);
  return bytesAnswer(chain, headers);
}

/**
 * Its length is declared for the server around it, which watches over what is in memory. Large ones are not copied:
 * a stream is read only when it is sent.
 */
function bytesAnswer(bytes: Buffer, headers: Headers): Response {
  headers.set('Content-Length', String(bytes.length));
  return new Response(bytes.length > LARGE ? streamOf(bytes) : new Uint8Array(bytes), { headers });
}

function streamOf(bytes: Buffer): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

/** A 200 response with this text as its body. */
export function textAnswer(text: string): Response {
  return new Response(text, { headers: { 'Content-Type': TEXT } });
}

/** The answer to a change that was made (protocol B.3). */
export function emptyAnswer(status = 200): Response {
  return new Response(null, { status, headers: { 'Content-Length': '0' } });
}

/**
 * Notary tells caches to share what only some may read (protocol G-48). Here an answer is `public` only if it was given
 * to an anonymous caller, since then everyone may read it; to a known user it is `private`, and says nothing to shared
 * caches. On a server without accounts all callers are anonymous, and the headers are Notary's.
 */
function setCaching(headers: Headers, kind: keyof MaxAge, seconds: number, gate: Gate): void {
  if (seconds === 0) {
    forbidCaching(headers);
    return;
  }
  const reach =
    gate.subject === undefined ? `public, max-age=${seconds}, s-maxage=${seconds}` : `private, max-age=${seconds}`;
  headers.set('Cache-Control', kind === 'current' ? `${reach}, must-revalidate` : reach);
}

function forbidCaching(headers: Headers): void {
  headers.set('Cache-Control', 'max-age=0, no-cache, no-store');
  headers.set('Pragma', 'no-cache');
}
