import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DumpSummary, readDump } from '../../../../src/serve/storage/rethinkdb/dump.ts';
import type { DumpedChange, DumpedFile, DumpedKey } from '../../../../src/serve/storage/rethinkdb/rows.ts';
import { failure } from '../../../support/failure.ts';
import { binary, dumpEntries, dumpFile, fileRow, NO_TIME, tarOf, time } from '../../../support/rethinkdb-dump.ts';
import { temporaryFolder } from '../../../support/temp.ts';

const AT = new Date('2019-03-04T05:06:07.891Z');
const DATA = Buffer.from('{"signed":{}}');
const FILE = fileRow('dtr.example.com/team/app', 'timestamp', 3, DATA, AT);
const SHA256 = (FILE as { readonly sha256: string }).sha256;
const CHANGE = {
  id: 'f1d5dd5a-2f3c-4a3e-8a36-5f5a0a1c1f11',
  created_at: time(AT),
  gun: 'dtr.example.com/team/app',
  version: 3,
  sha256: SHA256,
  category: 'update',
};
const KEY = {
  key_id: 'ab'.repeat(32),
  encryption_alg: 'A256GCM',
  keywrap_alg: 'PBES2-HS256+A128KW',
  algorithm: 'ecdsa',
  passphrase_alias: 'main',
  public: binary(Buffer.from('public')),
  private: binary(Buffer.from('a.b.c.d.e')),
  gun: 'dtr.example.com/team/app',
  role: 'timestamp',
  last_used: NO_TIME,
  created_at: time(AT),
  updated_at: time(AT),
  deleted_at: NO_TIME,
};
const TABLES = {
  'notaryserver.tuf_files': [FILE],
  'notaryserver.changefeed': [CHANGE],
  'notarysigner.private_keys': [KEY],
};

interface Read extends DumpSummary {
  readonly files: DumpedFile[];
  readonly changes: DumpedChange[];
  readonly keys: DumpedKey[];
}

async function read(path: string, limit?: number): Promise<Read> {
  const rows: Pick<Read, 'files' | 'changes' | 'keys'> = { files: [], changes: [], keys: [] };
  const visitor = {
    onFile: (file: DumpedFile) => void rows.files.push(file),
    onChange: (change: DumpedChange) => void rows.changes.push(change),
    onKey: (key: DumpedKey) => void rows.keys.push(key),
  };
  return { ...(await readDump(path, visitor, limit === undefined ? {} : { limit })), ...rows };
}

const dump = (tables: Readonly<Record<string, readonly object[]>>) => dumpFile(tarOf(dumpEntries(tables)));

/** Why a dump is refused. */
async function refusal(path: string, limit?: number): Promise<string> {
  const { message } = await failure(read(path, limit), 'dump-invalid');
  const beginning = `the dump ${path} cannot be imported: `;
  expect(message).toStartWith(beginning);
  return message.slice(beginning.length);
}

test('reads the rows of Notary, without those that are marked as deleted, and names the tables of others', async () => {
  const found = await read(
    dump({
      ...TABLES,
      'notaryserver.tuf_files': [FILE, { ...FILE, deleted_at: time(AT) }],
      'dtr2.repositories': [{ anything: [{}] }],
      'jobrunner.jobs': [],
    }),
  );
  expect(found).toEqual({
    tables: new Map([
      ['tuf_files', 'notaryserver.tuf_files'],
      ['changefeed', 'notaryserver.changefeed'],
      ['private_keys', 'notarysigner.private_keys'],
    ]),
    others: ['dtr2.repositories', 'jobrunner.jobs'],
    deleted: 1,
    files: [
      {
        gun: 'dtr.example.com/team/app',
        role: 'timestamp',
        version: 3,
        sha256: SHA256,
        data: DATA,
        createdAt: AT.getTime(),
      },
    ] as unknown as DumpedFile[],
    changes: [{ ...CHANGE, created_at: undefined, createdAt: AT.getTime() }] as unknown as DumpedChange[],
    keys: [
      {
        id: KEY.key_id,
        encryption: 'A256GCM',
        wrapping: 'PBES2-HS256+A128KW',
        algorithm: 'ecdsa',
        alias: 'main',
        publicBytes: Buffer.from('public'),
        encrypted: Buffer.from('a.b.c.d.e'),
        gun: KEY.gun,
        role: 'timestamp',
        createdAt: AT.getTime(),
        lastUsed: undefined,
      },
    ] as unknown as DumpedKey[],
  });
});

