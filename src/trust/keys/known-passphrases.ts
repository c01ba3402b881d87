import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { PrivateKey } from '../../core/keys/private-key.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Passphrases } from './passphrases.ts';

/** How often a passphrase is asked for: once, and three times more, as docker does. */
const MAX_ATTEMPTS = 4;

/**
 * The passphrases that were right in one command, wiped by `close`. One that opened a key is tried first on the next of
 * the same alias, as docker does (protocol C.3).
 */
export class KnownPassphrases {
  private readonly source: Passphrases;
  private readonly known = new Map<string, Buffer>();

  constructor(source: Passphrases) {
    this.source = source;
  }

  /** The passphrase that was last right for a key of this alias; not for the caller to wipe. */
  of(alias: string): Buffer | undefined {
    return this.known.get(alias);
  }

  /** Takes a passphrase over, in place of the one that was known before. */
  remember(alias: string, passphrase: Buffer): void {
    const present = this.known.get(alias);
    if (present === passphrase) return;
    present?.fill(0);
    this.known.set(alias, passphrase);
  }

  /**
   * Opens a key with the passphrase that is known for its alias, else with one that is asked for. `open` throws
   * `key-passphrase-wrong` for one that does not fit; so does this if none did.
   */
  async unlock(
    id: KeyId | undefined,
    alias: string,
    open: (passphrase: Buffer) => PrivateKey,
  ): Promise<{ readonly key: PrivateKey; readonly passphrase: Buffer }> {
    const known = this.known.get(alias);
    const first = known === undefined ? undefined : tryOpen(open, known);
    if (known !== undefined && first !== undefined) return { key: first, passphrase: known };
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const passphrase = await this.source.existing({ id, alias }, attempt);
      let key: PrivateKey | undefined;
      try {
        key = tryOpen(open, passphrase);
      } finally {
        if (key === undefined) passphrase.fill(0);
      }
      if (key !== undefined) {
        this.remember(alias, passphrase);
        return { key, passphrase };
      }
    }
    throw new SignetError('key-passphrase-wrong', 'maximum number of passphrase attempts exceeded', {
      detail: { alias, ...(id === undefined ? {} : { id }) },
    });
  }

  close(): void {
    for (const passphrase of this.known.values()) passphrase.fill(0);
    this.known.clear();
  }
}

function tryOpen(open: (passphrase: Buffer) => PrivateKey, passphrase: Buffer): PrivateKey | undefined {
  try {
    return open(passphrase);
  } catch (error) {
    if (isSignetError(error, 'key-passphrase-wrong')) return undefined;
    throw error;
  }
}
