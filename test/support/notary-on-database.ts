import type { DatabaseServer } from './database-server.ts';
import { execute } from './database-server.ts';
import { type Bookkeeping, notaryServerSchema, notarySignerSchema } from './notary-schema.ts';
import {
  type NotaryServer,
  type NotaryServerOptions,
  type NotarySigner,
  startNotaryServer,
  startNotarySigner,
} from './notary-server.ts';

/** A running Notary: server and signer, and the databases that they keep everything in. */
export interface NotaryOnDatabase {
  readonly notary: NotaryServer;
  readonly signer: NotarySigner;
  /** The URL of the server's database. */
  readonly database: string;
  /** The URL of the signer's. */
  readonly keyDatabase: string;
  /** What the signer has in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Stops both. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface NotaryOnDatabaseOptions extends Omit<NotaryServerOptions, 'database' | 'signer'> {
  readonly bookkeeping?: Bookkeeping;
  /** The name of the alias of new keys. */
  readonly alias?: string;
  readonly anyClient?: boolean;
}

/** The passphrase of the signer's keys. */
export const SIGNER_PASSPHRASE = 'as the signer is told';

/** Starts both programs of Notary on two new databases with its tables. */
export async function startNotaryOnDatabase(
  server: DatabaseServer,
  { bookkeeping, alias = 'main', anyClient = false, ...options }: NotaryOnDatabaseOptions = {},
): Promise<NotaryOnDatabase> {
  const [database, keyDatabase] = [await server.makeDatabase(), await server.makeDatabase()];
  await execute(database, ...notaryServerSchema(server.dialect, bookkeeping));
  await execute(keyDatabase, ...notarySignerSchema(server.dialect, bookkeeping));
  const passphrases = { [alias]: SIGNER_PASSPHRASE };
  const signer = await startNotarySigner({ database: keyDatabase, passphrases, anyClient });
  const notary = await startNotaryServer({ ...options, database, signer });
  return {
    notary,
    signer,
    database,
    keyDatabase,
    environment: {
      NOTARY_SIGNER_DEFAULT_ALIAS: alias,
      [`NOTARY_SIGNER_${alias.toUpperCase()}`]: SIGNER_PASSPHRASE,
    },
    stop: async () => {
      await notary.stop();
      await signer.stop();
    },
    start: async () => {
      await signer.start();
      await notary.start();
    },
  };
}
