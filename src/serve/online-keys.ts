import type { Instant } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { LocalOnlineKeys } from '../notary/publish/local-online-keys.ts';
import type { OnlineKeyService } from '../notary/publish/online-key-service.ts';
import { provenKeys } from '../notary/publish/proven-keys.ts';
import { RemoteOnlineKeys } from '../notary/publish/remote-online-keys.ts';
import { Vault } from '../notary/publish/seal.ts';
import { openRemoteSigner } from '../notary/signer/remote-signer.ts';
import type { MetadataStore } from '../notary/store/metadata-store.ts';
import type { OnlineKeyStore } from '../notary/store/online-key-store.ts';
import type { DataFolder } from './data/data-folder.ts';
import { loadMasterKey } from './data/master-key.ts';
import { formatHostName } from './settings/host-name.ts';
import type { Settings } from './settings/settings.ts';
import { loadServerCertificate, readCertificates } from './tls/server-certificate.ts';

interface OnlineKeyOptions {
  readonly settings: Settings;
  readonly folder: DataFolder;
  readonly environment: Environment;
  readonly store: OnlineKeyStore;
  readonly metadata: MetadataStore;
  readonly now: () => Instant;
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
  if (settings.signer === undefined) return { keys: openLocalKeys(options, isSealedHere), close: () => undefined };
  const local = isSealedHere ? openLocalKeys(options, isSealedHere) : undefined;
  const signer = await openRemoteSigner({
    authority: formatHostName(settings.signer),
    ca: Buffer.from(
      readCertificates(settings.signerCa ?? '')
        .map(String)
        .join(''),
    ),
    client: clientOf(settings, now()),
  });
  const keys = new RemoteOnlineKeys({
    ...{ signer, store, local, type: REMOTE_TYPE, proven: provenKeys(metadata), clock: now },
  });
  return { keys, close: () => signer.close() };
}

function openLocalKeys(
  { settings, folder, environment, store, now }: OnlineKeyOptions,
  isInUse: boolean,
): LocalOnlineKeys {
  const masterKey = loadMasterKey({ folder, file: settings.masterKeyFile, environment, isInUse });
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
