import { hostname } from 'node:os';
import { SignetError } from '../core/errors/index.ts';
import { DAY, type Instant } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { LocalOnlineKeys } from '../notary/publish/local-online-keys.ts';
import { startGrpcServer } from '../notary/signer/grpc-server.ts';
import { SignerService } from '../notary/signer/signer-service.ts';
import { SignerKeyVault } from '../notary/store/signer-key-vault.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../notary/store/sqlite-online-key-store.ts';
import { removeDrafts } from '../store/drafts.ts';
import { openDatabase } from '../store/sqlite.ts';
import { type DataFolder, openDataFolder } from './data/data-folder.ts';
import { lockFolder } from './data/folder-lock.ts';
import { isMasterKeyGiven } from './data/master-key.ts';
import { rotateMasterKey } from './data/master-key-rotation.ts';
import type { Log } from './observe/log.ts';
import { warnOfOpenSecrets } from './observe/open-secrets.ts';
import { openSignerDatabase, ownVault, readPassphrases } from './online-keys.ts';
import { type Address, formatHostName } from './settings/host-name.ts';
import { SETTINGS } from './settings/settings.ts';
import { Authority } from './tls/authority.ts';
import { OwnNames } from './tls/own-names.ts';
import { loadServerCertificate, notAfter, readAuthorities } from './tls/server-certificate.ts';

/** What `signet signer` is told. */
export interface SignerSettings {
  readonly data: string;
  readonly listen: Address;
  /** Files of a certificate of the user's own; one of the folder's authority otherwise. */
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  /** The file of the authorities of those who may call; undefined lets anyone in, and must be said by name. */
  readonly clientCa: string | undefined;
  readonly masterKeyFile: string | undefined;
  /** The file of the URL of a notary-signer's database, whose keys are used in place of those of the data folder. */
  readonly databaseFile: string | undefined;
  /** The file of the passphrases of that database, beside those of the environment. */
  readonly passphrases: string | undefined;
}

interface SignerContext {
  readonly environment: Environment;
  readonly log: Log;
  readonly now: () => Instant;
}

/** A running signer. */
export interface RunningSigner {
  readonly port: number;
  /** The file of the authority of its certificate, for those who call; undefined for a certificate of the user's own. */
  readonly authority: string | undefined;
  stop(): Promise<void>;
}

/** The kind of key that a call without one would get; every call says one. */
const KEY_TYPE = 'ecdsa';
/** Seconds for running calls to end. */
const GRACE = 10;
const SOON = 30 * DAY;

/**
 * Starts a signer for Notary servers on the keys of a data folder, which it makes if there is none. Throws a SignetError, with
 * nothing left running or locked, if anything is not as it must be.
 */
export async function startSigner(settings: SignerSettings, context: SignerContext): Promise<RunningSigner> {
  await using cleanup = new AsyncDisposableStack();
  const { environment, log, now } = context;
  const clientCa = settings.clientCa === undefined ? undefined : readAuthorities(settings.clientCa);
  const { masterKeyFile, databaseFile, passphrases } = settings;
  warnOfOpenSecrets(log, { masterKeyFile, databaseFile, passphrases, tlsKey: settings.tls?.key });
  const folder = openFolder(settings, now, cleanup);
  const vault =
    settings.databaseFile === undefined
      ? await ownVault({ settings, folder, environment, storage: { onlineKeys: openKeys(folder, cleanup) } })
      : await openSignerKeys(settings, settings.databaseFile, environment, cleanup);
  const keys = new LocalOnlineKeys(vault, KEY_TYPE, now);
  await keys.check();
  const names = new OwnNames([], settings.listen, hostname());
  const certificate =
    settings.tls === undefined
      ? Authority.open(folder, hostname(), now()).serverCertificate(names, now())
      : loadServerCertificate(settings.tls.certificate, settings.tls.key, now());
  if (notAfter(certificate.leaf) - now() < SOON) {
    log.warn('the certificate of the signer expires soon', { expires: certificate.leaf.validTo });
  }
  const address = formatHostName(settings.listen);
  const server = await startGrpcServer(new SignerService(keys, log), { address, certificate, clientCa, log });
  log.info('started', { address: formatHostName({ ...settings.listen, port: server.port }), data: folder.path });
  if (clientCa === undefined) log.warn('clients need no certificate: anyone who reaches the signer can sign');
  const opened = cleanup.move();
  return {
    port: server.port,
    authority: settings.tls === undefined ? folder.authorityCertificate : undefined,
    stop: async () => {
      log.info('stopping');
      await server.stop(GRACE);
      log.info('stopped');
      await opened.disposeAsync();
    },
  };
}

/** Seals all keys of a data folder under a new master key, and returns how many there are. Throws as `rotateMasterKey`. */
export async function rotateSignerMasterKey(
  settings: Pick<SignerSettings, 'data' | 'masterKeyFile'>,
  { environment, now }: Pick<SignerContext, 'environment' | 'now'>,
): Promise<number> {
  if (isMasterKeyGiven(environment)) {
    throw new SignetError('usage', 'SIGNET_MASTER_KEY gives the master key, so its place is not known here', {
      next: 'Put it into a file and name that: --master-key-file FILE',
    });
  }
  await using cleanup = new AsyncDisposableStack();
  const folder = openFolder(settings, now, cleanup);
  const store = openKeys(folder, cleanup);
  // Awaited here: the database is open until then.
  return await rotateMasterKey({ path: settings.masterKeyFile ?? folder.masterKey, store });
}

/**
 * Encrypts all keys of a notary-signer's database with the passphrase of the alias for new keys. `onKey` is told of each,
 * and what kept it from being opened. Returns how many were changed. Throws as `SignerKeyVault.rotatePassphrases`.
 */
export async function rotateSignerPassphrases(
  settings: Pick<SignerSettings, 'passphrases'> & { readonly databaseFile: string },
  { environment, now }: Pick<SignerContext, 'environment' | 'now'>,
  onKey: (id: string, failure: unknown) => void,
): Promise<number> {
  await using cleanup = new AsyncDisposableStack();
  const vault = await openSignerKeys(settings, settings.databaseFile, environment, cleanup);
  // Awaited here: the database is open until then.
  return await vault.rotatePassphrases(onKey, now);
}

async function openSignerKeys(
  { passphrases }: Pick<SignerSettings, 'passphrases'>,
  signerDatabaseFile: string,
  environment: Environment,
  cleanup: AsyncDisposableStack,
): Promise<SignerKeyVault> {
  const database = await openSignerDatabase({
    ...{ signerDatabase: undefined, signerDatabaseFile },
    ...{ databasePool: SETTINGS.databasePool.default, databaseTimeout: SETTINGS.databaseTimeout.default },
  });
  if (database === undefined) throw new SignetError('settings-unreadable', `${signerDatabaseFile} names no database`);
  cleanup.defer(() => database.close());
  return new SignerKeyVault(database, readPassphrases({ signerPassphrases: passphrases }, environment));
}

function openFolder({ data }: Pick<SignerSettings, 'data'>, now: () => Instant, cleanup: AsyncDisposableStack) {
  const folder = openDataFolder(data);
  const lock = lockFolder(folder);
  cleanup.defer(() => lock.release());
  for (const path of [folder.path, folder.tls]) removeDrafts(path, now());
  return folder;
}

function openKeys(folder: DataFolder, cleanup: AsyncDisposableStack): SqliteOnlineKeyStore {
  const database = openDatabase(folder.database, ONLINE_KEY_MIGRATIONS);
  cleanup.defer(() => database.close());
  return new SqliteOnlineKeyStore(database);
}
