import { SignetError } from '../../core/errors/index.ts';
import type { Digest } from '../../core/names/digest.ts';
import { parseRange } from './byte-range.ts';
import { ociErrorResponse } from './oci-errors.ts';
import {
  contentHeaders,
  isKnownToClient,
  isSeenLongAgo,
  parseBlobDigest,
  type RegistryCall,
  type RegistryParts,
} from './services.ts';

const CONTENT = 'application/octet-stream';
/** A year: what a digest names never changes. */
const CACHE = 'max-age=31536000';

/** Sends a blob, or the range of it that the client asks for (protocol F.5 end-2). */
export async function getBlob(
  { index, blobs }: RegistryParts,
  { request, name: repository, groups: [item = ''] }: RegistryCall,
): Promise<Response> {
  const digest = parseBlobDigest(item);
  const content = (await index.blobs.get(repository, digest)) && (await blobs.read(digest));
  if (content === undefined) throw unknownBlob();
  const headers = blobHeaders(digest);
  if (isKnownToClient(request, digest)) return new Response(null, { status: 304, headers });
  try {
    const range = isOfOther(request, digest) ? undefined : parseRange(request.headers.get('range'), content.size);
    if (range === undefined) return new Response(content, { headers });
    headers.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${content.size}`);
    return new Response(content.slice(range.start, range.end), { status: 206, headers });
  } catch (error) {
    const refusal = ociErrorResponse(error, { 'Content-Range': `bytes */${content.size}` });
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** Tells whether a blob is there. The client may rely on it from now on, so the blob is kept for a while. */
export async function headBlob(
  parts: RegistryParts,
  { name: repository, groups: [item = ''] }: RegistryCall,
): Promise<Response> {
  const { index, blobs, clock } = parts;
  const digest = parseBlobDigest(item);
  const link = await index.blobs.get(repository, digest);
  const isThere =
    link !== undefined &&
    (!isSeenLongAgo(parts, link.seen) || (await index.blobs.touch(repository, digest, clock()))) &&
    (await blobs.read(digest)) !== undefined;
  if (!isThere) throw unknownBlob();
  const headers = blobHeaders(digest);
  headers.set('Content-Length', String(link.size));
  return new Response(null, { headers });
}

function blobHeaders(digest: Digest): Headers {
  const headers = contentHeaders(digest, CONTENT);
  headers.set('Accept-Ranges', 'bytes');
  headers.set('Cache-Control', CACHE);
  // Otherwise Bun tells the name of the file, without saying what for.
  headers.set('Content-Disposition', 'attachment');
  return headers;
}

/** Whether the range is asked for only if the content is another (RFC 9110 13.1.5): a digest's never changes, nor has it a date. */
function isOfOther(request: Request, digest: Digest): boolean {
  const condition = request.headers.get('if-range');
  return condition !== null && condition !== `"${digest}"`;
}

/** Takes a blob from the repository; its content goes with the next garbage collection (protocol F.5 end-10). */
export async function deleteBlob(
  { index }: RegistryParts,
  { name: repository, groups: [item = ''] }: RegistryCall,
): Promise<Response> {
  if (!(await index.blobs.unlink(repository, parseBlobDigest(item)))) throw unknownBlob();
  return new Response(null, { status: 202 });
}

function unknownBlob(): SignetError {
  return new SignetError('blob-unknown', 'the repository has no such blob');
}
