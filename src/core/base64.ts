/**
 * Decodes RFC 4648 §4 base64, padding required. Returns undefined for any other text, so each value has exactly one
 * encoding.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * Decodes base64 the way Go's `StdEncoding` does, for values that docker and notary decode with it: line ends are
 * skipped, and the unused bits of the last character are ignored. Returns undefined for any other text.
 */
export function decodeBase64AsGo(text: string): Buffer | undefined {
  const packed = text.replace(/[\r\n]/g, '');
  const isBase64 = packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
  return isBase64 ? Buffer.from(packed, 'base64') : undefined;
}
