import { SignetError } from '../../core/errors/index.ts';
import type { PassphraseOwner, PassphraseRequest } from '../../trust/keys/passphrases.ts';

/** A place where passphrases may be stored, so that the user need not be asked. */
export interface PassphraseSource {
  /** The passphrase, for the caller to wipe. Undefined if there is none for this key and the user should be asked. */
  find(request: PassphraseRequest): Promise<Buffer | undefined>;
  /** The error for a passphrase from this source that does not open the key. */
  refuse(request: PassphraseRequest): SignetError;
  /** Stores a passphrase that the user typed. A source with this method never has a passphrase for a new key. */
  keep?(owner: PassphraseOwner, passphrase: Buffer): Promise<void>;
}

/** The error for a wrong passphrase: docker's text for its variables (protocol C.3), a more specific one otherwise. */
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

/** A key's name in errors: `the alice key 0123456`. */
export function nameOfKey({ id, alias }: PassphraseRequest): string {
  return id === undefined ? `the ${alias} key` : `the ${alias} key ${id.slice(0, 7)}`;
}

/** A passphrase without one final line end, as added by editors and commands. Shares the memory of `text`. */
export function withoutLineEnd(text: Buffer): Buffer {
  const end = text.at(-1) === 0x0a ? text.length - 1 : text.length;
  return text.subarray(0, end > 0 && end < text.length && text[end - 1] === 0x0d ? end - 1 : end);
}
