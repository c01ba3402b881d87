import { LIMITS } from '../core/limits.ts';
import type { Upload } from '../core/upload.ts';
import { parseParameterizedHeader } from './header-parameters.ts';
import { boundaryOf, type Part, partsOf } from './multipart.ts';
import { Refusal } from './refusal.ts';

/**
 * Reads the files of a publish request (protocol B.6.1, B.6.2), with their roles as the client wrote them.
 * Throws a `Refusal`: `upload-*`.
 */
export async function readUpload(request: Request): Promise<Upload['parts']> {
  // Nothing is ever unpacked, so no small request can become a large one.
  if ((request.headers.get('content-encoding') ?? 'identity').toLowerCase() !== 'identity') {
    throw new Refusal('upload-encoding-unsupported');
  }
  const boundary = boundaryOf(request.headers.get('content-type'));
  return Array.from(partsOf(await readBody(request), boundary), (part) => ({
    role: roleOf(part),
    bytes: part.content,
  }));
}

/** The `filename` of the part without `.json`. Its slashes belong to it: a delegation's name has them. */
function roleOf(part: Part): string {
  const disposition = parseParameterizedHeader(part.headers.get('content-disposition') ?? '');
  const filename = disposition?.value === 'form-data' ? disposition.parameters.get('filename') : undefined;
  const role = filename?.replace(/\.json$/, '') ?? '';
  if (role === '') throw new Refusal('upload-filename-missing');
  return role;
}

async function readBody(request: Request): Promise<Buffer> {
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
