import { existsSync } from 'node:fs';
import { parseServerAddress } from '../../../remote/transport/server-address.ts';

/** A trust server as it is typed: a whole address, or its host. Throws `server-address-invalid`. */
export function hostOrAddress(text: string): URL {
  return parseServerAddress(text.includes('://') ? text : `https://${text}`);
}

/**
 * A trust server as `hostOrAddress` reads it, or a file of copies: what is there as a file, what has a slash and no `://`, and
 * what ends like one. Undefined for a file.
 */
export function serverUnlessFile(text: string): URL | undefined {
  if (text.includes('://')) return parseServerAddress(text);
  const isHost = /^[a-z0-9.-]+(:\d+)?$/i.test(text) && /[.:]|^localhost$/i.test(text) && !/\.copy$/i.test(text);
  return isHost && !existsSync(text) ? hostOrAddress(text) : undefined;
}
