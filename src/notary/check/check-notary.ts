import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { printable } from '../../core/printable.ts';
import type { Instant } from '../../core/time.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import type { GunPrefixes } from '../http/gun-prefixes.ts';
import { NOTARY_DIALECTS } from '../store/notary-dialect.ts';
import {
  checkReading,
  findTables,
  hasNotary,
  isOwn,
  type NotaryProgram,
  refuseForeign,
  refuseUnfit,
} from '../store/notary-tables.ts';
import { SignerKeyVault } from '../store/signer-key-vault.ts';
import type { SignerPassphrases } from '../store/signer-passphrases.ts';
import { SqlMetadataStore } from '../store/sql-metadata-store.ts';
import { checkKeys } from './check-keys.ts';
import { checkRepository, type KnownKey } from './check-repository.ts';
import { missingRights } from './check-rights.ts';
import type { Finding, NotaryReport, TablesReport } from './report.ts';

/** What to check. */
export interface NotaryToCheck {
  readonly database: SqlDatabase;
  /** The database with the signer's keys. By default the same database, if it has them. */
  readonly signerDatabase?: SqlDatabase;
  readonly passphrases: SignerPassphrases;
  /** Whether the keys are in a remote signer, and so are not checked. */
  readonly isSignerRemote?: boolean;
  /** The GUNs that the server is to serve. */
  readonly prefixes: GunPrefixes;
  readonly now: Instant;
  /** Called after each key and each repository. `total` is undefined while it is not known. */
  readonly onProgress?: (what: 'keys' | 'repositories', done: number, total: number) => void;
}

/** Used share of a row number's range from which on it is reported. */
const NEARLY_USED_UP = 0.9;
const MAX_INT32 = 2 ** 31 - 1;
/** The keys may be with another signer than Notary's database, or lost. */
const NO_SIGNER: Finding = {
  level: 'error',
  code: 'online-key-missing',
  message: 'the keys of notary-signer are not here: what Notary published could neither be renewed nor published onto',
  next: 'Name its database: SIGNET_SIGNER_DATABASE=postgres://USER:PASSWORD@HOST/notarysigner',
};
const NOTHING_HERE: Finding = {
  level: 'warning',
  code: 'database-empty',
  message: 'there is nothing to take over here: no repository is stored in this database',
  next: 'Check the name of the database. If a new server is to begin with it, start that: signet serve',
};
const NO_COUNTS = { repositories: 0, files: 0, changes: 0 };

/**
 * Checks the databases of a Notary from Signet's point of view, and changes nothing. Problems that keep Signet from
 * serving are findings. Problems that prevent the check itself are thrown: `database-unavailable` and similar errors.
 */
export async function checkNotary(options: NotaryToCheck): Promise<NotaryReport> {
  const { database, passphrases, signerDatabase = database, onProgress = () => {} } = options;
  const findings: Finding[] = [];
  const server = await checkTables(database, 'server', findings);
  const signer = options.isSignerRemote === true ? undefined : await checkSigner(options, findings);
  const usable = signer?.owner !== undefined;
  const [counts, keyCount] = [
    server.owner === undefined ? NO_COUNTS : await countServer(database),
    usable ? await countOf(signerDatabase, 'SELECT count(*) AS n FROM private_keys WHERE deleted_at IS NULL') : 0,
  ];

  let keysDone = 0;
  const vault = new SignerKeyVault(signerDatabase, passphrases);
  const keys = usable
    ? await checkKeys(vault, passphrases, () => onProgress('keys', ++keysDone, keyCount))
    : { keys: undefined, aliases: [], newKeys: undefined, findings: [] };
  findings.push(...keys.findings);
  if (server.owner !== undefined) {
    findings.push(...(await checkNumbers(database, ['tuf_files', 'changefeed'])));
    findings.push(...(await checkRepositories(options, keys.keys, counts.repositories)));
  }
  if (usable) findings.push(...(await checkNumbers(signerDatabase, ['private_keys'])));
  if (counts.repositories === 0 && findings.every(({ level }) => level !== 'error')) findings.push(NOTHING_HERE);
  const isWithoutKeys = signer === undefined && options.isSignerRemote !== true;
  if (isWithoutKeys && server.owner === 'notary' && counts.repositories > 0) findings.push(NO_SIGNER);
  const { aliases, newKeys } = keys;
  return { server, signer, counts, aliases, newKeys, findings };
}

async function checkTables(database: SqlDatabase, program: NotaryProgram, findings: Finding[]): Promise<TablesReport> {
  const found = await findTables(database);
  const { bookkeeping } = found;
  try {
    if (!hasNotary(found, program)) {
      if (program === 'server') refuseForeign(found);
      return { owner: undefined, bookkeeping };
    }
    refuseUnfit(found, program);
    await checkReading(database, program);
    const missing = await missingRights(database, program, found);
    if (missing !== undefined) findings.push(findingOf(missing));
    return { owner: (await isOwn(database, found)) && program === 'server' ? 'signet' : 'notary', bookkeeping };
  } catch (error) {
    if (!isSignetError(error, 'database-not-notary', 'database-half-migrated', 'database-rights-missing')) throw error;
    findings.push(findingOf(error));
    return { owner: undefined, bookkeeping };
  }
}

