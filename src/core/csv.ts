import { SignetError } from './errors/index.ts';
import { quoted } from './printable.ts';

/** One `key=value` of a comma-separated option value, such as `type=registry,ref=IMAGE`, or a single word. */
export interface NamedField {
  /** The key in lower case, with surrounding spaces removed. */
  readonly name: string;
  /** The key as written. */
  readonly key: string;
  /** Undefined for a single word. */
  readonly value: string | undefined;
}

const LINE_END = /[\r\n]/;
const KEY = /^[!-~]+$/;

/**
 * Splits a comma-separated option value the way docker and buildx do (Go's encoding/csv, one record, neither lazy nor
 * trimming): quotes count only around a whole field, and a doubled quote inside one stands for a quote. Throws
 * `docker-value-unclear` for what they refuse, and for line ends, which they treat differently.
 */
export function readCsv(text: string): readonly string[] {
  if (text === '') throw unclear(text, 'it is empty');
  if (LINE_END.test(text)) throw unclear(text, 'it has more than one line');
  const fields: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    const isQuoted = text.charAt(at) === '"';
    const end = isQuoted ? afterQuotation(text, at) : endOfPlain(text, at);
    const field = text.slice(at, end);
    fields.push(isQuoted ? field.slice(1, -1).replaceAll('""', '"') : field);
    at = end;
  }
  return fields;
}

/** Writes fields so that `readCsv` reads them back. */
export function writeCsv(fields: readonly string[]): string {
  return fields.map((field) => (/^$|[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
}

/**
 * Parses a comma-separated option value into fields by key. A duplicate key is refused, because docker's parsers take
 * the last one and others the first; keys in `repeatable` may occur several times. Throws `docker-value-unclear`.
 */
export function readNamedFields(text: string, repeatable: readonly string[] = []): readonly NamedField[] {
  const fields = readCsv(text).map(readNamedField);
  const names = new Set<string>();
  for (const { name, key } of fields) {
    if (!KEY.test(name)) throw unclear(text, `${quoted(key, 100)} is no key`);
    if (names.has(name) && !repeatable.includes(name)) throw unclear(text, `${quoted(name, 100)} stands there twice`);
    names.add(name);
  }
  return fields;
}

/** Writes fields so that `readNamedFields` reads them back. */
export function writeNamedFields(fields: readonly NamedField[]): string {
  return writeCsv(fields.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)));
}

/**
 * Returns the value under a key, or undefined. Throws `docker-value-unclear` if the key is written with capital letters
 * or spaces, which only some parsers accept.
 */
export function fieldValue(fields: readonly NamedField[], name: string): string | undefined {
  const field = fields.find((each) => each.name === name);
  if (field === undefined || field.key === name) return field?.value;
  throw unclear(writeNamedFields(fields), `${quoted(field.key, 100)} is not written as ${quoted(name)}`);
}

function readNamedField(field: string): NamedField {
  const at = field.indexOf('=');
  const key = at < 0 ? field : field.slice(0, at);
  return { name: key.trim().toLowerCase(), key, value: at < 0 ? undefined : field.slice(at + 1) };
}

function endOfPlain(text: string, from: number): number {
  const comma = text.indexOf(',', from);
  const end = comma < 0 ? text.length : comma;
  if (text.slice(from, end).includes('"')) throw unclear(text, 'a quotation mark stands inside a field');
  return end;
}

function afterQuotation(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text.charAt(at) !== '"') continue;
    if (text.charAt(at + 1) === '"') at++;
    else if (at + 1 === text.length || text.charAt(at + 1) === ',') return at + 1;
    else throw unclear(text, 'something stands behind a quotation');
  }
  throw unclear(text, 'a quotation is not closed');
}

function unclear(text: string, reason: string): SignetError {
  return new SignetError('docker-value-unclear', `${quoted(text, 200)} is not read alike by every builder: ${reason}`);
}
