import type { JsonValue } from './parse.ts';

/**
 * The canonical JSON bytes that Notary hashes and signs (protocol A.2): no white space, members sorted by
 * the bytes of their names, only `"` and `\` escaped, everything else raw UTF-8.
 */
export function canonicalize(value: JsonValue): Buffer {
  return Buffer.from(canonicalText(value), 'utf8');
}

/** `canonicalize` as text, before it is encoded. */
export function canonicalText(value: JsonValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number') return BigInt(value).toString();
  if (typeof value === 'boolean') return String(value);
  if (isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = [...value].sort(([a], [b]) => compareUtf8(a, b));
  return `{${members.map(([name, member]) => `${canonicalText(name)}:${canonicalText(member)}`).join(',')}}`;
}

const UNSAFE_IN_HTML = /[<>&\u2028\u2029]/g;

/**
 * The form in which Go writes canonical text into a file (protocol A.1.1): `<`, `>`, `&`, U+2028 and U+2029
 * become `\uXXXX`. What is signed is the text before this step, what is hashed into a snapshot the text after it.
 */
export function escapeForFile(canonical: string): string {
  return canonical.replace(
    UNSAFE_IN_HTML,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Orders strings as Go does, by their UTF-8 bytes; JavaScript's own order differs beyond the basic plane. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
