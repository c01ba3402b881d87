import { SignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import type { Instant } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { openRemoteSigner } from '../notary/grpc/remote-signer.ts';
import { LocalOnlineKeys } from '../notary/publish/local-online-keys.ts';
import type { OnlineKeyService } from '../notary/publish/online-key-service.ts';
import { provenKeys } from '../notary/publish/proven-keys.ts';
import { RemoteOnlineKeys } from '../notary/publish/remote-online-keys.ts';
import { Vault } from '../notary/publish/seal.ts';
import { SealedKeyVault } from '../notary/publish/sealed-key-vault.ts';
import { KeyVaults } from '../notary/store/key-vaults.ts';
import { checkRights, findTables, hasNotary, refuseUnfit } from '../notary/store/notary-tables.ts';
import type { OnlineKeyStore } from '../notary/store/online-key-store.ts';
import { SignerKeyVault } from '../notary/store/signer-key-vault.ts';
import { parsePassphraseFile, type SignerPassphrases, signerPassphrases } from '../notary/store/signer-passphrases.ts';
import { readSmallFile } from '../store/files.ts';
import { SqlDatabase } from '../store/sql.ts';
import type { DataFolder } from './data/data-folder.ts';
import { isMasterKeyGiven, loadMasterKey } from './data/master-key.ts';
import { settleMasterKey } from './data/master-key-rotation.ts';
import type { Log } from './observe/log.ts';
import { type Address, formatHostName } from './settings/host-name.ts';
import type { Settings } from './settings/settings.ts';
import { type SignerDatabaseSettings, signerDatabaseOf, sqlOptionsOf } from './storage/database-of.ts';
import type { Storage } from './storage/storage.ts';
import { loadServerCertificate, readAuthorities } from './tls/server-certificate.ts';

/** What the keys that are sealed in a database are opened with. */
interface SealedKeyOptions {
  readonly settings: Pick<Settings, 'masterKeyFile'>;
  readonly folder: DataFolder;
  readonly environment: Environment;
  readonly storage: Pick<Storage, 'onlineKeys'>;
}

interface OnlineKeyOptions extends SealedKeyOptions {
  readonly settings: Settings;
  readonly storage: Storage;
  /** The database of a notary-signer that the settings name, as `openSignerKeys` has opened it. */
  readonly signerDatabase: SqlDatabase | undefined;
  readonly log: Log;
  readonly now: () => Instant;
}

interface OpenOnlineKeys {
  readonly keys: OnlineKeyService;
  close(): Promise<void>;
}

/** The kinds of key for new repositories: what this server makes, and what Notary's server has its signer make. */
const [KEY_TYPE, REMOTE_TYPE] = ['ed25519', 'ecdsa'] as const;

/**
 * Opens the database of a notary-signer that the settings name, if any, and sees that the newest key in it, or in the server's
 * own, opens: what fails here has changed nothing anywhere. Throws what `openSignerDatabase`, `readPassphrases` and
 * `SignerKeyVault.check` throw.
 */
export async function openSignerKeys(
  { settings, environment }: Pick<OnlineKeyOptions, 'settings' | 'environment'>,
  own: SqlDatabase | undefined,
): Promise<SqlDatabase | undefined> {
  if (settings.mirror.length > 0 || settings.signer !== undefined) return undefined;
  const passphrases = readPassphrases(settings, environment);
  const named = await openSignerDatabase(settings);
  try {
    const database = named ?? (await ownSigner(own));
    if (database !== undefined) await new SignerKeyVault(database, passphrases).check();
    return named;
  } catch (error) {
    await named?.close();
    throw error;
  }
}

/** The server's database, if a notary-signer has its keys there, too. */
async function ownSigner(database: SqlDatabase | undefined): Promise<SqlDatabase | undefined> {
  if (database === undefined) return undefined;
  const found = await findTables(database);
  if (!hasNotary(found, 'signer')) return undefined;
  refuseUnfit(found, 'signer');
  return database;
}

/**
 * The keys with which the trust server signs: behind the signer that the settings name, or those of a notary-signer's
 * database if there are any, or else its own. Throws what `loadMasterKey` throws, and `certificate-unusable`. Whether a signer is there, only the health of the keys tells.
 */
export async function openOnlineKeys(options: OnlineKeyOptions): Promise<OpenOnlineKeys> {
  const { settings, storage, environment, log, now, signerDatabase: database = storage.signerDatabase } = options;
  if (settings.signer !== undefined) return openRemoteKeys(options, settings.signer);
  const close = async () => {};
  if (database === undefined) {
    if (storage.isNotarys) await warnOfMissingSigner(storage, log);
    return { keys: new LocalOnlineKeys(await ownVault(options), KEY_TYPE, now), close };
  }
  const signer = new SignerKeyVault(database, readPassphrases(settings, environment));
  for (const { alias, keys } of await signer.lockedAliases()) {
    log.warn('keys of notary-signer cannot be opened: the passphrase of their alias is not given', { alias, keys });
  }
  // A server that was started without the signer's keys has made some of its own, which repositories use by now.
  const isOwnInUse = (await storage.onlineKeys.sample()) !== undefined;
  const vault = isOwnInUse ? new KeyVaults(signer, [await ownVault(options)]) : signer;
  return { keys: new LocalOnlineKeys(vault, await signer.newKeysType(), now), close };
}

/**
 * The database of a notary-signer that the settings name. Throws what `SqlDatabase.open` throws, `database-not-notary`,
 * `database-half-migrated` or `database-rights-missing`.
 */
export async function openSignerDatabase(settings: SignerDatabaseSettings): Promise<SqlDatabase | undefined> {
  const server = signerDatabaseOf(settings);
  if (server === undefined) return undefined;
  const database = await SqlDatabase.open(server, sqlOptionsOf(settings));
  try {
    const found = await findTables(database);
    if (!hasNotary(found, 'signer')) {
      throw new SignetError('database-not-notary', `${server} has no table private_keys of a notary-signer`, {
        next: 'Name the database of notary-signer as --signer-database, or leave the setting out.',
      });
    }
    refuseUnfit(found, 'signer');
    await checkRights(database, 'signer');
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The passphrases of a notary-signer's keys. Throws `settings-unreadable` or `setting-invalid`. */
export function readPassphrases(
  { signerPassphrases: path }: Pick<Settings, 'signerPassphrases'>,
  environment: Environment,
): SignerPassphrases {
  if (path === undefined) return signerPassphrases(environment);
  const bytes = readSmallFile(path, LIMITS.keyFile, true);
  if (bytes === undefined) {
    throw new SignetError('settings-unreadable', `there is no file ${path}, which signerPassphrases names`);
  }
  const file = parsePassphraseFile(bytes.toString('utf8'), path);
  bytes.fill(0);
  return signerPassphrases(environment, file);
}

async function openRemoteKeys(options: OnlineKeyOptions, address: Address): Promise<OpenOnlineKeys> {
  const { settings, storage, now } = options;
  const store = storage.onlineKeys;
  const isOwnInUse = (await store.sample()) !== undefined;
  const local = isOwnInUse ? new LocalOnlineKeys(await ownVault(options), KEY_TYPE, now) : undefined;
  const signer = await openRemoteSigner({
    authority: formatHostName(address),
    ca: readAuthorities(settings.signerCa ?? ''),
    client: clientOf(settings, now()),
  });
  const proven = provenKeys(storage.metadata);
  const keys = new RemoteOnlineKeys({ signer, store, local, type: REMOTE_TYPE, proven, clock: now });
  return { keys, close: async () => signer.close() };
}

function clientOf({ signerCertificate, signerKey }: Settings, now: Instant) {
  if (signerCertificate === undefined || signerKey === undefined) return undefined;
  const { chain, key } = loadServerCertificate(signerCertificate, signerKey, now);
  return { chain: Buffer.from(chain), key: Buffer.from(key) };
}

/** The keys that are sealed in a database, under the master key. Throws what `loadMasterKey` throws. */
export async function ownVault({ settings, folder, environment, storage }: SealedKeyOptions): Promise<SealedKeyVault> {
  const store: OnlineKeyStore = storage.onlineKeys;
  const file = settings.masterKeyFile;
  if (!isMasterKeyGiven(environment)) await settleMasterKey({ path: file ?? folder.masterKey, store });
  const isInUse = (await store.sample()) !== undefined;
  const masterKey = loadMasterKey({ folder, file, environment, isInUse });
  try {
    return new SealedKeyVault(store, new Vault(masterKey));
  } finally {
    masterKey.fill(0);
  }
}

/** Without the keys that the roots name, all that a Notary published can be read until its timestamps expire. */
async function warnOfMissingSigner({ metadata }: Storage, log: Log): Promise<void> {
  const [published] = await metadata.changes({ direction: 'before', id: 0, limit: 1 });
  if (published === undefined) return;
  log.warn('the keys of notary-signer are not here: what Notary published can neither be renewed nor published onto', {
    next: 'Name its database: signet serve --signer-database URL; and see what is missing: signet serve --check',
  });
}
