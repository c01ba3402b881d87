import { beforeAll, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority } from '../../remote/certificates.ts';
import { Person } from '../../support/notary-client.ts';
import { type NotarySigner, startNotarySigner } from '../../support/notary-server.ts';
import { run } from '../../support/run.ts';
import { freePort, type SignetServer, signetCommand, startSignet } from '../../support/signet-server.ts';
import { temporaryFolder } from '../../support/temp.ts';

let signer: NotarySigner;
let server: SignetServer;

const flagsOf = ({ port, tls }: Pick<NotarySigner, 'port' | 'tls'>) => [
  ...['--signer', `localhost:${port}`, '--signer-ca', tls.authority],
  ...['--signer-certificate', tls.cert, '--signer-key', tls.key],
];

beforeAll(async () => {
  signer = await startNotarySigner();
  server = await startSignet({ args: ['--auth', 'off', ...flagsOf(signer)] });
});

const health = async (): Promise<readonly [number, string]> => {
  const answer = await fetch(`${server.origin}/_notary_server/health`, { tls: { rejectUnauthorized: false } });
  return [answer.status, await answer.text()];
};

/** Runs `signet serve` until it gives up. */
async function refused(...flags: readonly string[]): Promise<readonly [number, string]> {
  const data = join(temporaryFolder(), 'data');
  const words = ['serve', '--data', data, '--listen', `127.0.0.1:${await freePort()}`, ...flags];
  const { exitCode, stderr } = await run([...signetCommand(), ...words]);
  return [exitCode, stderr];
}

describe('signet serve with Debian’s notary-signer', () => {
  test('founds, publishes, rotates and lists with keys that the signer holds', async () => {
    const owner = new Person(server);
    const gun = `${server.host}/team/app`;
    const succeeds = async (...words: readonly string[]) => expect((await owner.notary(...words)).exitCode).toBe(0);
    await succeeds('init', '-p', gun);
    await succeeds('key', 'rotate', gun, 'snapshot', '-r');
    expect((await owner.add(gun, 'v1')).exitCode).toBe(0);
    expect((await owner.notary('list', gun)).stdout).toContain('v1');
    await succeeds('key', 'rotate', gun, 'timestamp', '-r');
    expect((await new Person(server).notary('list', gun)).stdout).toContain('v1');
    const keys = await fetch(`${server.origin}/v2/${gun}/_trust/tuf/timestamp.key`, {
      tls: { rejectUnauthorized: false },
    });
    expect(await keys.json()).toMatchObject({ keytype: 'ecdsa' });
    expect(await health()).toEqual([200, '{}']);
  });

  test('holds no private key, and no master key', async () => {
    const { Database } = await import('bun:sqlite');
    const database = new Database(join(server.data, 'signet.db'), { readonly: true });
    const sizes = database.query<{ size: number }, []>('SELECT length(private) AS size FROM online_keys').all();
    database.close();
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.every(({ size }) => size === 0)).toBe(true);
    expect(await Bun.file(join(server.data, 'master.key')).exists()).toBe(false);
  });

  test('says so while the signer is gone, serves what is stored, and goes on once it is back', async () => {
    const owner = new Person(server);
    const gun = `${server.host}/team/restarted`;
    expect((await owner.notary('init', '-p', gun)).exitCode).toBe(0);
    await signer.stop();
    const [status, text] = await health();
    expect(status).toBe(503);
    expect(JSON.parse(text)).toEqual({
      'Trust operational': expect.stringContaining(`cannot reach the signer localhost:${signer.port}: `),
    });
    const failed = await owner.add(gun, 'v1');
    expect(failed.exitCode).not.toBe(0);
    expect((await new Person(server).notary('list', gun)).exitCode).toBe(0);
    await signer.start();
    while ((await health())[0] !== 200) await Bun.sleep(50);
    // The keys of a signer in memory are gone with it: a new repository gets new ones.
    expect((await owner.notary('init', '-p', `${server.host}/team/afterwards`)).exitCode).toBe(0);
  });
});

describe('signet serve does not start', () => {
  test('without a certificate for the signer, unless told so by name', async () => {
    const { port, tls } = signer;
    const flags = ['--signer', `localhost:${port}`, '--signer-ca', tls.authority];
    const [exitCode, stderr] = await refused(...flags);
    expect(exitCode).toBe(125);
    expect(stderr).toContain('signer is set, but no certificate by which it knows this server');
    expect(stderr).toContain('--signer-without-certificate on');
    const [without, why] = await refused(...flags, '--signer-without-certificate', 'on');
    expect([without, why]).toEqual([1, expect.stringContaining(`cannot reach the signer localhost:${port}: `)]);
  });

  test('with a signer of another authority, or with another authority’s certificate', async () => {
    const other = makeAuthority('Another authority');
    const folder = temporaryFolder();
    const pair = other.issue(['notary-server']);
    const files = { authority: join(folder, 'ca.crt'), cert: join(folder, 'c.crt'), key: join(folder, 'c.key') };
    writeFileSync(files.authority, other.cert);
    writeFileSync(files.cert, pair.cert);
    writeFileSync(files.key, pair.key);
    const { port, tls } = signer;
    for (const wrong of [
      { ...tls, authority: files.authority },
      { ...files, authority: tls.authority },
    ]) {
      const [exitCode, stderr] = await refused(...flagsOf({ port, tls: wrong }));
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`cannot reach the signer localhost:${port}: `)]);
    }
  });
});

test('a signer that asks for no certificate, as Harbor’s, is used if that is said by name', async () => {
  const open = await startNotarySigner({ anyClient: true });
  const flags = ['--signer', `localhost:${open.port}`, '--signer-ca', open.tls.authority];
  const harbors = await startSignet({ args: ['--auth', 'off', ...flags, '--signer-without-certificate', 'on'] });
  expect((await new Person(harbors).notary('init', '-p', `${harbors.host}/team/app`)).exitCode).toBe(0);
  await harbors.stop();
});
