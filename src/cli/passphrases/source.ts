import { SignetError } from '../../core/errors/index.ts';
import type { PassphraseOwner, PassphraseRequest } from '../../trust/keys/passphrases.ts';

/** Somewhere a passphrase may lie, so that nobody has to be asked. */
export interface PassphraseSource {
  /** The passphrase, for the caller to wipe; undefined where there is none for this key, and a person is to be asked. */
  find(request: PassphraseRequest): Promise<Buffer | undefined>;
  /** The error for a passphrase from here that does not open the key. */
  refuse(request: PassphraseRequest): SignetError;
  /** Keeps what a person typed. A source that has this never has a passphrase for a new key. */
  keep?(owner: PassphraseOwner, passphrase: Buffer): Promise<void>;
}

/** What docker says of a passphrase from its variables (protocol C.3), or what else there is to say. */
export function wrongPassphrase(
  { id, alias }: PassphraseRequest,
  next: string,
  message = 'password invalid, operation has failed.',
): SignetError {
  return new SignetError('key-passphrase-wrong', message, {
    next,
    detail: { alias, ...(id === undefined ? {} : { id }) },
  });
}

/** A key as errors name it: `the alice key 0123456`. */
export function nameOfKey({ id, alias }: PassphraseRequest): string {
  return id === undefined ? `the ${alias} key` : `the ${alias} key ${id.slice(0, 7)}`;
}

/** A passphrase without the end of its line, of which an editor or a command leaves one. The same memory. */
export function withoutLineEnd(text: Buffer): Buffer {
  const end = text.at(-1) === 0x0a ? text.length - 1 : text.length;
  return text.subarray(0, end > 0 && end < text.length && text[end - 1] === 0x0d ? end - 1 : end);
}
