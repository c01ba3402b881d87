import { expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { openNotaryTables } from '../../../src/notary/store/notary-tables.ts';
import type { SqlDatabase } from '../../../src/store/sql.ts';
import { execute } from '../../support/database-server.ts';
import { notaryServerSchema, notarySignerSchema } from '../../support/notary-schema.ts';
import { describeSqlServers, openSql, serverOf } from '../../support/sql-databases.ts';

describeSqlServers(({ dialect, start }) => {
  const connect = (url: string): Promise<SqlDatabase> => openSql(serverOf(url), { poolSize: 2 });
  const emptyDatabase = async () => (await start()).makeDatabase();

  /** A database in which these statements were run. */
  async function databaseWith(...statements: readonly string[]): Promise<string> {
    const url = await emptyDatabase();
    await execute(url, ...statements);
    return url;
  }

  /** Everything that there is: tables, columns, indexes and keys, and how many rows there are. */
  async function shapeOf(url: string): Promise<unknown> {
    const schema = dialect === 'postgres' ? 'current_schema()' : 'database()';
    const columns = await execute(
      url,
      `SELECT table_name AS t, column_name AS c, column_default AS d, is_nullable AS n, data_type AS y,
           character_maximum_length AS l FROM information_schema.columns WHERE table_schema = ${schema}
         ORDER BY table_name, column_name`,
    );
    const indexes = await execute(
      url,
      dialect === 'postgres'
        ? 'SELECT indexdef AS definition FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1'
        : `SELECT table_name AS t, index_name AS i, column_name AS c, non_unique AS u, seq_in_index AS s
             FROM information_schema.statistics WHERE table_schema = database() ORDER BY 1, 2, 5`,
    );
    const references = await execute(
      url,
      `SELECT constraint_name AS n, delete_rule AS d FROM information_schema.referential_constraints
         WHERE constraint_schema = ${schema} ORDER BY 1`,
    );
    const counts: Record<string, unknown> = {};
    for (const table of new Set(columns.map(({ t }) => String(t)))) {
      counts[table] = (await execute(url, `SELECT count(*) AS rows_found FROM ${table}`))[0];
    }
    return { columns, indexes, references, counts };
  }

  async function refusal(url: string): Promise<{ code: string; message: string; next: string | undefined }> {
    try {
      await openNotaryTables(await connect(url));
    } catch (error) {
      if (isSignetError(error)) return { code: error.code, message: error.message, next: error.next };
      throw error;
    }
    return { code: 'none', message: '', next: undefined };
  }

  for (const bookkeeping of ['dirty', 'rows', 'none'] as const) {
    test(`takes Notary's tables as they are, bookkeeping: ${bookkeeping}`, async () => {
      const url = await databaseWith(...notaryServerSchema(dialect, bookkeeping));
      const before = await shapeOf(url);
      expect(await openNotaryTables(await connect(url))).toBe('notary');
      expect(await openNotaryTables(await connect(url))).toBe('notary');
      expect(await shapeOf(url)).toEqual(before);
    });
  }

  test("makes in an empty database exactly what Notary's migrations would", async () => {
    const url = await emptyDatabase();
    expect(await openNotaryTables(await connect(url))).toBe('signet');
    expect(await openNotaryTables(await connect(url))).toBe('signet');
    await execute(url, 'DROP TABLE signet_migrations');
    const migrated = await databaseWith(...notaryServerSchema(dialect));
    expect(await shapeOf(url)).toEqual(await shapeOf(migrated));
    const books = 'SELECT version, dirty FROM schema_migrations';
    expect(await execute(url, books)).toEqual(await execute(migrated, books));
  });

  test('several that open an empty database at once make the tables once', async () => {
    const url = await emptyDatabase();
    const databases = [await connect(url), await connect(url), await connect(url)];
    const owners = await Promise.all(databases.map((database) => openNotaryTables(database)));
    expect(owners).toEqual(['signet', 'signet', 'signet']);
    expect(await execute(url, 'SELECT category FROM change_category ORDER BY category')).toEqual([
      { category: 'deletion' },
      { category: 'update' },
    ]);
  });

  test('goes on with what it was making when it was ended', async () => {
    const url = await emptyDatabase();
    await openNotaryTables(await connect(url));
    await execute(url, 'DROP TABLE tuf_files', 'DELETE FROM signet_migrations');
    expect(await openNotaryTables(await connect(url))).toBe('signet');
    const migrated = await databaseWith(...notaryServerSchema(dialect));
    await execute(url, 'DROP TABLE signet_migrations');
    expect(await shapeOf(url)).toEqual(await shapeOf(migrated));
  });

  test('refuses, and leaves alone, what is not a whole Notary', async () => {
    const whole = [
      ...notaryServerSchema(dialect),
      `UPDATE schema_migrations SET dirty = ${dialect === 'postgres' ? 'true' : '1'}`,
    ];
    const cases: readonly (readonly [statements: readonly string[], code: string, message: string])[] = [
      [
        whole,
        'database-half-migrated',
        `migration ${dialect === 'postgres' ? 2 : 5} of the database broke off: schema_migrations has it as dirty`,
      ],
      [
        notaryServerSchema(dialect, 'dirty', 1),
        'database-half-migrated',
        dialect === 'postgres'
          ? 'the database has tuf_files, but no table change_category'
          : 'the database has tuf_files, but no column sha256 in tuf_files',
      ],
      [
        notarySignerSchema(dialect),
        'database-not-notary',
        'the database is that of notary-signer: it has the table private_keys, but not tuf_files of notary-server',
      ],
      [
        ['CREATE TABLE wp_posts (id int)'],
        'database-not-notary',
        'the database has tables of another program: wp_posts',
      ],
    ];
    for (const [statements, code, message] of cases) {
      const url = await databaseWith(...statements);
      const before = await shapeOf(url);
      expect(await refusal(url)).toMatchObject({ code, message, next: expect.any(String) });
      expect(await shapeOf(url)).toEqual(before);
    }
  });

  test('refuses a user who may only read, in both kinds of database', async () => {
    const url = await databaseWith(...notaryServerSchema(dialect));
    const before = await shapeOf(url);
    const reader = await (await start()).makeUser(url, 'SELECT');
    const { code, message, next } = await refusal(reader);
    expect({ code, next }).toEqual({
      code: 'database-rights-missing',
      next: 'Grant the user of the database SELECT, INSERT, UPDATE and DELETE on all its tables, and CREATE for those of Signet.',
    });
    expect(message).toMatch(/^the database refuses: .*(?:permission denied|command denied)/);
    expect(await shapeOf(url)).toEqual(before);
  });
});
