import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { type JsonValue, parseJson } from '../../core/json/parse.ts';

/** The progress of one layer. */
export interface LayerProgress {
  readonly current: number;
  /** 0 if unknown. */
  readonly total: number;
  /** Start time in seconds since 1970; 0 if unknown. */
  readonly start: number;
  /** Unit of the numbers; empty for bytes. */
  readonly units: string;
  readonly hidesCounts: boolean;
}

/** One record of the response stream of a pull or push (protocol D.2). */
export interface EngineMessage {
  readonly id: string;
  readonly status: string;
  readonly progress: LayerProgress | undefined;
  /** The engine's error, which ends the stream. */
  readonly error: string | undefined;
  readonly aux: JsonValue | undefined;
}

const MAX_RECORD = 1024 * 1024;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const SPACE: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

/**
 * Reads a stream of concatenated JSON objects, each at most 1 MiB. Throws `engine-response-invalid` for anything else,
 * and for a stream that ends inside an object.
 */
export async function* readMessages(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<EngineMessage> {
  const records = new RecordSplitter();
  for await (const chunk of chunks) {
    for (const record of records.feed(chunk)) yield parseMessage(record);
  }
  records.end();
}

/** Splits bytes into top-level JSON objects; understands only strings and nesting. */
class RecordSplitter {
  private pending: Uint8Array[] = [];
  private length = 0;
  private depth = 0;
  private inString = false;
  private escaped = false;

  *feed(chunk: Uint8Array): Generator<Buffer> {
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.depth === 0 && !this.inString) {
        start = at;
        if (SPACE.has(byte)) continue;
        if (byte !== 0x7b) throw invalid('the engine sends something else than JSON objects');
      }
      this.step(byte);
      if (this.depth === 0) {
        this.keep(chunk.subarray(start, at + 1));
        yield this.take();
      }
    }
    if (this.depth > 0) this.keep(chunk.subarray(start));
  }

  end(): void {
    if (this.depth > 0) throw invalid('the answer of the engine ends too early');
  }

  private step(byte: number): void {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) this.inString = false;
    } else if (byte === QUOTE) {
      this.inString = true;
    } else if (OPENING.has(byte)) {
      this.depth++;
    } else if (CLOSING.has(byte)) {
      this.depth--;
    }
  }

  private keep(bytes: Uint8Array): void {
    this.length += bytes.length;
    if (this.length > MAX_RECORD) throw invalid('the engine sends an endless record');
    this.pending.push(Uint8Array.from(bytes));
  }

  private take(): Buffer {
    const record = Buffer.concat(this.pending);
    this.pending = [];
    this.length = 0;
    return record;
  }
}

function parseMessage(record: Buffer): EngineMessage {
  try {
    const message = new Fields(parseJson(record, { numbers: 'any' }), 'message', [], 'ignore');
    const text = (name: string) => message.optionalString(name) ?? '';
    const detail = message.raw('progressDetail');
    return {
      id: text('id'),
      status: text('status'),
      progress: detail instanceof Map ? parseProgress(detail) : undefined,
      error: parseError(message),
      aux: message.raw('aux') ?? undefined,
    };
  } catch (cause) {
    if (isSignetError(cause)) throw invalid(`the engine sends an unreadable record: ${cause.message}`, cause);
    throw cause;
  }
}

function parseProgress(value: JsonValue): LayerProgress {
  const detail = new Fields(value, 'progressDetail', [], 'ignore');
  return {
    current: number(detail, 'current'),
    total: number(detail, 'total'),
    start: number(detail, 'start'),
    units: detail.optionalString('units') ?? '',
    hidesCounts: detail.raw('hidecounts') === true,
  };
}

function parseError(message: Fields): string | undefined {
  const detail = message.raw('errorDetail');
  const precise =
    detail instanceof Map ? new Fields(detail, 'errorDetail', [], 'ignore').optionalString('message') : undefined;
  return precise ?? message.optionalString('error');
}

function number(fields: Fields, name: string): number {
  const value = fields.raw(name);
  return typeof value === 'number' ? value : 0;
}

function invalid(message: string, cause?: unknown): SignetError {
  return new SignetError('engine-response-invalid', message, { cause });
}
