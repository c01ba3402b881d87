import type { Upload } from '../../core/accept/upload.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Call } from '../../http/call.ts';
import { parseParameterizedHeader } from '../../http/header-parameters.ts';
import { Refusal } from '../publish/refusal.ts';
import { boundaryOf, type FormPart, partsOf } from './multipart.ts';
import { readWholeBody } from './request-body.ts';

const [COMMA, OPENING_BRACE, OPENING_BRACKET] = Buffer.from(',{[');

/**
 * Reads the files of a publish request (protocol B.6.1, B.6.2) or of an import (I.2.1), at most `most`, with their names as
 * the client wrote them. Throws a `Refusal`: `upload-*`.
 */
export async function readUpload(call: Call, most: number = LIMITS.uploadParts): Promise<Upload['parts']> {
  const boundary = boundaryOf(call.request.headers.get('content-type'));
  const body = await readWholeBody(call);
  if (mostValues(body) > LIMITS.jsonValues) throw new Refusal('upload-too-large');
  return Array.from(partsOf(body, boundary, most), (part) => ({
    role: roleOf(part),
    bytes: part.content,
  }));
}

/** The `filename` of the part without `.json`. Its slashes belong to it: a delegation's name has them. */
function roleOf(part: FormPart): string {
  const disposition = parseParameterizedHeader(part.headers.get('content-disposition') ?? '');
  const filename = disposition?.value === 'form-data' ? disposition.parameters.get('filename') : undefined;
  const role = filename?.replace(/\.json$/, '') ?? '';
  if (role === '') throw new Refusal('upload-filename-missing');
  return role;
}

/**
 * How many JSON values the files can have together, at most, from the characters that they begin after. Counted before
 * anything is parsed, which takes a thousand times as long.
 */
function mostValues(body: Buffer): number {
  let values = 1;
  // By index: an iterator takes 25 times as long for the 64 MiB there can be.
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === COMMA || byte === OPENING_BRACE || byte === OPENING_BRACKET) values++;
  }
  return values;
}
