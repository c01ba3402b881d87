import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { type Digest, isDigest } from '../../core/names/digest.ts';
import { isRepositoryPath } from '../../core/names/reference.ts';
import type { Scope } from '../../core/scope.ts';
import { removeBlob } from '../garbage.ts';
import { parseRepositoryName, parseUploadId, type RepositoryName, type UploadId, unknownUpload } from '../names.ts';
import { type ByteRange, parseContentRange } from './byte-range.ts';
import { ociErrorResponse } from './oci-errors.ts';
import { piecesOf } from './request-body.ts';
import { parseBlobDigest, type RegistryCall, type RegistryParts } from './services.ts';

/** Begins an upload, takes a whole blob at once, or mounts one from another repository (protocol F.5 end-4, end-11). */
export async function startUpload(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const { searchParams } = call.url;
  const digest = searchParams.get('digest');
  if (digest !== null) return takeWholeBlob(parts, call, parseBlobDigest(digest));
  const mounted = await mount(parts, call, searchParams.get('mount'), searchParams.get('from'));
  if (mounted !== undefined) return created(call.name, mounted);
  const upload = await beginUpload(parts, call);
  return progress(202, call.name, upload, 0);
}

/** The place is taken before anything is awaited, so that requests at the same time do not all find it free. */
async function beginUpload({ blobs, index, openUploads, clock }: RegistryParts, call: RegistryCall): Promise<UploadId> {
  const owner = ownerOf(call);
  openUploads.reserve(owner);
  let upload: UploadId | undefined;
  try {
    upload = await blobs.startUpload();
    await index.uploads.add(upload, call.name, clock());
    openUploads.begin(owner, upload, clock());
    return upload;
  } catch (error) {
    openUploads.giveBack(owner);
    if (upload !== undefined) await blobs.cancel(upload).catch(() => {});
    throw error;
  }
}

/** The source of a mount: the client gets by with one token if the challenge names it, too. */
export function mountSource(url: URL, repository: RepositoryName): readonly Scope[] {
  const from = url.searchParams.get('from');
  if (from === null || from === repository || !isRepositoryPath(from)) return [];
  return [{ type: 'repository', name: from, actions: ['pull'] }];
}

/** Tells how far an upload is (protocol F.5 end-13). */
export async function getUpload(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const upload = await findUpload(parts, call);
  return progress(204, call.name, upload, await parts.blobs.uploadSize(upload));
}

/** Adds a chunk, or with docker the whole blob as a stream of unknown length (protocol F.5 end-5). */
export async function patchUpload(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const upload = await findUpload(parts, call);
  return resumable(parts, call, upload, async () => {
    const size = await append(parts, call, upload);
    return progress(202, call.name, upload, size);
  });
}

/** Takes the last chunk, if any, and makes the upload a blob of the repository (protocol F.5 end-6). */
export async function finishUpload(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const upload = await findUpload(parts, call);
  const digest = parseBlobDigest(call.url.searchParams.get('digest'));
  return resumable(parts, call, upload, async () => {
    if (call.request.body !== null) await append(parts, call, upload);
    await commit(parts, call.name, upload, digest);
    parts.openUploads.end(upload);
    return created(call.name, digest);
  });
}

/** Gives an upload up (protocol F.5 end-14). */
export async function cancelUpload(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const upload = await findUpload(parts, call);
  await parts.blobs.cancel(upload);
  await parts.index.uploads.remove(upload);
  parts.openUploads.end(upload);
  return new Response(null, { status: 204 });
}

/** The client learns no UUID, so nothing can be resumed and nothing stays behind. */
async function takeWholeBlob(parts: RegistryParts, call: RegistryCall, digest: Digest): Promise<Response> {
  const { blobs, maxBlob } = parts;
  const upload = await blobs.startUpload();
  try {
    await blobs.append(upload, piecesOf(call), { offset: 0, limit: maxBlob });
    await commit(parts, call.name, upload, digest);
  } catch (error) {
    await blobs.cancel(upload).catch(() => {});
    throw error;
  }
  return created(call.name, digest);
}

/**
 * The mounted digest; undefined if the request asks for none, or for one that the caller cannot have. Then an upload
 * begins, as the specification has it (202): every client sends the blob itself. Docker's registry answers 401 to a token
 * without pull on the source; here only a caller who cannot push is challenged, with a challenge that names the source too.
 */
