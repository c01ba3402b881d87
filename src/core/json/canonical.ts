import { SignetError } from '../errors/index.ts';
import type { JsonValue } from './parse.ts';

/**
 * The canonical JSON bytes that Notary hashes and signs (protocol A.2): no white space, members sorted by the bytes of
 * their names, only `"` and `\` escaped, everything else raw UTF-8. Throws `json-number-unsafe` for a number that is
 * not a safe integer: it has no canonical form.
 */
export function canonicalize(value: JsonValue): Buffer {
  return Buffer.from(canonicalText(value), 'utf8');
}

/** `canonicalize` as text, before it is encoded. */
export function canonicalText(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number') return integerText(value);
  if (typeof value === 'boolean') return String(value);
  if (isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = [...value].sort(([a], [b]) => compareUtf8(a, b));
  return `{${members.map(([name, member]) => `${canonicalText(name)}:${canonicalText(member)}`).join(',')}}`;
}

const UNSAFE_IN_HTML = /[<>&\u2028\u2029]/g;
const CONTROL = /[\u0000-\u001f]/;

/**
 * Converts canonical text to the form in which Go writes it to a file (protocol A.1.1): `<`, `>`, `&`, U+2028 and
 * U+2029 become `\u` and four digits. Signatures are over the text before this step, snapshot hashes over the text
 * after it.
 *
 * Throws `json-malformed` for a control character: canonical text contains it raw, which no parser accepts (A.2).
 */
export function escapeForFile(canonical: string): string {
  if (CONTROL.test(canonical)) {
    throw new SignetError('json-malformed', 'a text with a control character cannot be written into a file');
  }
  return canonical.replace(
    UNSAFE_IN_HTML,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Orders strings by their UTF-8 bytes, as Go does. JavaScript's own order differs outside the basic plane. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function integerText(value: number): string {
  if (!Number.isSafeInteger(value)) {
    throw new SignetError('json-number-unsafe', `${value} is not a safe integer and has no canonical form`);
  }
  // Negative zero is written as zero.
  return String(value);
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
