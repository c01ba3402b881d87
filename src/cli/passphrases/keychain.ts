import { isUtf8 } from 'node:buffer';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { wipe } from '../../core/login.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { Environment } from '../../core/variables.ts';
import { CredentialHelper } from '../../store/credential-helper.ts';
import type { PassphraseOwner } from '../../trust/keys/passphrases.ts';
import { type PassphrasePlaces, placeFor } from '../../trust/settings/passphrase-places.ts';
import { nameOfKey, type PassphraseSource, wrongPassphrase } from './source.ts';

/** No registry can have this name, so it cannot collide with docker's logins. */
const ADDRESS = 'https://signet.key/';
/** The same for every key, as some helpers keep one entry per pair of address and user. */
const USER = 'signet';

/** Where passphrases may be stored, according to the settings and the environment. */
export interface KeychainSettings {
  readonly places: PassphrasePlaces;
  readonly env: Environment;
}

/**
 * The passphrases of keys in the system's keychain, accessed through docker's credential helpers (protocol F.3): one
 * entry per key, `https://signet.key/<key ID>`. Throws `credential-helper-*`.
 */
export class Keychain {
  readonly helper: string;
  private readonly program: CredentialHelper;

  constructor(helper: string, env: Environment) {
    this.helper = helper;
    this.program = new CredentialHelper(helper, env);
  }

  /** The passphrase of a key, for the caller to wipe. Undefined if there is none. */
  async find(id: KeyId): Promise<Buffer | undefined> {
    const entry = await this.explained(this.program.get(addressOf(id)));
    if (entry === undefined) return undefined;
    const passphrase = Buffer.from(entry.identityToken ?? entry.password);
    wipe(entry);
    return passphrase.length === 0 ? undefined : passphrase;
  }

  /** Stores the passphrase of a key, replacing any other. Throws also `passphrase-unfit`. */
  async remember(id: KeyId, passphrase: Buffer): Promise<void> {
    if (!isUtf8(passphrase)) throw new SignetError('passphrase-unfit', 'a keychain keeps only text in UTF-8');
    const entry = { username: USER, password: passphrase, identityToken: undefined, registryToken: undefined };
    await this.explained(this.program.store(addressOf(id), entry));
  }

  /** Deletes the passphrase of a key. Does nothing if there is none. */
  async forget(id: KeyId): Promise<void> {
    await this.explained(this.program.erase(addressOf(id)));
  }

  private explained<T>(work: Promise<T>): Promise<T> {
    return work.catch((cause: unknown) => {
      if (!isSignetError(cause)) throw cause;
      throw cause.reworded(cause.message, {
        next: `Check that docker-credential-${this.helper} is installed, and that the keychain is open.`,
      });
    });
  }
}

/** The keychain that is configured for keys of this alias. Undefined if there is none. */
export function keychainFor({ places, env }: KeychainSettings, alias: string): Keychain | undefined {
  const place = placeFor(places, alias);
  return place?.kind === 'keychain' ? new Keychain(place.helper, env) : undefined;
}

/**
 * Stores the passphrase of a key in the keychain that is configured for it. Returns false if there is none. Throws
 * `credential-helper-*` or `passphrase-unfit`.
 */
export async function rememberPassphrase(
  settings: KeychainSettings,
  { id, alias }: PassphraseOwner,
  passphrase: Buffer,
): Promise<boolean> {
  const keychain = keychainFor(settings, alias);
  await keychain?.remember(id, passphrase);
  return keychain !== undefined;
}

/**
 * Deletes the passphrase of a key from the keychain that is configured for it. Returns false if there is none. Throws
 * `credential-helper-*`.
 */
export async function forgetPassphrase(settings: KeychainSettings, { id, alias }: PassphraseOwner): Promise<boolean> {
  const keychain = keychainFor(settings, alias);
  await keychain?.forget(id);
  return keychain !== undefined;
}

/** The keychain as a source. A passphrase that the user types for one of its keys is stored in it. */
export function keychainSource(keychain: Keychain): PassphraseSource {
  const program = `docker-credential-${keychain.helper}`;
  return {
    find: async ({ id }) => (id === undefined ? undefined : keychain.find(id)),
    keep: ({ id }, passphrase) => keychain.remember(id, passphrase),
    refuse: (request) =>
      wrongPassphrase(
        request,
        `Take it out of the keychain to be asked: echo ${addressOf(request.id)} | ${program} erase`,
        `the passphrase that ${program} keeps does not open ${nameOfKey(request)}`,
      ),
  };
}

function addressOf(id: KeyId | undefined): string {
  return `${ADDRESS}${id ?? ''}`;
}
