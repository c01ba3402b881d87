/**
 * Decodes RFC 4648 §4 base64 with padding and nothing else; undefined for every other text, so that one value has
 * one spelling.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * Decodes base64 as Go's `StdEncoding` does, for what docker and notary read so: line ends count nowhere, and the bits
 * behind the last byte do not matter. Undefined for every other text.
 */
export function decodeBase64AsGo(text: string): Buffer | undefined {
  const packed = text.replace(/[\r\n]/g, '');
  const isBase64 = packed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(packed);
  return isBase64 ? Buffer.from(packed, 'base64') : undefined;
}
