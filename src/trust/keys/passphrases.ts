import type { KeyId } from '../../core/names/key-id.ts';

/**
 * The key that a passphrase is requested for.
 *
 * @example
 * ```ts
 * import type { PassphraseRequest } from 'signet';
 *
 * const question = ({ alias, id }: PassphraseRequest) => `Passphrase for the ${alias} key${id ? ` ${id.slice(0, 7)}` : ''}`;
 * assert.equal(question({ alias: 'root', id: undefined }), 'Passphrase for the root key');
 * ```
 */
export interface PassphraseRequest {
  /** Undefined for a key file that is being imported: it does not tell before it is open. */
  readonly id: KeyId | undefined;
  /** What the key is for: `root`, `targets`, `snapshot`, or a signer's name; `encrypted` for an import. */
  readonly alias: string;
}

/**
 * The key that a passphrase turned out to be right for.
 *
 * @example
 * ```ts
 * import type { PassphraseOwner } from 'signet';
 *
 * const opened: string[] = [];
 * const approve = async ({ alias, id }: PassphraseOwner) => void opened.push(`${alias} ${id}`);
 * ```
 */
export interface PassphraseOwner extends PassphraseRequest {
  readonly id: KeyId;
}

/**
 * A source of passphrases: the environment, a file, a command, a keychain, a prompt. The caller wipes every Buffer it
 * receives.
 *
 * @example
 * ```ts
 * import { type Passphrases, SignetError } from 'signet';
 *
 * const passphrases: Passphrases = {
 *   existing: async ({ alias }, attempt) => {
 *     if (attempt > 0) throw new SignetError('key-passphrase-wrong', `wrong passphrase for the ${alias} key`);
 *     return Buffer.from(process.env.SIGNING_PASSPHRASE ?? '');
 *   },
 *   fresh: async () => Buffer.from(process.env.SIGNING_PASSPHRASE ?? ''),
 * };
 * ```
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
