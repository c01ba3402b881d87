import { SignetError } from '../../core/errors/index.ts';
import type { SqlDatabase } from '../../store/sql.ts';
import type { Statements } from '../../store/sql-connection.ts';
import { deniedRights, type FoundTables, hasOwnTables, type NotaryProgram } from '../store/notary-tables.ts';

/**
 * What the user of a database may not do of what a server does there: a check needs to read only, and says so. Undefined if
 * nothing is missing. Changes nothing.
 */
export async function missingRights(
  database: SqlDatabase,
  program: NotaryProgram,
  found: FoundTables,
): Promise<SignetError | undefined> {
  const denied = [...(await deniedRights(database, program))];
  const needsTables = program === 'server' && !hasOwnTables(found);
  if (needsTables && !(await mayMakeTables(database))) denied.push('CREATE for the tables of Signet');
  if (denied.length === 0) return undefined;
  return new SignetError(
    'database-rights-missing',
    `Signet would not start: the user of the database lacks ${denied.join(', ')}`,
  );
}

async function mayMakeTables(database: SqlDatabase): Promise<boolean> {
  if (database.dialect === 'mysql') return mayMakeInMysql(database);
  const row = await database.first<{ may: number }>(
    "SELECT has_schema_privilege(current_schema(), 'CREATE')::int AS may",
  );
  return row?.may === 1;
}

/** By the grants as the server writes them: GRANT SELECT, INSERT ON `name`.* TO … */
async function mayMakeInMysql(database: Statements): Promise<boolean> {
  const name = (await database.first<{ name: string }>('SELECT database() AS name'))?.name ?? '';
  const rows = await database.all<Record<string, string>>('SHOW GRANTS');
  return rows.flatMap(Object.values).some((grant) => {
    const [, rights, place = ''] = /^GRANT (.+?) ON (?:TABLE )?(\S+)\.\* TO /s.exec(String(grant)) ?? [];
    const holds = rights?.split(', ').some((right) => right === 'CREATE' || right === 'ALL PRIVILEGES') === true;
    return holds && (place === '*' || isLike(name, place.replace(/^[`"]|[`"]$/g, '')));
  });
}

/** Grants name databases by patterns of LIKE. */
function isLike(name: string, pattern: string): boolean {
  const source = pattern.replace(/\\.|[^\\]/gs, (part) => {
    if (part === '%') return '.*';
    return part === '_' ? '.' : part.slice(-1).replace(/\W/, '\\$&');
  });
  return new RegExp(`^${source}$`, 's').test(name);
}
