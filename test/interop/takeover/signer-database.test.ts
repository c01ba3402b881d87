import { expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../../src/core/json/parse.ts';
import { parsePublicKey } from '../../../src/core/keys/public-key.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { openRemoteSigner, type RemoteSigner } from '../../../src/notary/grpc/remote-signer.ts';
import { execute } from '../../support/database-server.ts';
import { Person, succeeds } from '../../support/notary-client.ts';
import { startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { notaryServerSchema, notarySignerSchema } from '../../support/notary-schema.ts';
import { type NotarySigner, startNotaryServer, startNotarySigner } from '../../support/notary-server.ts';
import { run } from '../../support/run.ts';
import { signetCommand, startSignet } from '../../support/signet-server.ts';
import { startSignetSigner } from '../../support/signet-signer.ts';
import { describeSqlServers } from '../../support/sql-databases.ts';
import { temporaryFolder } from '../../support/temp.ts';

const REPOSITORY = 'example.com/team/app';
const GUN = parseGun(REPOSITORY);
const MESSAGE = Buffer.from('{"_type":"Timestamp"}');
const [OLD, NEW] = ['what it was sealed with', 'what it is sealed with now'];

function clientOf({ port, tls }: Pick<NotarySigner, 'port' | 'tls'>): Promise<RemoteSigner> {
  return openRemoteSigner({
    authority: `localhost:${port}`,
    ca: readFileSync(tls.authority),
    client: { chain: readFileSync(tls.cert), key: readFileSync(tls.key) },
  });
}

describeSqlServers(({ dialect, start }) => {
  async function signerDatabase(): Promise<{ readonly url: string; readonly file: string }> {
    const url = await (await start()).makeDatabase();
    await execute(url, ...notarySignerSchema(dialect, 'rows'));
    const file = join(temporaryFolder(), 'database');
    writeFileSync(file, `${url}\n`, { mode: 0o600 });
    return { url, file };
  }

  test('signet signer goes on with the keys of notary-signer for a notary-server, and notary-signer with its', async () => {
    const { url, file } = await signerDatabase();
    const database = await (await start()).makeDatabase();
    await execute(database, ...notaryServerSchema(dialect));
    const notarys = await startNotarySigner({ database: url, passphrases: { main: OLD } });
    const first = await startNotaryServer({ database, signer: notarys });
    const alice = new Person(first);
    await succeeds(alice.notary('init', REPOSITORY, '-p'));
    await succeeds(alice.notary('key', 'rotate', REPOSITORY, 'snapshot', '-r'));
    for (const program of [first, notarys]) await program.stop();

    const env = { NOTARY_SIGNER_DEFAULT_ALIAS: 'main', NOTARY_SIGNER_MAIN: OLD };
    const signets = await startSignetSigner({ args: ['--database-file', file], env });
    const second = await startNotaryServer({ database, signer: signets });
    const elsewhere = new Person(second).takeKeysOf(alice);
    await succeeds(elsewhere.add(REPOSITORY, '1.0'));
    await succeeds(elsewhere.notary('init', `${REPOSITORY}/other`, '-p'));
    for (const program of [second, signets]) await program.stop();

    await notarys.start();
    await first.start();
    alice.takeKeysOf(elsewhere);
    await succeeds(alice.add(REPOSITORY, '1.1'));
    await succeeds(alice.add(`${REPOSITORY}/other`, '1.0'));
    expect(await succeeds(alice.notary('list', REPOSITORY))).toContain('1.1');
    for (const program of [first, notarys]) await program.stop();
  });

  test('keys get a new passphrase, and notary-signer reads them with it alone', async () => {
    const { url, file } = await signerDatabase();
    const former = await startNotarySigner({ database: url, passphrases: { former: OLD } });
    const client = await clientOf(former);
    const keys = [
      await client.createKey('ecdsa', GUN, 'timestamp'),
      await client.createKey('ed25519', GUN, 'snapshot'),
    ];
    client.close();
    await former.stop();

    const rotate = (env: Record<string, string>) =>
      run([...signetCommand(), 'signer', '--rotate-passphrases', '--database-file', file], {
        env: { ...(process.env as Record<string, string>), ...env },
      });
    const chosen = { NOTARY_SIGNER_DEFAULT_ALIAS: 'later', NOTARY_SIGNER_LATER: NEW };
    const locked = await rotate(chosen);
    expect([locked.exitCode, locked.stdout]).toEqual([1, 'Encrypted 0 keys with the new passphrase.\n']);
    expect(locked.stderr).toContain('the passphrase of the alias "former" is not given');
    expect(locked.stderr).toContain('2 keys kept the passphrase they had');
    const unchosen = await rotate({ NOTARY_SIGNER_FORMER: OLD });
    expect([unchosen.exitCode, unchosen.stderr]).toEqual([1, expect.stringContaining('no alias is set')]);

    const done = await rotate({ ...chosen, NOTARY_SIGNER_FORMER: OLD });
    expect([done.exitCode, done.stdout, done.stderr]).toEqual([0, 'Encrypted 2 keys with the new passphrase.\n', '']);
    const again = await rotate({ ...chosen, NOTARY_SIGNER_FORMER: OLD });
    expect([again.exitCode, again.stdout]).toEqual([0, 'Encrypted 0 keys with the new passphrase.\n']);

    const later = await startNotarySigner({ database: url, passphrases: { later: NEW } });
    const after = await clientOf(later);
    for (const key of keys) expect(await after.sign(key, MESSAGE)).toBeDefined();
    after.close();
    await later.stop();
  });

  test('signet serve takes the place of notary-server on its database, and leaves the keys with the running signer', async () => {
    const both = await startNotaryOnDatabase(await start());
    const { notary, signer, database } = both;
    const before = new Person(notary);
    await succeeds(before.notary('init', REPOSITORY, '-p'));
    await succeeds(before.notary('key', 'rotate', REPOSITORY, 'snapshot', '-r'));
    await succeeds(before.add(REPOSITORY, '1.0'));
    await notary.stop();

    const file = join(temporaryFolder(), 'database');
    writeFileSync(file, `${database}\n`, { mode: 0o600 });
    const { authority, cert, key } = signer.tls;
    const server = await startSignet({
      args: [
        ...['--auth', 'off', '--database-file', file, '--signer', `localhost:${signer.port}`, '--signer-ca', authority],
        ...['--signer-certificate', cert, '--signer-key', key],
      ],
    });
    const rootOf = async () => {
      const url = `${server.origin}/v2/${REPOSITORY}/_trust/tuf/root.json`;
      return readRoot(
        parseEnvelope('root', Buffer.from(await (await fetch(url, { tls: { rejectUnauthorized: false } })).bytes()))
          .signed,
      );
    };
    const { roles } = await rootOf();
    const owner = new Person(server).takeKeysOf(before);
    await succeeds(owner.add(REPOSITORY, '1.1'));
    expect((await rootOf()).roles).toEqual(roles);
    expect(await succeeds(new Person(server).notary('list', REPOSITORY))).toContain('1.1');
    // Another repository gets a key of its own.
    const current = await fetch(`${server.origin}/v2/${REPOSITORY}/other/_trust/tuf/timestamp.key`, {
      tls: { rejectUnauthorized: false },
    });
    expect(makeKeyId(await current.text())).not.toBe(roles.get('timestamp')?.keyIds[0] ?? '');
    await server.stop();
    await notary.start();
    await succeeds(before.add(REPOSITORY, '1.2'));
    await both.stop();
  });
});

function makeKeyId(text: string): string {
  return parsePublicKey(parseJson(text), 'the key').id;
}