async function mount(
  { index, clock }: RegistryParts,
  { gate, name: repository }: RegistryCall,
  wanted: string | null,
  from: string | null,
): Promise<Digest | undefined> {
  if (wanted === null || from === null || !isDigest(wanted) || !isRepositoryPath(from)) return undefined;
  if (!(await gate.allows({ type: 'repository', name: from, actions: ['pull'] }))) return undefined;
  const isMounted = await index.blobs.mount(repository, parseRepositoryName(from), wanted, clock());
  return isMounted ? wanted : undefined;
}

/** Who is asked to finish uploads before more are begun. */
function ownerOf({ gate, address }: RegistryCall): string {
  return gate.subject === undefined ? `address ${address}` : `user ${gate.subject}`;
}

async function findUpload(
  { index, openUploads, clock }: RegistryParts,
  { name: repository, groups: [item = ''] }: RegistryCall,
): Promise<UploadId> {
  const upload = parseUploadId(item);
  if (!(await index.uploads.has(upload, repository))) throw unknownUpload();
  openUploads.use(upload, clock());
  return upload;
}

/** Appends the body, which must be as long as its Content-Range says. Returns the size of the upload. */
async function append({ blobs, maxBlob }: RegistryParts, call: RegistryCall, upload: UploadId): Promise<number> {
  const { headers } = call.request;
  const range = parseContentRange(headers.get('content-range'));
  if (range === undefined) {
    return blobs.append(upload, piecesOf(call), { offset: undefined, limit: maxBlob });
  }
  const length = headers.get('content-length');
  if (length !== null && Number(length) !== range.end - range.start) throw wrongSize(range);
  const body = piecesOf(call, (bytes) => {
    if (bytes > range.end - range.start) throw wrongSize(range);
  });
  const size = await blobs.append(upload, body, { offset: range.start, limit: maxBlob });
  if (size !== range.end) throw wrongSize(range);
  return size;
}

async function commit(
  { blobs, index, clock }: RegistryParts,
  repository: RepositoryName,
  upload: UploadId,
  digest: Digest,
): Promise<void> {
  let key: number | undefined;
  await blobs.commit(upload, digest, async (size) => {
    key = await index.blobs.announce(digest, size, clock());
  });
  if (key === undefined) throw new Error('the blob was committed without being announced');
  try {
    await index.blobs.link(repository, key, clock(), upload);
  } catch (error) {
    // It would lie there until the grace period is over, and be in the way of what the disk has no room for.
    if (isSignetError(error, 'disk-full')) {
      await removeBlob({ index, blobs }, digest, Number.MAX_SAFE_INTEGER).catch(() => {});
    }
    throw error;
  }
}

/**
 * Runs `work`; a chunk at the wrong place is answered with where the upload stands. A wrong digest ends the upload, and so
 * does a full disk: what came so far would keep it full.
 */
async function resumable(
  { blobs, index, openUploads }: RegistryParts,
  { name: repository }: RegistryCall,
  upload: UploadId,
  work: () => Promise<Response>,
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (isSignetError(error, 'blob-digest-mismatch', 'disk-full')) openUploads.end(upload);
    if (isSignetError(error, 'blob-digest-mismatch')) await index.uploads.remove(upload);
    if (isSignetError(error, 'disk-full')) await giveUp({ blobs, index }, upload);
    if (!isSignetError(error, 'blob-upload-range-invalid')) throw error;
    const { headers } = progress(202, repository, upload, await blobs.uploadSize(upload));
    const refusal = ociErrorResponse(error, headers);
    if (refusal === undefined) throw error;
    return refusal;
  }
}

/** Frees what the upload holds; its entry goes with the stale ones if nothing can be written now. */
async function giveUp({ blobs, index }: Pick<RegistryParts, 'blobs' | 'index'>, upload: UploadId): Promise<void> {
  await blobs.cancel(upload).catch(() => {});
  await index.uploads.remove(upload).catch(() => {});
}

function progress(status: 202 | 204, repository: RepositoryName, upload: UploadId, size: number): Response {
  const headers = {
    Location: `/v2/${repository}/blobs/uploads/${upload}`,
    // Docker's registry, too, gives the first byte as the end of what has none yet.
    Range: `0-${Math.max(0, size - 1)}`,
    'Docker-Upload-UUID': upload,
  };
  return new Response(null, { status, headers });
}

function created(repository: RepositoryName, digest: Digest): Response {
  const headers = { Location: `/v2/${repository}/blobs/${digest}`, 'Docker-Content-Digest': digest };
  return new Response(null, { status: 201, headers });
}

function wrongSize({ start, end }: ByteRange): SignetError {
  return new SignetError('blob-upload-size-mismatch', `the chunk does not have the ${end - start} bytes it announces`);
}
