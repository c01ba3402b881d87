import { beforeAll, expect, test } from 'bun:test';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute } from '../../support/database-server.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { type NotaryOnDatabase, SIGNER_PASSPHRASE, startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { type Outcome, run } from '../../support/run.ts';
import { signetCommand } from '../../support/signet-server.ts';
import { describeSqlServers, serverOf } from '../../support/sql-databases.ts';
import { temporaryFolder } from '../../support/temp.ts';

const GUN = 'example.com/team/app';

describeSqlServers(({ dialect, start }) => {
  let made: NotaryOnDatabase;
  beforeAll(async () => {
    made = await startNotaryOnDatabase(await start(), { bookkeeping: 'rows' });
    await succeeds(new Person(made.notary).notary('init', GUN, '-p'));
    await made.stop();
  });

  /** `signet serve` with a data folder that does not exist. */
  async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome & { data: string }> {
    const data = join(temporaryFolder(), 'data');
    const base = { PATH: process.env.PATH ?? '', HOME: temporaryFolder() };
    const databases = { SIGNET_DATABASE: made.database, SIGNET_SIGNER_DATABASE: made.keyDatabase };
    const words = ['serve', '--data', data, '--listen', 'localhost:0', '--auth', 'off', ...args];
    const outcome = await run([...signetCommand(), ...words], {
      env: { ...base, ...databases, ...made.environment, ...env },
    });
    return { ...outcome, data };
  }

  const everything = async () => [
    await execute(made.database, 'SELECT * FROM tuf_files ORDER BY id'),
    await execute(made.keyDatabase, 'SELECT * FROM private_keys ORDER BY id'),
    await tablesOf(made.database, dialect),
    await tablesOf(made.keyDatabase, dialect),
  ];

  test('says what it found and what it would do, in words and as JSON, and touches nothing', async () => {
    const before = await everything();
    const [server, signer] = dialect === 'postgres' ? [2, 1] : [5, 2];
    const { exitCode, stdout, stderr, data } = await serve(['--check']);
    expect({ exitCode, stderr, stdout }).toEqual({
      exitCode: 0,
      stderr: '',
      stdout: `Trust data   ${serverOf(made.database)}
             tables of notary-server, migration ${server}
             1 repositories, 4 files, 1 changes
Keys         ${serverOf(made.keyDatabase)}
             tables of notary-signer, migration ${signer}
             alias main: 1 of 1 keys open
             new keys: ecdsa, alias main

Signet would read and write these tables as notary-server does, alter none of them, and make its own beside them (signet_…).
It would keep every version that is stored.
It would sign with the keys of notary-signer, and add new ones to its table.
Nothing was changed.
`,
    });
    const json = await serve(['--check', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      fit: true,
      database: `${serverOf(made.database)}`,
      signerDatabase: `${serverOf(made.keyDatabase)}`,
      counts: { repositories: 1, files: 4, changes: 1 },
      findings: [],
    });
    expect(existsSync(data)).toBe(false);
    expect(await everything()).toEqual(before);
    const password = new URL(made.database).password;
    expect(`${stdout}${json.stdout}`).not.toContain(password);
  });

  test('takes passphrases from a file as docker\u2019s --env-file has them', async () => {
    const file = join(temporaryFolder(), 'signer.env');
    writeFileSync(
      file,
      `# of notary-signer\nNOTARY_SIGNER_MAIN=${SIGNER_PASSPHRASE}\nNOTARY_SIGNER_DEFAULT_ALIAS=main\n`,
    );
    const without = { NOTARY_SIGNER_MAIN: '', NOTARY_SIGNER_DEFAULT_ALIAS: '' };
    expect((await serve(['--check', '--signer-passphrases', file], without)).exitCode).toBe(0);
    const missing = await serve(['--check'], without);
    expect(missing.exitCode).toBe(1);
    expect(missing.stdout).toContain('ERROR   main: there is no passphrase for one key of the alias "main"\n');
    const none = await serve(['--check', '--signer-passphrases', `${file}.none`], without);
    expect([none.exitCode, none.stderr]).toEqual([
      125,
      expect.stringContaining(`there is no file ${file}.none, which signerPassphrases names`),
    ]);
  });

  test('what is in the way is said by the check, and by the server, which then does not start; nothing is changed', async () => {
    const before = await everything();
    const server = await start();
    const half = await server.makeDatabase();
    await execute(half, 'CREATE TABLE wp_posts (id int)');
    const cases: readonly (readonly [env: Record<string, string>, check: string, start: string])[] = [
      [
        { NOTARY_SIGNER_MAIN: 'another one' },
        'ERROR   main: the one key of the alias "main" does not open: cannot open the key ',
        'cannot open the key ',
      ],
      [
        { NOTARY_SIGNER_MAIN: '' },
        'ERROR   main: no new key could be made: there is no passphrase for the alias "main"',
        'the passphrase of the alias "main" is not given',
      ],
      [
        { SIGNET_DATABASE: half },
        'ERROR   the database has tables of another program: wp_posts',
        'the database has tables of another program: wp_posts',
      ],
      [
        { SIGNET_DATABASE: made.keyDatabase, SIGNET_SIGNER_DATABASE: made.database },
        'ERROR   the database is that of notary-signer: it has the table private_keys, but not tuf_files of notary-server',
        'the database is that of notary-signer: it has the table private_keys, but not tuf_files of notary-server',
      ],
      [
        { SIGNET_DATABASE: await server.makeUser(made.database, 'SELECT') },
        'ERROR   Signet would not start: the user of the database lacks ',
        'the database refuses: ',
      ],
    ];
    for (const [env, inCheck, inStart] of cases) {
      const check = await serve(['--check'], env);
      expect(check).toMatchObject({ exitCode: 1, stderr: '', stdout: expect.stringContaining(inCheck) });
      const started = await serve([], env);
      expect(started).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(inStart) });
    }
    expect(await everything()).toEqual(before);
    expect(await tablesOf(half, dialect)).toEqual(['wp_posts']);
  }, 60_000);

  test('without the database of a Notary there is nothing to check', async () => {
    const { exitCode, stderr } = await serve(['--check'], { SIGNET_DATABASE: '', SIGNET_SIGNER_DATABASE: '' });
    expect([exitCode, stderr]).toEqual([
      125,
      expect.stringContaining('--check looks at the database of a Notary, and the settings name none'),
    ]);
    const unreachable = await serve(['--check', '--json'], { SIGNET_DATABASE: 'postgres://u:hunter2@127.0.0.1:1/n' });
    expect(JSON.parse(unreachable.stdout)).toMatchObject({
      fit: false,
      findings: [{ level: 'error', code: 'database-unavailable', next: expect.any(String) }],
    });
    expect(unreachable.exitCode).toBe(1);
    expect(`${unreachable.stdout}${unreachable.stderr}`).not.toContain('hunter2');
    expect((await serve(['--json'])).stderr).toContain('--json is for --check');
  });
});

async function tablesOf(url: string, dialect: 'postgres' | 'mysql'): Promise<string[]> {
  const schema = dialect === 'postgres' ? 'current_schema()' : 'database()';
  const rows = await execute(
    url,
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${schema} ORDER BY 1`,
  );
  return rows.map(({ name }) => String(name));
}
