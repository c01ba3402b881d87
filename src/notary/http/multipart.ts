import { LIMITS } from '../../core/limits.ts';
import { parseParameterizedHeader } from '../../http/header-parameters.ts';
import { Refusal } from '../publish/refusal.ts';

/** One part of a form: its header fields, by name in lower case, and its content. */
export interface FormPart {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: Buffer;
}

const CRLF = Buffer.from('\r\n');
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
const MAX_HEADERS = 8 * 1024;
/** RFC 2046: at most 70 characters of these, not ending in a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const HEADER_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)$/s;
/** Encodings that leave the content as it is. */
const PLAIN_ENCODINGS = ['7bit', '8bit', 'binary'];

/** The boundary that a `multipart/form-data` Content-Type gives. Throws `upload-malformed`. */
export function boundaryOf(contentType: string | null): string {
  const header = parseParameterizedHeader(contentType ?? '');
  const boundary = header?.parameters.get('boundary') ?? '';
  if (header?.value !== 'multipart/form-data' || !BOUNDARY.test(boundary)) throw malformed();
  return boundary;
}

/**
 * The parts of a form (RFC 2046, 5.1.1), read strictly, one after the other as they are asked for: no text before the
 * first or after the last part but a line break, no padded boundary lines, no encoded contents, and the closing
 * boundary must be there. Contents share memory with `body`.
 *
 * Throws `upload-malformed`, or `upload-too-large` for a part beyond `LIMITS.metadata` or more parts than `most`.
 */
export function* partsOf(body: Buffer, boundary: string, most: number = LIMITS.uploadParts): Generator<FormPart> {
  const dashBoundary = Buffer.from(`--${boundary}`);
  const delimiter = Buffer.concat([CRLF, dashBoundary]);
  let at = startsWith(body, CRLF, 0) ? CRLF.length : 0;
  if (!startsWith(body, dashBoundary, at)) throw malformed();
  at += dashBoundary.length;
  for (let count = 0; !isClosed(body, at); count++) {
    if (count === most) throw new Refusal('upload-too-large');
    // Sought from the boundary's own line break, which is half of the blank line if there are no headers.
    const headersEnd = body.indexOf(END_OF_HEADERS, at);
    if (headersEnd < 0 || headersEnd - at > MAX_HEADERS) throw malformed();
    const contentStart = headersEnd + END_OF_HEADERS.length;
    const headers = readHeaders(body.toString('utf8', at + CRLF.length, headersEnd));
    // A boundary among the headers, or right behind them, ends the part to some readers and belongs to it to others.
    const contentEnd = body.indexOf(delimiter, at);
    if (contentEnd < contentStart) throw malformed();
    if (contentEnd - contentStart > LIMITS.metadata) throw new Refusal('upload-too-large');
    yield { headers, content: body.subarray(contentStart, contentEnd) };
    at = contentEnd + delimiter.length;
  }
}

/** Whether the boundary that ends at `at` is the last one; refuses what is neither that nor followed by a part. */
function isClosed(body: Buffer, at: number): boolean {
  if (startsWith(body, CRLF, at)) return false;
  const rest = body.toString('latin1', at, at + 5);
  if (rest !== '--' && rest !== '--\r\n') throw malformed();
  return true;
}

function readHeaders(text: string): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  if (text === '') return headers;
  for (const line of text.split('\r\n')) {
    const [, name, value] = HEADER_LINE.exec(line) ?? [];
    const key = name?.toLowerCase();
    if (key === undefined || value === undefined || headers.has(key)) throw malformed();
    headers.set(key, value.trimEnd());
  }
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary';
  if (!PLAIN_ENCODINGS.includes(encoding)) throw malformed();
  return headers;
}

function startsWith(body: Buffer, prefix: Buffer, at: number): boolean {
  return body.subarray(at, at + prefix.length).equals(prefix);
}

function malformed(): Refusal {
  return new Refusal('upload-malformed');
}
