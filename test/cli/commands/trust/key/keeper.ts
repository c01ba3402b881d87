import { join } from 'node:path';
import { SignersPassphrases } from '../../../../../src/cli/passphrases/passphrases.ts';
import { sealKey } from '../../../../../src/core/keys/key-file.ts';
import { generatePrivateKey, type PrivateKey } from '../../../../../src/core/keys/private-key.ts';
import type { Gun } from '../../../../../src/core/names/gun.ts';
import { KeyFolder } from '../../../../../src/store/key-folder.ts';
import { FileVault } from '../../../../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../../../../src/trust/keys/key-ring.ts';
import { Repository } from '../../../../../src/trust/publish/repository.ts';
import { type FakeSession, uninitialised } from '../../../fake-session.ts';

/** Somebody whose keys lie in docker's trust folder, and who is asked for their passphrases as at a terminal. */
export interface Keeper {
  readonly session: FakeSession;
  readonly folder: KeyFolder;
  /** A ring that has nothing open and knows no passphrase, as the next command has it. */
  reopen(): void;
}

export async function keeper(session?: FakeSession): Promise<Keeper> {
  const of = session ?? (await uninitialised());
  const folder = new KeyFolder(join(of.folder, 'trust'));
  const { source } = await of.repository();
  const place = of.place.bind(of);
  const reopen = () => {
    const places = async () => of.configuration.passphrases;
    const keyFiles = new FileVault(folder, new SignersPassphrases({ env: of.env, places, person: of }));
    const keys = new KeyRing(keyFiles);
    Object.defineProperty(of, 'keys', { value: keys, configurable: true });
    of.repository = async () => new Repository(source, keys);
    of.place = async (options) => {
      const named = await place(options);
      return {
        folder: named.folder,
        keys,
        keyFiles,
        gun: (name) => named.gun(name),
        migration: (name, servers) => named.migration(name, servers),
        catalogue: (registry) => named.catalogue(registry),
        copy: (name, from) => named.copy(name, from),
        importCopy: (copy) => named.importCopy(copy),
        orphan: (name) => named.orphan(name),
        cached: () => named.cached(),
        collection: (name, actions) => ({
          ...named.collection(name, actions),
          repository: new Repository(source, keys),
        }),
      };
    };
  };
  reopen();
  return { session: of, folder, reopen };
}

/** Stores a new key. It is sealed with one round, as more would only take time. */
export async function stored(
  { folder }: Keeper,
  role: string,
  options: { readonly passphrase?: string; readonly gun?: Gun; readonly type?: 'ecdsa' | 'ed25519' } = {},
): Promise<PrivateKey> {
  const { passphrase = '', gun, type = 'ecdsa' } = options;
  const key = generatePrivateKey(type);
  await folder.add(key.id, sealed(key, role, passphrase, gun));
  return key;
}

/** A key's file, sealed with one round; in the clear with an empty passphrase. */
export function sealed(key: PrivateKey, role: string, passphrase: string, gun?: Gun): Buffer {
  const options = { role, passphrase: Buffer.from(passphrase), iterations: 1 };
  return sealKey(key, gun === undefined ? options : { ...options, gun });
}

/** What a session has shown, and asked, so far. */
export function seen({ printed, errors, asked }: FakeSession) {
  return { printed, errors, asked: [...asked] };
}
