/** Receives the parts of one response in order: its head, its body in pieces, its end. */
export interface ResponseSink {
  head(status: number, headers: Headers): void;
  data(bytes: Uint8Array): void;
  /** `isLast`: the server sends nothing more on this connection. */
  end(isLast: boolean): void;
}

type Part = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'rest';

const MAX_HEAD = 64 * 1024;
const MAX_HEADERS = 256;
/** The longest line: a chunk's size with its extensions, or a trailer. */
const MAX_LINE = 4096;
const PROTOCOL = 'HTTP/1.';
const STATUS = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LENGTH = /^\d{1,15}$/;
const CHUNK_SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;|$)/;

/**
 * Parses the responses to requests, none of them HEAD, that follow each other on one connection (RFC 9112). Strict:
 * anything two parsers could read differently is refused with code `InvalidHTTPResponse`.
 */
export class ResponseReader {
  private readonly sink: ResponseSink;
  private unread: Buffer = Buffer.alloc(0);
  private part: Part = 'head';
  /** Bytes of the body or chunk that are still missing. */
  private left = 0;
  private isLast = false;

  constructor(sink: ResponseSink) {
    this.sink = sink;
  }

  push(bytes: Uint8Array): void {
    this.unread = this.unread.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.unread, bytes]);
    while (this.advance());
  }

  /** The connection has ended. Returns whether that properly ended a response. */
  close(): boolean {
    if (this.part !== 'rest') return false;
    this.end();
    return true;
  }

  /** Parses the next part; returns false if it needs more bytes. */
  private advance(): boolean {
    switch (this.part) {
      case 'head':
        return this.isHttp() && this.reads('\r\n\r\n', MAX_HEAD, (text) => this.readHead(text));
      case 'body':
      case 'chunk':
        return this.readBody();
      case 'chunk-size':
        return this.reads('\r\n', MAX_LINE, (text) => this.readChunkSize(text));
      case 'chunk-end':
        return this.reads('\r\n', 0, () => this.expect('chunk-size'));
      case 'trailer':
        return this.reads('\r\n', MAX_LINE, (text) => (text === '' ? this.end() : undefined));
      case 'rest':
        return this.passOn(this.unread.length);
    }
  }

  /** False if it needs more bytes. Anything but HTTP fails without waiting for its end. */
  private isHttp(): boolean {
    const start = this.unread.toString('latin1', 0, PROTOCOL.length);
    if (!PROTOCOL.startsWith(start)) throw invalid();
    return start === PROTOCOL;
  }

  private reads(delimiter: string, limit: number, read: (text: string) => void): boolean {
    const end = this.unread.indexOf(delimiter);
    if (end > limit || (end < 0 && this.unread.length >= limit + delimiter.length)) throw invalid();
    if (end < 0) return false;
    const text = this.unread.toString('latin1', 0, end);
    this.unread = this.unread.subarray(end + delimiter.length);
    read(text);
    return true;
  }

  private readHead(text: string): void {
    const [first = '', ...lines] = text.split('\r\n');
    const [, minor, digits] = STATUS.exec(first) ?? [];
    if (digits === undefined || lines.length > MAX_HEADERS) throw invalid();
    const status = Number(digits);
    const headers = readHeaders(lines);
    if (status === 101) throw invalid();
    if (status < 200) return;
    const { part, left } = bodyOf(status, headers);
    this.isLast = minor === '0' || part === 'rest' || /\bclose\b/i.test(headers.get('connection') ?? '');
    this.sink.head(status, headers);
    this.expect(part, left);
    if (part === 'body' && left === 0) this.end();
  }

  private readChunkSize(text: string): void {
    const [, digits] = CHUNK_SIZE.exec(text) ?? [];
    if (digits === undefined) throw invalid();
    const size = Number.parseInt(digits, 16);
    this.expect(size === 0 ? 'trailer' : 'chunk', size);
  }

  private readBody(): boolean {
    const length = Math.min(this.left, this.unread.length);
    this.left -= length;
    const isPassedOn = this.passOn(length);
    if (this.left > 0) return isPassedOn;
    if (this.part === 'body') this.end();
    else this.expect('chunk-end');
    return true;
  }

  private passOn(length: number): boolean {
    if (length === 0) return false;
    const bytes = this.unread.subarray(0, length);
    this.unread = this.unread.subarray(length);
    this.sink.data(bytes);
    return true;
  }

  private expect(part: Part, left = 0): void {
    this.part = part;
    this.left = left;
  }

  private end(): void {
    this.expect('head');
    this.sink.end(this.isLast);
  }
}

/** How the body is delimited (RFC 9112, 6.3), for requests other than HEAD. */
function bodyOf(status: number, headers: Headers): { readonly part: Part; readonly left: number } {
  const [length, encoding] = [headers.get('content-length'), headers.get('transfer-encoding')];
  if (encoding !== null && (encoding.toLowerCase() !== 'chunked' || length !== null)) throw invalid();
  if (length !== null && !LENGTH.test(length)) throw invalid();
  if (status === 204 || status === 304) return { part: 'body', left: 0 };
  if (encoding !== null) return { part: 'chunk-size', left: 0 };
  return length === null ? { part: 'rest', left: 0 } : { part: 'body', left: Number(length) };
}

function readHeaders(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1)];
    if (!NAME.test(name)) throw invalid();
    try {
      headers.append(name, value);
    } catch {
      throw invalid();
    }
  }
  return headers;
}

function invalid(): Error {
  return Object.assign(new Error('the response is not of HTTP/1.1'), { code: 'InvalidHTTPResponse' });
}
