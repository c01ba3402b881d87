import { expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { expiryAt } from '../../../src/core/metadata/common.ts';
import { writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { snapshotJson } from '../../../src/core/metadata/snapshot.ts';
import { timestampJson } from '../../../src/core/metadata/timestamp.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { SqlMetadataStore } from '../../../src/notary/store/sql-metadata-store.ts';
import { execute } from '../../support/database-server.ts';
import { notaryServerSchema } from '../../support/notary-schema.ts';
import { describeSqlServers, openSql, serverOf } from '../../support/sql-databases.ts';
import { metadataStoreSuite } from './metadata-store.suite.ts';

const GUN = parseGun('example.com/team/app');
const AT = Date.parse('2026-11-29T12:34:56.789Z');
const EXPIRES = expiryAt(Date.parse('2030-01-01T00:00:00Z'));
const MAX_INT32 = 2 ** 31 - 1;

describeSqlServers((server) => {
  const { name, dialect, start } = server;
  /** An empty database with Notary's tables. */
  async function notaryDatabase(): Promise<string> {
    const url = await (await start()).makeDatabase();
    await execute(url, ...notaryServerSchema(dialect));
    return url;
  }
  const open = async (url: string, keptVersions?: number) =>
    new SqlMetadataStore(await openSql(serverOf(url)), keptVersions === undefined ? {} : { keptVersions });

  metadataStoreSuite(`the metadata store on Notary's tables in ${name}`, async () => {
    const url = await notaryDatabase();
    const others = [await open(url, 3), await open(url, 3)];
    return { store: await open(url, 3), connect: () => others.pop() ?? expect.unreachable() };
  });

  test('writes rows as notary-server does', async () => {
    const url = await notaryDatabase();
    const store = await open(url);
    const files = collection(1);
    expect(await store.publish({ gun: GUN, files, expected: 0, at: AT })).toBe('stored');
    const time = (column: string) =>
      dialect === 'postgres' ? `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS')` : `CAST(${column} AS CHAR)`;
    const rows = await execute(
      url,
      `SELECT ${time('created_at')} AS created, ${time('updated_at')} AS updated, deleted_at, gun, role, version, sha256
       FROM tuf_files ORDER BY id`,
    );
    const written = '2026-11-29 12:34:56';
    expect(rows).toEqual(
      files.map(({ role, version, bytes }) => ({
        created: written,
        updated: written,
        deleted_at: null,
        gun: GUN,
        role,
        version,
        sha256: digestHex(digestOf(bytes)),
      })),
    );
    expect(await store.delete(GUN, AT)).toBe(true);
    const feed = `SELECT ${time('created_at')} AS created, gun, version, sha256, category FROM changefeed ORDER BY id`;
    expect(await execute(url, feed)).toEqual([
      { created: written, gun: GUN, version: 1, sha256: sha256Of(files, 'timestamp'), category: 'update' },
      // What Notary's own deletion leaves there.
      {
        created: written,
        gun: GUN,
        version: 0,
        sha256: dialect === 'postgres' ? ' '.repeat(64) : '',
        category: 'deletion',
      },
    ]);
    expect((await store.changes({ direction: 'after', id: 0, limit: 9 })).map(({ sha256 }) => sha256)).toEqual([
      sha256Of(files, 'timestamp'),
      '',
    ]);
  });

  test('reads what others have left there: times that are missing, names that Signet would not take, deleted rows', async () => {
    const url = await notaryDatabase();
    const store = await open(url);
    await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT });
    await execute(
      url,
      'UPDATE tuf_files SET created_at = NULL, updated_at = NULL',
      'UPDATE changefeed SET created_at = NULL',
      "INSERT INTO changefeed (gun, version, category) VALUES ('a name/with blanks', 0, 'deletion')",
    );
    const { files } = await store.current(GUN);
    expect([...files.values()].map(({ role, createdAt }) => [role, createdAt])).toEqual([
      ['timestamp', 0],
      ['snapshot', 0],
      ['root', 0],
      ['targets', 0],
    ]);
    const changes = await store.changes({ direction: 'after', id: 0, limit: 9 });
    expect(changes.map(({ at, gun }) => [at, gun])).toEqual([
      [0, GUN],
      [expect.any(Number), 'a name/with blanks'],
    ]);
    await execute(url, "UPDATE tuf_files SET deleted_at = created_at WHERE role = 'root'");
    expect((await store.current(GUN)).files.has('root')).toBe(true);
    await execute(url, "UPDATE tuf_files SET deleted_at = CURRENT_TIMESTAMP WHERE role = 'root'");
    expect((await store.current(GUN)).files.has('root')).toBe(false);
    expect(await store.byVersion(GUN, 'root', 1)).toBeUndefined();
  });

  test('roots without a timestamp are found by version alone', async () => {
    const url = await notaryDatabase();
    const store = await open(url);
    await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT });
    await execute(url, "DELETE FROM tuf_files WHERE role = 'timestamp'");
    expect((await store.current(GUN)).files.size).toBe(0);
    expect((await store.byVersion(GUN, 'root', 1))?.version).toBe(1);
    const expected = await store.revision(GUN);
    expect(await store.publish({ gun: GUN, files: collection(1), expected, at: AT })).toBe('version-exists');
    expect(await store.publish({ gun: GUN, files: collection(2), expected, at: AT })).toBe('stored');
  });

  test('a publish meets what another program has written since, and what it is about to write', async () => {
    const url = await notaryDatabase();
    const store = await open(url);
    await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT });
    const expected = await store.revision(GUN);
    // As notary-server does it: all in one transaction, the timestamp last.
    const other = await openSql(serverOf(url));
    const insert = (role: string, version: number) =>
      `INSERT INTO tuf_files (gun, role, version, data, sha256) VALUES ('${GUN}', '${role}', ${version}, 'x', '${'0'.repeat(64)}')`;
    const race = Promise.withResolvers<unknown>();
    await other.transaction(async (statements) => {
      await statements.run(insert('targets', 2));
      await statements.run(insert('timestamp', 2));
      race.resolve(store.publish({ gun: GUN, files: collection(2), expected, at: AT }).catch((error) => error));
      await Bun.sleep(0);
    });
    expect(await race.promise).toBe('outdated');
    expect(await store.revision(GUN)).not.toBe(expected);
    expect(await execute(url, 'SELECT count(*) AS n FROM changefeed').then(([row]) => Number(row?.n))).toBe(1);
  });

  test('asks for no version that the column cannot hold', async () => {
    const store = await open(await notaryDatabase());
    expect(await store.byVersion(GUN, 'root', MAX_INT32 + 1)).toBeUndefined();
    expect(await store.changes({ direction: 'after', id: MAX_INT32, limit: 9 })).toEqual([]);
  });

  test('row numbers that are used up are said to be, and nothing is stored', async () => {
    const url = await notaryDatabase();
    const store = await open(url);
    await execute(
      url,
      dialect === 'postgres'
        ? `SELECT setval('tuf_files_id_seq', ${MAX_INT32 - 1})`
        : `ALTER TABLE tuf_files AUTO_INCREMENT = ${MAX_INT32}`,
    );
    const error = await failure(store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT }));
    expect([error.code, error.httpStatus]).toEqual(['database-ids-used-up', 507]);
    expect(error.message).toStartWith('the database has run out of numbers: ');
    expect((await store.current(GUN)).files.size).toBe(0);
    expect(await store.changes({ direction: 'after', id: 0, limit: 9 })).toEqual([]);
    // The next step that the error names.
    await execute(
      url,
      ...(dialect === 'postgres'
        ? ['ALTER TABLE tuf_files ALTER COLUMN id TYPE bigint', 'ALTER SEQUENCE tuf_files_id_seq AS bigint']
        : ['ALTER TABLE tuf_files MODIFY id bigint NOT NULL AUTO_INCREMENT']),
    );
    expect(await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT })).toBe('stored');
    expect(await store.revision(GUN)).toBeGreaterThan(2 * MAX_INT32);
  });

  if (dialect === 'mysql') {
    test('names that differ in case are different ones', async () => {
      const url = await notaryDatabase();
      const store = await open(url);
      const variant = parseGun('EXAMPLE.com/team/app');
      await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT });
      expect(await store.revision(variant)).toBe(0);
      expect((await store.current(variant)).files.size).toBe(0);
      expect(await store.byVersion(variant, 'root', 1)).toBeUndefined();
      expect(await store.byChecksum(variant, 'root', sha256Of(collection(1), 'root'))).toBeUndefined();
      expect(await store.changes({ gun: variant, direction: 'after', id: 0, limit: 9 })).toEqual([]);
      expect(await store.delete(variant, AT)).toBe(false);
      const error = await failure(store.publish({ gun: variant, files: collection(1), expected: 0, at: AT }));
      expect([error.code, error.message]).toEqual([
        'gun-case-conflict',
        `the database takes ${variant} for ${GUN}, which is published already`,
      ]);
      const again = await failure(store.import({ gun: variant, files: collection(1), at: AT }));
      expect(again.code).toBe('gun-case-conflict');
      expect((await store.current(GUN)).files.size).toBe(4);
    });

    test('what is larger than the database takes is refused as such, and the next publish works', async () => {
      const store = await open(await notaryDatabase());
      const [root, ...others] = collection(1);
      const large = [{ ...root, bytes: Buffer.alloc(17 * 2 ** 20) }, ...others];
      const error = await failure(store.publish({ gun: GUN, files: large, expected: 0, at: AT }));
      expect([error.code, error.httpStatus]).toEqual(['too-large', 413]);
      expect((await store.current(GUN)).files.size).toBe(0);
      expect(await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT })).toBe('stored');
    });

    test('times are what Notary reads, whatever the time zone of the server', async () => {
      const url = await notaryDatabase();
      const store = await open(url);
      const running = await start();
      await running.setGlobal('time_zone', "'+05:00'");
      try {
        await store.publish({ gun: GUN, files: collection(1), expected: 0, at: AT });
        // Notary's sessions have the zone of the server, and take what they see there for UTC.
        const [row] = await execute(
          url,
          "SET time_zone = '+05:00'",
          'SELECT CAST(created_at AS CHAR) AS t FROM tuf_files',
        );
        expect(row?.t).toBe('2026-11-29 12:34:56');
        expect((await store.byVersion(GUN, 'root', 1))?.createdAt).toBe(Date.parse('2026-11-29T12:34:56Z'));
      } finally {
        await running.setGlobal('time_zone', 'SYSTEM');
      }
    });
  }
});

/** A whole collection, all of it of this version, in the order in which Notary stores it. */
function collection(version: number) {
  const [root, targets] = [Buffer.from(`root ${version}`), Buffer.from(`targets ${version}`)];
  const meta = new Map([
    ['root', fileInfoOf(root)],
    ['targets', fileInfoOf(targets)],
  ]);
  const snapshot = writeEnvelope(snapshotJson({ version, expires: EXPIRES, meta }), []);
  const timestamp = writeEnvelope(timestampJson({ version, expires: EXPIRES, snapshot: fileInfoOf(snapshot) }), []);
  return [
    { role: 'root', version, bytes: root },
    { role: 'targets', version, bytes: targets },
    { role: 'snapshot', version, bytes: snapshot },
    { role: 'timestamp', version, bytes: timestamp },
  ] as const;
}

function sha256Of(files: ReturnType<typeof collection>, role: string): string {
  return digestHex(digestOf(files.find((file) => file.role === role)?.bytes ?? Buffer.of()));
}

async function failure(work: Promise<unknown>) {
  try {
    await work;
  } catch (error) {
    if (isSignetError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
