import { SignetError } from '../core/errors/index.ts';
import type { Instant } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { checkNotary, type NotaryToCheck } from '../notary/check/check-notary.ts';
import type { NotaryReport } from '../notary/check/report.ts';
import { GunPrefixes } from '../notary/http/gun-prefixes.ts';
import { SqlDatabase } from '../store/sql.ts';
import { dataFolder } from './data/data-folder.ts';
import { readPassphrases } from './online-keys.ts';
import { formatHostName } from './settings/host-name.ts';
import type { ServeSettings } from './start.ts';
import { databaseOf, signerDatabaseOf, sqlOptionsOf } from './storage/database-of.ts';

/** What a check found, and where it looked. No URL has its password. */
export interface ServeReport extends NotaryReport {
  readonly database: string;
  /** Undefined if the settings name none. */
  readonly signerDatabase: string | undefined;
  /** The signer that holds the keys; undefined if they lie in a database. It is not asked for them. */
  readonly signerAddress: string | undefined;
}

/**
 * Looks at the databases that the settings name as a server would find them, and changes nothing, on the disk neither. Throws
 * `settings-conflict` if they name no database server, and what connecting throws.
 */
export async function checkServe(
  settings: ServeSettings,
  environment: Environment,
  now: Instant,
  onProgress: NotaryToCheck['onProgress'],
): Promise<ServeReport> {
  const server = databaseOf(settings, dataFolder(settings.data));
  if (server.kind === 'sqlite') {
    throw new SignetError(
      'settings-conflict',
      '--check looks at the database of a Notary, and the settings name none',
      {
        next: 'Name it: SIGNET_DATABASE=postgres://USER:PASSWORD@HOST/notaryserver signet serve --check',
      },
    );
  }
  const signer = signerDatabaseOf(settings);
  await using cleanup = new AsyncDisposableStack();
  const open = async (url: typeof server) => {
    const database = await SqlDatabase.open(url, sqlOptionsOf(settings));
    cleanup.defer(() => database.close());
    return database;
  };
  const report = await checkNotary({
    database: await open(server),
    ...(signer === undefined ? {} : { signerDatabase: await open(signer) }),
    passphrases: readPassphrases(settings, environment),
    isSignerRemote: settings.signer !== undefined,
    prefixes: new GunPrefixes(settings.gunPrefixes),
    now,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const signerAddress = settings.signer && formatHostName(settings.signer);
  return { database: `${server}`, signerDatabase: signer && `${signer}`, signerAddress, ...report };
}
