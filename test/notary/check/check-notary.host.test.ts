import { beforeAll, expect, test } from 'bun:test';
import { DAY } from '../../../src/core/time.ts';
import { checkNotary, type NotaryToCheck } from '../../../src/notary/check/check-notary.ts';
import type { NotaryReport } from '../../../src/notary/check/report.ts';
import { GunPrefixes } from '../../../src/notary/http/gun-prefixes.ts';
import { signerPassphrases } from '../../../src/notary/store/signer-passphrases.ts';
import { execute } from '../../support/database-server.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { type NotaryOnDatabase, startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { notaryServerSchema, notarySignerSchema } from '../../support/notary-schema.ts';
import { describeSqlServers, openSql, serverOf } from '../../support/sql-databases.ts';

const APP = 'example.com/team/app';
const OWN = 'example.com/team/own';
const MAX_INT32 = 2 ** 31 - 1;

describeSqlServers(({ dialect, start }) => {
  let made: NotaryOnDatabase;
  /** Everything that real programs of Notary have written, as statements would have to write it again. */
  let rows: Readonly<Record<'tuf_files' | 'changefeed' | 'private_keys', readonly Record<string, unknown>[]>>;
  beforeAll(async () => {
    made = await startNotaryOnDatabase(await start(), { bookkeeping: 'rows' });
    const alice = new Person(made.notary);
    await succeeds(alice.notary('init', APP, '-p'));
    await succeeds(alice.notary('key', 'rotate', APP, 'snapshot', '-r'));
    await succeeds(alice.add(APP, '1.0'));
    await succeeds(alice.notary('init', OWN, '-p'));
    await made.stop();
    rows = {
      tuf_files: await execute(made.database, 'SELECT * FROM tuf_files ORDER BY id'),
      changefeed: await execute(made.database, 'SELECT * FROM changefeed ORDER BY id'),
      private_keys: await execute(made.keyDatabase, 'SELECT * FROM private_keys ORDER BY id'),
    };
  });

  const blob = (bytes: Uint8Array) => {
    const hex = Buffer.from(bytes).toString('hex');
    return dialect === 'postgres' ? `decode('${hex}', 'hex')` : `X'${hex}'`;
  };
  const literal = (value: unknown): string => {
    if (value === null) return 'NULL';
    if (value instanceof Uint8Array) return blob(value);
    if (value instanceof Date) return `'${value.toISOString().replace('T', ' ').slice(0, 19)}'`;
    return typeof value === 'number' ? `${value}` : `'${String(value)}'`;
  };

  /** Copies of both databases, in which statements were run. */
  async function copies(...statements: readonly string[]): Promise<{ database: string; keyDatabase: string }> {
    const server = await start();
    const [database, keyDatabase] = [await server.makeDatabase(), await server.makeDatabase()];
    const inserts = (table: keyof typeof rows) =>
      rows[table].map(
        (row) =>
          `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${Object.values(row).map(literal).join(', ')})`,
      );
    await execute(database, ...notaryServerSchema(dialect), ...inserts('tuf_files'), ...inserts('changefeed'));
    await execute(keyDatabase, ...notarySignerSchema(dialect), ...inserts('private_keys'));
    for (const statement of statements) {
      await execute(statement.includes('private_keys') ? keyDatabase : database, statement);
    }
    return { database, keyDatabase };
  }

  async function check(
    { database, keyDatabase }: { database: string; keyDatabase?: string },
    options: Partial<NotaryToCheck> = {},
  ): Promise<NotaryReport> {
    return checkNotary({
      database: await openSql(serverOf(database)),
      ...(keyDatabase === undefined ? {} : { signerDatabase: await openSql(serverOf(keyDatabase)) }),
      passphrases: signerPassphrases(made.environment),
      prefixes: new GunPrefixes([]),
      now: Date.now(),
      ...options,
    });
  }

  const brief = ({ findings }: NotaryReport) => findings.map(({ level, code, about }) => [level, code, about]);

  test('finds nothing wrong with a Notary, and changes nothing', async () => {
    const before = await everything(made);
    const seen: string[] = [];
    const report = await check(made, { onProgress: (what, done, total) => seen.push(`${what} ${done}/${total}`) });
    expect(report).toEqual({
      server: { owner: 'notary', bookkeeping: { form: 'rows', version: dialect === 'postgres' ? 2 : 5, dirty: false } },
      signer: { owner: 'notary', bookkeeping: { form: 'rows', version: dialect === 'postgres' ? 1 : 2, dirty: false } },
      counts: { repositories: 2, files: rows.tuf_files.length, changes: rows.changefeed.length },
      aliases: [{ alias: 'main', keys: 3, open: 3 }],
      newKeys: { alias: 'main', type: 'ecdsa' },
      findings: [],
    });
    expect(seen).toEqual(['keys 1/3', 'keys 2/3', 'keys 3/3', 'repositories 1/2', 'repositories 2/2']);
    expect(await everything(made)).toEqual(before);
  });

  test('looks for the keys in the same database, and does without them', async () => {
    const { database } = await copies();
    const report = await check({ database });
    expect([report.signer, report.aliases, report.newKeys]).toEqual([undefined, [], undefined]);
    expect(brief(report)).toEqual([['error', 'online-key-missing', undefined]]);
    const remote = await check({ database }, { isSignerRemote: true });
    expect([remote.signer, remote.findings]).toEqual([undefined, []]);
    await execute(database, ...notarySignerSchema(dialect, 'none'));
    const [first, ...others] = (await check({ database })).findings;
    expect(first).toEqual({
      level: 'error',
      code: 'online-key-missing',
      about: APP,
      message: 'the signer does not have its timestamp key: its timestamp could not be renewed',
    });
    expect(others.map(({ about }) => about)).toEqual([OWN]);
  });

  test('tells of keys that do not open, and of the repositories that need them', async () => {
    const wrong = await check(made, {
      passphrases: signerPassphrases({ ...made.environment, NOTARY_SIGNER_MAIN: 'x' }),
    });
    expect(wrong.aliases).toEqual([{ alias: 'main', keys: 3, open: 0 }]);
    expect(brief(wrong)).toEqual([
      ['error', 'online-key-unreadable', 'main'],
      ['error', 'online-key-missing', APP],
      ['error', 'online-key-missing', APP],
      ['error', 'online-key-missing', OWN],
    ]);
    expect(wrong.findings[0]?.message).toMatch(
      /^3 of 3 keys of the alias "main" do not open: cannot open the key [0-9a-f]{64}: the passphrase given for the alias "main" is wrong$/,
    );
    expect(wrong.findings[1]?.message).toMatch(
      /^(?:its timestamp could not be renewed|only its owner could sign its snapshot): cannot open the key [0-9a-f]{64}: the passphrase given for the alias "main" is wrong$/,
    );
    expect(wrong.findings[0]?.next).toBe('Give the right one: NOTARY_SIGNER_MAIN=PASSPHRASE');

    const unknown = await check(
      await copies(
        "UPDATE private_keys SET passphrase_alias = 'older' WHERE id = 1",
        "UPDATE private_keys SET gun = '' WHERE id = 2",
      ),
    );
    expect(brief(unknown).slice(0, 2)).toEqual([
      ['note', 'online-key-unusable', String(rows.private_keys[1]?.key_id)],
      ['error', 'online-key-unreadable', 'older'],
    ]);
    expect(unknown.findings[1]?.message).toBe('there is no passphrase for one key of the alias "older"');
    expect(unknown.aliases).toEqual([
      { alias: 'older', keys: 1, open: 0 },
      { alias: 'main', keys: 1, open: 1 },
    ]);

    const none = await check(made, { passphrases: signerPassphrases({ NOTARY_SIGNER_DEFAULT_ALIAS: 'other' }) });
    expect(none.findings.slice(0, 2).map(({ message }) => message)).toEqual([
      'no new key could be made: there is no passphrase for the alias "other"',
      'there is no passphrase for 3 keys of the alias "main"',
    ]);
  });

  test('tells of files that no client accepts, and of those that only Signet does not read', async () => {
    const targets = rows.tuf_files.findLast(({ gun, role }) => gun === APP && role === 'targets');
    const text = Buffer.from(targets?.data as Uint8Array).toString();
    const changed = await check(
      await copies(`UPDATE tuf_files SET data = ${blob(Buffer.from(`${text} `))} WHERE id = ${String(targets?.id)}`),
    );
    expect(changed.findings).toEqual([
      {
        level: 'warning',
        code: 'length-mismatch',
        about: APP,
        message: `no client accepts it: targets is ${text.length + 1} bytes long, expected ${text.length}`,
      },
    ]);
    const lost = await check(await copies(`UPDATE tuf_files SET sha256 = NULL WHERE id = ${String(targets?.id)}`));
    expect(lost.findings.map(({ code, message }) => [code, message])).toEqual([
      ['trust-data-missing', 'no client accepts it: what its timestamp leads to is not stored (targets)'],
    ]);
    const without = await check(await copies(`DELETE FROM tuf_files WHERE role = 'timestamp' AND gun = '${OWN}'`));
    expect(brief(without)).toEqual([['warning', 'timestamp-missing', OWN]]);
  });

  test('tells of what expires, but not of what a server renews', async () => {
    const fortnight = await check(made, { now: Date.now() + 15 * DAY });
    expect(fortnight.findings).toEqual([]);
    const soon = await check(made, { now: Date.now() + 3 * 365 * DAY - 10 * DAY });
    expect(brief(soon)).toEqual([
      ['note', 'metadata-expires', APP],
      ['note', 'metadata-expires', OWN],
    ]);
    const late = await check(made, { now: Date.now() + 3 * 365 * DAY + DAY });
    expect(late.findings.map(({ level, about, message }) => [level, about, message.split(' ')[0]])).toEqual([
      ['warning', APP, 'snapshot'],
      ['warning', APP, 'targets'],
      ['warning', OWN, 'snapshot'],
      ['warning', OWN, 'targets'],
    ]);
  });

  test('tells of names that are not served, that differ in case only, and of numbers that run out', async () => {
    const insert = (id: number, gun: string, version = 1) =>
      `INSERT INTO tuf_files (id, gun, role, version, data, sha256) VALUES (${id}, '${gun}', 'root', ${version}, 'x', '${'0'.repeat(64)}')`;
    const { findings } = await check(
      await copies(insert(MAX_INT32 - 1, 'two  blanks'), insert(5000, 'Example.com/team/app', 77)),
      { prefixes: new GunPrefixes(['example.com/team/', 'Example.com/']) },
    );
    expect(findings.map(({ code, about }) => [code, about])).toEqual([
      ['database-ids-used-up', 'tuf_files'],
      ['timestamp-missing', 'Example.com/team/app'],
      ['gun-unsupported', 'two  blanks'],
      ['gun-case-conflict', 'Example.com/team/app'],
    ]);
    expect(findings[0]?.next).toStartWith('ALTER TABLE tuf_files ');
    expect(findings[2]?.level).toBe('error');
    expect(findings[2]?.next).toContain('under another name');
    const narrow = await check(made, { prefixes: new GunPrefixes(['example.org/']) });
    expect(narrow.findings.map(({ message }) => message)).toEqual([
      'Signet would not serve it: it is outside of --gun-prefix',
      'Signet would not serve it: it is outside of --gun-prefix',
    ]);
  });

  test('tells of a wrong database, of a schema that is not whole, and of missing rights', async () => {
    const server = await start();
    const swapped = await check({ database: made.keyDatabase, keyDatabase: made.database });
    expect(brief(swapped)).toEqual([
      ['error', 'database-not-notary', undefined],
      ['error', 'database-not-notary', undefined],
    ]);
    expect(swapped.server.owner).toBeUndefined();
    const empty = await check({ database: await server.makeDatabase() });
    expect(empty).toMatchObject({ server: { owner: undefined } });
    expect(brief(empty)).toEqual([['warning', 'database-empty', undefined]]);
    const unused = await server.makeDatabase();
    await execute(unused, ...notaryServerSchema(dialect));
    expect(brief(await check({ database: unused }))).toEqual([['warning', 'database-empty', undefined]]);
    const half = await copies(`UPDATE schema_migrations SET dirty = ${dialect === 'postgres' ? 'true' : '1'}`);
    expect(brief(await check(half))).toEqual([['error', 'database-half-migrated', undefined]]);
    const reader = await check({
      database: await server.makeUser(made.database, 'SELECT'),
      keyDatabase: await server.makeUser(made.keyDatabase, 'SELECT'),
    });
    expect(brief(reader)).toEqual([
      ['error', 'database-rights-missing', undefined],
      ['error', 'database-rights-missing', undefined],
    ]);
    expect(reader.findings.map(({ message }) => message)).toEqual([
      `Signet would not start: the user of the database lacks ${dialect === 'postgres' ? 'UPDATE on tuf_files, ' : ''}INSERT on tuf_files, DELETE on tuf_files, INSERT on changefeed, CREATE for the tables of Signet`,
      'Signet would not start: the user of the database lacks INSERT on private_keys, UPDATE on private_keys',
    ]);
    expect([reader.server.owner, reader.counts.repositories, reader.aliases]).toEqual([
      'notary',
      2,
      [{ alias: 'main', keys: 3, open: 3 }],
    ]);
    const writer = await check({
      database: await server.makeUser(made.database, 'SELECT, INSERT, UPDATE, DELETE'),
      keyDatabase: await server.makeUser(made.keyDatabase, 'SELECT, INSERT, UPDATE'),
    });
    expect(writer.findings.map(({ message }) => message)).toEqual([
      'Signet would not start: the user of the database lacks CREATE for the tables of Signet',
    ]);
  });
});

/** All rows of both databases. */
async function everything({ database, keyDatabase }: NotaryOnDatabase): Promise<unknown> {
  const tables = await Promise.all(
    ['tuf_files', 'changefeed', 'change_category', 'schema_migrations'].map((table) =>
      execute(database, `SELECT * FROM ${table} ORDER BY 1`),
    ),
  );
  return [tables, await execute(keyDatabase, 'SELECT * FROM private_keys ORDER BY id')];
}