test('keys of the oldest signers, without repository, role and use, are read as Go reads them', async () => {
  const { gun: _gun, role: _role, last_used: _used, ...old } = KEY;
  const { keys } = await read(dump({ 'notarysigner.private_keys': [old] }));
  expect(keys).toMatchObject([{ gun: '', role: '', lastUsed: undefined }]);
});

describe('a row that cannot be imported is named', () => {
  const files: readonly (readonly [change: object, why: string])[] = [
    [
      { sha256: '0'.repeat(64) },
      'the data of timestamp 3 of dtr.example.com/team/app has another sha256 than its row says',
    ],
    [
      { data: binary(Buffer.from('{}')) },
      'the data of timestamp 3 of dtr.example.com/team/app has another sha256 than its row says',
    ],
    [{ data: 'e30=' }, "data is not of RethinkDB's type BINARY"],
    [{ data: { $reql_type$: 'BINARY', data: '?' } }, 'data is no base64 of up to 33554432 bytes'],
    [{ data: { $reql_type$: 'BINARY', data: 'e30=', more: 1 } }, "data is not of RethinkDB's type BINARY"],
    [{ version: 2 ** 31 }, 'version is no number from 1 to 2147483647'],
    [{ version: 1e300 }, 'version is no number from 1 to 2147483647'],
    [{ version: 1.5 }, 'version is no number from 1 to 2147483647'],
    [{ version: '3' }, 'version is no number from 1 to 2147483647'],
    [{ version: -1 }, 'version is no number from 1 to 2147483647'],
    [{ version: 4 }, 'gun_role_version is not gun, role and version'],
    [{ gun: '../../etc' }, 'invalid repository name "../../etc"'],
    [{ role: 'admin' }, 'tuf: invalid role admin.'],
    [{ created_at: 5 }, "created_at is not of RethinkDB's type TIME"],
    [
      { created_at: { $reql_type$: 'TIME', epoch_time: 1e12, timezone: 'Z' } },
      'created_at is no time between 1970 and 2038',
    ],
    [{ created_at: { $reql_type$: 'TIME', epoch_time: 1, timezone: 'CET' } }, 'created_at is no time'],
    [{ sha256: undefined }, 'it has no column sha256'],
    [{ namespace: 'other' }, 'Notary has no column "namespace"'],
  ];
  for (const [change, why] of files) {
    test(JSON.stringify(change), async () => {
      const path = dump({
        ...TABLES,
        'notaryserver.tuf_files': [fileRow('a/b', 'root', 1, DATA, AT), { ...FILE, ...change }],
      });
      expect(await refusal(path)).toStartWith(`notaryserver.tuf_files, row 2: ${why}`);
    });
  }

  test('changes and keys', async () => {
    const cases: readonly (readonly [table: string, row: object, why: string])[] = [
      ['notaryserver.changefeed', { ...CHANGE, category: 'drop' }, 'there is no category "drop"'],
      ['notaryserver.changefeed', { ...CHANGE, sha256: '' }, 'sha256 is none'],
      ['notaryserver.changefeed', { ...CHANGE, created_at: NO_TIME }, 'created_at is no time'],
      ['notarysigner.private_keys', { ...KEY, key_id: 'x' }, '"x" is no key id'],
      [
        'notarysigner.private_keys',
        { ...KEY, private: binary(Buffer.alloc(65_536)) },
        'private is no base64 of up to 65535 bytes',
      ],
      [
        'notarysigner.private_keys',
        { ...KEY, passphrase_alias: 'a\u0000b' },
        'passphrase_alias is no text of up to 50 printable characters',
      ],
    ];
    for (const [table, row, why] of cases) {
      expect(await refusal(dump({ ...TABLES, [table]: [row] }))).toBe(`${table}, row 1: ${why}`);
    }
  });

  test('a row that is there twice', async () => {
    for (const [table, [row]] of Object.entries(TABLES)) {
      expect(await refusal(dump({ ...TABLES, [table]: [row as object, row as object] }))).toStartWith(
        `${table}, row 2: there is another row for `,
      );
    }
  });

  test('JSON that two programs read differently, or none', async () => {
    const row = JSON.stringify(FILE);
    const cases: readonly (readonly [json: string, why: string])[] = [
      [`[${row.replace('"version":3', '"version":NaN')}]`, 'row 1: '],
      [`[${row.replace('"version":3', '"version":1e999')}]`, 'row 1: JSON number 1e999 is out of range'],
      [`[${row.replace('"version":3', '"version":3,"version":4')}]`, 'row 1: JSON names "version" twice in one object'],
      [`[${row}`, 'row 2: it is cut short'],
      [`[${row.slice(0, -1)}`, 'row 1: it is cut short'],
      [`[${row},]`, 'row 2: it is not an array of objects'],
      [`[${row} ${row}]`, 'row 2: it is not an array of objects'],
      [`[${row}]]`, 'row 2: it is not an array of objects'],
      [row, 'row 1: it is not an array of objects'],
      [`{"rows":[${row}]}`, 'row 1: it is not an array of objects'],
      ['[1]', 'row 1: it is not an array of objects'],
      ['', 'row 1: it is cut short'],
      ['[{"a":]}', 'row 1: '],
      [`[{"a":${'['.repeat(100)}${']'.repeat(100)}}]`, 'row 1: '],
      [`[{"a":"${'x'.repeat(2 ** 26)}"}]`, 'row 1: it is longer than 67108864 bytes'],
    ];
    for (const [content, why] of cases) {
      const entries = dumpEntries(TABLES).map((entry) =>
        entry.name.endsWith('tuf_files.json') ? { ...entry, content } : entry,
      );
      expect(await refusal(dumpFile(tarOf(entries)))).toStartWith(`notaryserver.tuf_files, ${why}`);
    }
  });
});

