import type { Instant } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { LocalOnlineKeys } from '../notary/publish/local-online-keys.ts';
import type { OnlineKeyService } from '../notary/publish/online-key-service.ts';
import { Vault } from '../notary/publish/seal.ts';
import { SealedKeyVault } from '../notary/publish/sealed-key-vault.ts';
import type { OnlineKeyStore } from '../notary/store/online-key-store.ts';
import type { DataFolder } from './data/data-folder.ts';
import { loadMasterKey } from './data/master-key.ts';
import type { Settings } from './settings/settings.ts';

interface OnlineKeyOptions {
  readonly settings: Settings;
  readonly folder: DataFolder;
  readonly environment: Environment;
  readonly store: OnlineKeyStore;
  readonly now: () => Instant;
}

/** The kind of key for new repositories. */
const KEY_TYPE = 'ed25519';

/** The keys with which the trust server signs. Throws what `loadMasterKey` throws. */
export async function openOnlineKeys(options: OnlineKeyOptions): Promise<OnlineKeyService> {
  const { settings, folder, environment, store, now } = options;
  const isInUse = (await store.sample()) !== undefined;
  const masterKey = loadMasterKey({ folder, file: settings.masterKeyFile, environment, isInUse });
  try {
    return new LocalOnlineKeys(new SealedKeyVault(store, new Vault(masterKey)), KEY_TYPE, now);
  } finally {
    masterKey.fill(0);
  }
}
