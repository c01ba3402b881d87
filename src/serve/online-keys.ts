import type { Instant } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { openRemoteSigner } from '../notary/grpc/remote-signer.ts';
import { LocalOnlineKeys } from '../notary/publish/local-online-keys.ts';
import type { OnlineKeyService } from '../notary/publish/online-key-service.ts';
import { provenKeys } from '../notary/publish/proven-keys.ts';
import { RemoteOnlineKeys } from '../notary/publish/remote-online-keys.ts';
import { Vault } from '../notary/publish/seal.ts';
import type { MetadataStore } from '../notary/store/metadata-store.ts';
import type { OnlineKeyStore } from '../notary/store/online-key-store.ts';
import type { DataFolder } from './data/data-folder.ts';
import { isMasterKeyGiven, loadMasterKey } from './data/master-key.ts';
import { settleMasterKey } from './data/master-key-rotation.ts';
import { formatHostName } from './settings/host-name.ts';
import type { Settings } from './settings/settings.ts';
import { loadServerCertificate, readAuthorities } from './tls/server-certificate.ts';

interface LocalKeyOptions {
  readonly settings: Pick<Settings, 'masterKeyFile'>;
  readonly folder: DataFolder;
  readonly environment: Environment;
  readonly store: OnlineKeyStore;
  readonly now: () => Instant;
}

interface OnlineKeyOptions extends LocalKeyOptions {
  readonly settings: Settings;
  readonly metadata: MetadataStore;
}

/** The keys with which the trust server signs. */
interface OpenOnlineKeys {
  readonly keys: OnlineKeyService;
  close(): void;
}

/** The kinds of key for new repositories: what this server makes, and what Notary's server has its signer make. */
const [LOCAL_TYPE, REMOTE_TYPE] = ['ed25519', 'ecdsa'] as const;

/**
 * Opens the keys that the settings name: sealed in the database, or behind a signer. Throws what `loadMasterKey` throws,
 * and `certificate-unusable`. Whether the signer is there, only the health of the keys tells.
 */
export async function openOnlineKeys(options: OnlineKeyOptions): Promise<OpenOnlineKeys> {
  const { settings, store, metadata, now } = options;
  const isSealedHere = (await store.sample()) !== undefined;
  if (settings.signer === undefined) return { keys: await openLocalKeys(options), close: () => undefined };
  const local = isSealedHere ? await openLocalKeys(options) : undefined;
  const signer = await openRemoteSigner({
    authority: formatHostName(settings.signer),
    ca: readAuthorities(settings.signerCa ?? ''),
    client: clientOf(settings, now()),
  });
  const keys = new RemoteOnlineKeys({
    ...{ signer, store, local, type: REMOTE_TYPE, proven: provenKeys(metadata), clock: now },
  });
  return { keys, close: () => signer.close() };
}

/** Opens the keys that are sealed in a database. Throws what `loadMasterKey` throws. */
export async function openLocalKeys(options: LocalKeyOptions): Promise<LocalOnlineKeys> {
  const { settings, folder, environment, store, now } = options;
  const file = settings.masterKeyFile;
  if (!isMasterKeyGiven(environment)) await settleMasterKey({ path: file ?? folder.masterKey, store });
  const isInUse = (await store.sample()) !== undefined;
  const masterKey = loadMasterKey({ folder, file, environment, isInUse });
  try {
    return new LocalOnlineKeys(store, new Vault(masterKey), LOCAL_TYPE, now);
  } finally {
    masterKey.fill(0);
  }
}

function clientOf({ signerCertificate, signerKey }: Settings, now: Instant) {
  if (signerCertificate === undefined || signerKey === undefined) return undefined;
  const { chain, key } = loadServerCertificate(signerCertificate, signerKey, now);
  return { chain: Buffer.from(chain), key: Buffer.from(key) };
}