async function checkSigner(
  { database, signerDatabase }: NotaryToCheck,
  findings: Finding[],
): Promise<TablesReport | undefined> {
  const where = signerDatabase ?? database;
  if (hasNotary(await findTables(where), 'signer')) return checkTables(where, 'signer', findings);
  if (signerDatabase === undefined) return undefined;
  findings.push({
    level: 'error',
    code: 'database-not-notary',
    message: 'the database of --signer-database has no table private_keys',
    next: 'Name the database of notary-signer, or leave the setting out.',
  });
  return { owner: undefined, bookkeeping: undefined };
}

async function countServer(database: SqlDatabase): Promise<NotaryReport['counts']> {
  const { exact } = NOTARY_DIALECTS[database.dialect];
  const [repositories, files, changes] = await Promise.all([
    countOf(database, `SELECT count(DISTINCT ${exact('gun')}) AS n FROM tuf_files WHERE deleted_at IS NULL`),
    countOf(database, 'SELECT count(*) AS n FROM tuf_files WHERE deleted_at IS NULL'),
    countOf(database, 'SELECT count(*) AS n FROM changefeed'),
  ]);
  return { repositories, files, changes };
}

async function countOf(database: Statements, sql: string): Promise<number> {
  return (await database.first<{ n: number }>(sql))?.n ?? 0;
}

/** Notary's row numbers have 31 bits. */
async function checkNumbers(database: SqlDatabase, tables: readonly string[]): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const schema = database.dialect === 'postgres' ? 'current_schema()' : 'database()';
  for (const table of tables) {
    const column = await database.first<{ type: string }>(
      `SELECT data_type AS type FROM information_schema.columns
       WHERE table_schema = ${schema} AND table_name = $table AND column_name = 'id'`,
      { table },
    );
    const highest = (await database.first<{ id: number | null }>(`SELECT max(id) AS id FROM ${table}`))?.id ?? 0;
    if (column?.type === 'bigint' || highest < NEARLY_USED_UP * MAX_INT32) continue;
    findings.push({
      level: 'warning',
      code: 'database-ids-used-up',
      about: table,
      message: `its rows are numbered up to ${highest}, and the column ends at ${MAX_INT32}`,
      next:
        database.dialect === 'postgres'
          ? `ALTER TABLE ${table} ALTER COLUMN id TYPE bigint; ALTER SEQUENCE ${table}_id_seq AS bigint`
          : `ALTER TABLE ${table} MODIFY id bigint NOT NULL AUTO_INCREMENT`,
    });
  }
  return findings;
}

async function checkRepositories(
  { database, prefixes, now, onProgress = () => {} }: NotaryToCheck,
  keys: ReadonlyMap<KeyId, KnownKey> | undefined,
  total: number,
): Promise<readonly Finding[]> {
  const store = new SqlMetadataStore(database);
  const findings: Finding[] = [];
  const names: string[] = [];
  let done = 0;
  for await (const name of repositoryNames(database)) {
    names.push(name);
    const gun = gunOf(name);
    if (gun === undefined) findings.push(nameless(name));
    else if (!prefixes.admit(gun)) findings.push(outside(name));
    else findings.push(...checkRepository({ gun, files: (await store.current(gun)).files, keys, now }));
    onProgress('repositories', ++done, total);
  }
  return [...findings, ...caseVariants(names, database)];
}

/** All names, compared byte for byte, in pages. */
async function* repositoryNames(database: SqlDatabase): AsyncGenerator<string> {
  const { exact } = NOTARY_DIALECTS[database.dialect];
  const page = 1000;
  for (let offset = 0; ; offset += page) {
    const rows = await database.all<{ name: string }>(
      `SELECT min(gun) AS name FROM tuf_files WHERE deleted_at IS NULL GROUP BY ${exact('gun')}
       ORDER BY ${exact('gun')} LIMIT ${page} OFFSET ${offset}`,
    );
    for (const { name } of rows) yield name;
    if (rows.length < page) return;
  }
}

/** Its clients would find it gone after the change. */
function nameless(name: string): Finding {
  return {
    level: 'error',
    code: 'gun-unsupported',
    about: printable(name, 300),
    message: 'Signet would not serve it: it does not serve repositories of such a name',
    next: 'If someone needs it, let its owner publish the same targets under another name (letters, digits and . _ - / +, no blanks) with Notary before the change. If not, delete it there: notary delete --remote NAME',
  };
}

function outside(name: string): Finding {
  return {
    level: 'warning',
    code: 'gun-unsupported',
    about: printable(name, 300),
    message: 'Signet would not serve it: it is outside of --gun-prefix',
    next: 'If someone needs it, name its beginning as another --gun-prefix.',
  };
}

function caseVariants(names: readonly string[], { dialect }: SqlDatabase): readonly Finding[] {
  const groups = Map.groupBy(names, (name) => name.toLowerCase());
  const consequence =
    dialect === 'mysql'
      ? 'they share their version numbers in this database, so one of them cannot be published'
      : 'people mix them up';
  return [...groups.values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      level: 'warning',
      code: 'gun-case-conflict',
      about: printable(group[0] ?? '', 300),
      message: `another name differs in case only, ${group
        .slice(1)
        .map((name) => printable(name, 300))
        .join(', ')}: ${consequence}`,
    }));
}

function gunOf(name: string): Gun | undefined {
  try {
    return parseGun(name);
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function findingOf({ code, message, next }: SignetError): Finding {
  return { level: 'error', code, message, ...(next === undefined ? {} : { next }) };
}
