import { SignetError } from '../errors/index.ts';
import { quoted } from '../printable.ts';
import type { Named } from './brand.ts';

/** A TUF key ID or a canonical key ID (protocol A.4.1): 64 lower-case hexadecimal digits. */
export type KeyId = Named<'KeyId'>;

/** Parses a key ID. Throws `key-id-invalid`. */
export function parseKeyId(text: string): KeyId {
  if (!isKeyId(text)) throw new SignetError('key-id-invalid', `invalid key ID ${quoted(text, 80)}`);
  return text;
}

/** Whether a text is a valid key ID: 64 lower-case hexadecimal digits. */
export function isKeyId(text: string): text is KeyId {
  return /^[0-9a-f]{64}$/.test(text);
}
