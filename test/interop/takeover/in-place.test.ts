import { beforeAll, expect, test } from 'bun:test';
import { DAY } from '../../../src/core/time.ts';
import { request, startTestServer } from '../../serve/fixture.ts';
import { execute } from '../../support/database-server.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { type NotaryOnDatabase, startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { published } from '../../support/published.ts';
import { type SignetServer, startSignet } from '../../support/signet-server.ts';
import { describeSqlServers, serverOf } from '../../support/sql-databases.ts';
import { targetsOf } from '../delegated.ts';

const GUN = 'example.com/team/app';
const RELEASES = 'targets/releases';
const PLENTY_MS = 120_000;

describeSqlServers(({ dialect, start }) => {
  let made: NotaryOnDatabase;
  let signet: SignetServer;
  let owner: Person;
  /** Someone who has seen the repository at every step. */
  let reader: Person;
  /** The tags that are there, as `notary list` shows them. */
  const expected: string[] = [];

  beforeAll(async () => {
    made = await startNotaryOnDatabase(await start());
    owner = new Person(made.notary);
    reader = new Person(made.notary);
    await succeeds(owner.notary('init', GUN, '-p'));
    await succeeds(owner.notary('key', 'rotate', GUN, 'snapshot', '-r'));
    const certificate = ['-days', '400', '-subj', '/CN=release', '-keyout', 'release.pem', '-out', 'release.crt'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    await succeeds(owner.run(['openssl', 'req', '-x509', '-nodes', '-batch', ...curve, ...certificate]));
    await succeeds(owner.notary('key', 'import', 'release.pem', '-r', 'release'));
    await succeeds(owner.notary('delegation', 'add', GUN, RELEASES, 'release.crt', '--all-paths', '-p'));
    await publish(owner, 'n1');
    await made.stop();
    signet = await startSignet({ args: ['--auth', 'off'], env: signetEnvironment(made) });
    await signet.stop();
    await made.start();
  }, PLENTY_MS);

  /** Publishes a tag in both roles. */
  async function publish(person: Person, tag: string): Promise<void> {
    await succeeds(person.add(GUN, tag));
    await succeeds(person.add(GUN, `${tag}-released`, '-r', RELEASES));
    expected.push(`${tag} targets`, `${tag}-released ${RELEASES}`);
  }

  /** What clients who know the repository, and one who does not, get from a server. */
  async function expectAllAt(service: NotaryOnDatabase['notary'] | SignetServer): Promise<void> {
    const wanted = expected.toSorted();
    for (const person of [reader.at(service), new Person(service)]) {
      expect((await targetsOf(person, GUN)).toSorted()).toEqual(wanted);
    }
  }

  const keys = () =>
    execute(
      made.keyDatabase,
      'SELECT id, key_id, passphrase_alias, last_used IS NULL AS unused FROM private_keys ORDER BY id',
    );
  const files = () => execute(made.database, 'SELECT * FROM tuf_files ORDER BY id');

  test(
    'goes on where Notary stopped, and Notary where Signet stopped, twice, with the same keys',
    async () => {
      const [keysBefore, filesBefore, shape] = [await keys(), await files(), await columnsOf(made, dialect)];
      for (const round of [1, 2]) {
        await made.stop();
        await signet.start();
        await expectAllAt(signet);
        await publish(owner.at(signet), `s${round}`);
        await expectAllAt(signet);
        await signet.stop();
        await made.start();
        await expectAllAt(made.notary);
        await publish(owner, `n${round + 1}`);
        await expectAllAt(made.notary);
      }
      expect(await keys()).toEqual(keysBefore);
      expect((await files()).slice(0, filesBefore.length)).toEqual(filesBefore);
      expect(await columnsOf(made, dialect)).toEqual(shape);
      const [{ n: records } = {}] = await execute(
        made.database,
        "SELECT count(*) AS n FROM changefeed WHERE category = 'update'",
      );
      const [{ n: timestamps } = {}] = await execute(
        made.database,
        "SELECT count(*) AS n FROM tuf_files WHERE role = 'timestamp'",
      );
      expect(records).toEqual(timestamps);
    },
    PLENTY_MS,
  );

  test(
    'renews an expired timestamp with the key that made it, and Notary serves what was renewed',
    async () => {
      const before = await published(made.notary, GUN);
      await made.stop();
      const later = await startTestServer(
        { auth: false, tls: false, database: serverOf(made.database), signerDatabase: serverOf(made.keyDatabase) },
        { now: () => Date.now() + 15 * DAY, environment: made.environment },
      );
      const path = `/v2/${GUN}/_trust/tuf/timestamp.json`;
      const renewed = JSON.parse(await (await request(later, path)).text());
      await later.stop();
      expect(renewed.signed.version).toBe((before?.versions.timestamp ?? 0) + 1);
      expect(renewed.signatures.map(({ keyid }: { keyid: string }) => keyid)).toEqual(before?.signersOf('timestamp'));
      await made.start();
      const served = await published(made.notary, GUN);
      expect(served?.versions).toEqual({ ...before?.versions, timestamp: renewed.signed.version });
      await expectAllAt(made.notary);
      await publish(owner, 'after-renewal');
      await expectAllAt(made.notary);
    },
    PLENTY_MS,
  );

  test(
    'a repository that Signet founds is one of Notary\u2019s, with keys that its signer opens',
    async () => {
      const gun = 'example.com/team/new';
      await made.stop();
      await signet.start();
      const founder = new Person(signet);
      await succeeds(founder.notary('init', gun, '-p'));
      await succeeds(founder.notary('key', 'rotate', gun, 'snapshot', '-r'));
      await succeeds(founder.add(gun, 'first'));
      await signet.stop();
      const rows = await execute(
        made.keyDatabase,
        `SELECT role, algorithm, passphrase_alias, encryption_alg, keywrap_alg FROM private_keys WHERE gun = '${gun}' ORDER BY id`,
      );
      const form = {
        algorithm: 'ecdsa',
        passphrase_alias: 'main',
        encryption_alg: 'A256GCM',
        keywrap_alg: 'PBES2-HS256+A128KW',
      };
      expect(rows).toEqual([
        { role: 'timestamp', ...form },
        { role: 'snapshot', ...form },
      ]);
      await made.start();
      await succeeds(founder.at(made.notary).add(gun, 'second'));
      expect(await targetsOf(new Person(made.notary), gun)).toEqual(['first targets', 'second targets']);
    },
    PLENTY_MS,
  );

  test(
    'both serve at the same time: what one takes the other has at once, and of two that race none is lost',
    async () => {
      await signet.start();
      await publish(owner, 'of-notary');
      await expectAllAt(signet);
      await publish(owner.at(signet), 'of-signet');
      await expectAllAt(made.notary);

      // Two machines of the owner publish at the same time, each at another server: whoever is told that it worked is right.
      const machines = [new Person(made.notary).takeKeysOf(owner), new Person(signet).takeKeysOf(owner)];
      for (let round = 0; round < 4; round++) {
        const tags = machines.map((_, index) => `race-${round}-${index}`);
        const outcomes = await Promise.all(machines.map((machine, index) => machine.add(GUN, tags[index] ?? '')));
        const won = tags.filter((_, index) => outcomes[index]?.exitCode === 0);
        expect(won.length).toBeGreaterThan(0);
        expected.push(...won.map((tag) => `${tag} targets`));
        // Who lost has the change staged still.
        for (const machine of machines) await succeeds(machine.notary('reset', GUN, '--all'));
        await expectAllAt(made.notary);
        await expectAllAt(signet);
      }
      await signet.stop();
    },
    PLENTY_MS,
  );

  test(
    'a client that reads in a loop while the servers change places has not one failed read',
    async () => {
      let service: NotaryOnDatabase['notary'] | SignetServer = made.notary;
      let isDone = false;
      const outcomes: number[] = [];
      const loop = (async () => {
        while (!isDone) outcomes.push((await reader.at(service).notary('list', GUN)).exitCode);
      })();
      await signet.start();
      service = signet;
      const count = outcomes.length;
      while (outcomes.length < count + 2) await Bun.sleep(5);
      await made.stop();
      await publish(owner.at(signet), 'moved');
      isDone = true;
      await loop;
      expect(outcomes.filter((exitCode) => exitCode !== 0)).toEqual([]);
      expect(outcomes.length).toBeGreaterThan(3);
      await expectAllAt(signet);
      await signet.stop();
    },
    PLENTY_MS,
  );
});

function signetEnvironment({ database, keyDatabase, environment }: NotaryOnDatabase): Record<string, string> {
  return { SIGNET_DATABASE: database, SIGNET_SIGNER_DATABASE: keyDatabase, ...environment };
}

/** The columns of Notary's own tables. */
async function columnsOf({ database, keyDatabase }: NotaryOnDatabase, dialect: 'postgres' | 'mysql'): Promise<unknown> {
  const schema = dialect === 'postgres' ? 'current_schema()' : 'database()';
  const sql = `SELECT table_name AS t, column_name AS c, data_type AS d, is_nullable AS n FROM information_schema.columns
               WHERE table_schema = ${schema} AND table_name NOT LIKE 'signet%' ORDER BY 1, 2`;
  return [await execute(database, sql), await execute(keyDatabase, sql)];
}