describe('an archive that is not what rethinkdb dump writes', () => {
  test('is refused', async () => {
    const entries = dumpEntries(TABLES);
    const [first] = entries;
    if (first === undefined) throw new Error('the dump is empty');
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [
        tarOf([{ ...first, name: '../../tuf_files.json' }]),
        'the tar archive cannot be read: it has the name "../../tuf_files.json"',
      ],
      [
        tarOf([{ ...first, type: '2' }]),
        'the tar archive cannot be read: "rethinkdb_dump_2019-03-04T05:06:07/notaryserver/tuf_files.json" is no file',
      ],
      [tarOf([...entries, { name: 'evil/notaryserver/x.json' }]), 'its tables lie in several folders'],
      [tarOf([...entries, { name: 'x' }]), 'it has "x", which is no table'],
      [tarOf([...entries, first]), 'it has "rethinkdb_dump_2019-03-04T05:06:07/notaryserver/tuf_files.json" twice'],
      [
        tarOf(entries.slice(0, -1)),
        'it has rethinkdb_dump_2019-03-04T05:06:07/notarysigner/private_keys.json, but not rethinkdb_dump_2019-03-04T05:06:07/notarysigner/private_keys.info',
      ],
      [
        tarOf(dumpEntries({ ...TABLES, 'old.tuf_files': [] })),
        'it has two tables tuf_files: notaryserver.tuf_files and old.tuf_files',
      ],
      [
        tarOf(dumpEntries({ 'dtr2.repositories': [] })),
        'it has none of the tables tuf_files, changefeed, private_keys',
      ],
      [tarOf(dumpEntries({ 'a.changefeed': [] })), 'it has a.changefeed, but no tuf_files'],
      [
        tarOf(dumpEntries({ 'a.tuf_files': [], 'b.changefeed': [] })),
        'a.tuf_files and b.changefeed are of two databases',
      ],
    ];
    for (const [archive, why] of cases) expect(await refusal(dumpFile(archive))).toBe(why);
  });

  test('nor is one that gzip cannot unpack, that is cut short, or that unpacks to more than there may be', async () => {
    const archive = tarOf(dumpEntries(TABLES));
    const packed = gzipSync(archive);
    const path = join(temporaryFolder(), 'dump');
    const cases: readonly Uint8Array[] = [
      archive,
      packed.subarray(0, packed.length / 2),
      packed.subarray(0, -4),
      Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)]),
      Buffer.alloc(0),
    ];
    for (const bytes of cases) {
      writeFileSync(path, bytes);
      await refusal(path);
    }
    const bomb = dumpFile(
      tarOf([
        ...dumpEntries(TABLES),
        { name: 'rethinkdb_dump_2019-03-04T05:06:07/a/b.json', content: ' '.repeat(2 ** 22) },
      ]),
    );
    expect(await refusal(bomb, 2 ** 20)).toBe('it has more than 1048576 bytes');
    await failure(read(join(temporaryFolder(), 'none')), 'file-unreadable');
    expect(await refusal(temporaryFolder())).toBe('it is no file');
  });
});
