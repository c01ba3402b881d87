import type { KeyId } from '../../core/names/key-id.ts';

/** The key that a passphrase is asked for. */
export interface PassphraseRequest {
  /** Undefined for a key file that is being imported: it does not tell before it is open. */
  readonly id: KeyId | undefined;
  /** What the key is for: `root`, `targets`, `snapshot`, or a signer's name; `encrypted` for an import. */
  readonly alias: string;
}

/** The key that a passphrase has turned out to be right for. */
export interface PassphraseOwner extends PassphraseRequest {
  readonly id: KeyId;
}

/**
 * Where passphrases come from: the environment, a file, a command, a keychain, a prompt. Every Buffer given away is the
 * receiver's to wipe.
 */
export interface Passphrases {
  /**
   * The passphrase of an existing key; `attempt` counts from 0. A source that has nothing else to offer after a wrong
   * one throws `key-passphrase-wrong`.
   */
  existing(request: PassphraseRequest, attempt: number): Promise<Buffer>;
  /** A passphrase for a new key. Empty means that the key is stored in the clear, as docker allows. */
  fresh(request: PassphraseRequest): Promise<Buffer>;
  /**
   * Told once for each key that was opened or sealed with a passphrase of `existing` or `fresh`: the very Buffer that
   * was given away, not yet wiped.
   */
  approve?(owner: PassphraseOwner, passphrase: Buffer): Promise<void>;
}
