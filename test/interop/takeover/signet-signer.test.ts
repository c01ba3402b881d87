import { beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseGun } from '../../../src/core/names/gun.ts';
import { HEALTH_NAMES, METHODS } from '../../../src/notary/grpc/methods.ts';
import { openRemoteSigner, type RemoteSigner } from '../../../src/notary/grpc/remote-signer.ts';
import { type Caller, rawCall } from '../../support/grpc.ts';
import { Person } from '../../support/notary-client.ts';
import {
  type NotaryServer,
  type NotarySigner,
  startNotaryServer,
  startNotarySigner,
} from '../../support/notary-server.ts';
import { run } from '../../support/run.ts';
import { signetCommand } from '../../support/signet-server.ts';
import { type SignetSigner, startSignetSigner } from '../../support/signet-signer.ts';

const GUN = parseGun('registry.example.com/team/app');
const MESSAGE = Buffer.from('{"_type":"Timestamp"}');

let signer: SignetSigner;
let server: NotaryServer;

beforeAll(async () => {
  signer = await startSignetSigner();
  server = await startNotaryServer({ signer });
});

function clientOf({ port, tls }: Pick<NotarySigner, 'port' | 'tls'>): Promise<RemoteSigner> {
  return openRemoteSigner({
    authority: `localhost:${port}`,
    ca: readFileSync(tls.authority),
    client: { chain: readFileSync(tls.cert), key: readFileSync(tls.key) },
  });
}

function callerOf({ tls }: Pick<NotarySigner, 'tls'>): Caller {
  const [authority, cert, key] = [tls.authority, tls.cert, tls.key].map((file) => readFileSync(file, 'utf8'));
  return { authority: authority ?? '', cert: cert ?? '', key: key ?? '' };
}

const health = async (): Promise<readonly [number, string]> => {
  const answer = await fetch(`${server.origin}/_notary_server/health`, { tls: { rejectUnauthorized: false } });
  return [answer.status, (await answer.text()).trim()];
};

const succeeds = async (
  outcome: Promise<{ readonly exitCode: number; readonly stderr: string; readonly stdout: string }>,
) => {
  const { exitCode, stdout, stderr } = await outcome;
  expect([exitCode, exitCode === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, '']);
  return stdout;
};

describe('Debian’s notary-server with signet signer', () => {
  test('is healthy, founds, publishes, rotates and lists', async () => {
    expect(await health()).toEqual([200, '{}']);
    const owner = new Person(server);
    const gun = `${server.host}/team/app`;
    await succeeds(owner.notary('init', '-p', gun));
    await succeeds(owner.notary('key', 'rotate', gun, 'snapshot', '-r'));
    await succeeds(owner.add(gun, 'v1'));
    await succeeds(owner.notary('key', 'rotate', gun, 'timestamp', '-r'));
    expect(await succeeds(new Person(server).notary('list', gun))).toContain('v1');
    expect(signer.log()).toContain(`"gun":"${gun}","role":"snapshot","algorithm":"ecdsa"`);
  });

  test('goes on with the same keys after the signer was restarted, and under a new master key', async () => {
    const owner = new Person(server);
    const gun = `${server.host}/team/rotated`;
    await succeeds(owner.notary('init', '-p', gun));
    await succeeds(owner.notary('key', 'rotate', gun, 'snapshot', '-r'));
    const before = readFileSync(join(signer.data, 'master.key'), 'utf8');
    const rotate = () => run([...signetCommand(), 'signer', '--rotate-master-key', '--data', signer.data]);
    const refused = await rotate();
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('serves from')]);
    await signer.stop();
    expect((await owner.add(gun, 'v1')).exitCode).not.toBe(0);
    const { exitCode, stdout } = await rotate();
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^Sealed \d+ keys under a new master key\./)]);
    expect(readFileSync(join(signer.data, 'master.key'), 'utf8')).not.toBe(before);
    await signer.start();
    // notary-server tries the connection again after a second or so.
    while ((await owner.add(gun, 'v2')).exitCode !== 0) await Bun.sleep(100);
    expect(await succeeds(new Person(server).notary('list', gun))).toContain('v2');
  });
});

describe('signet signer and Debian’s notary-signer answer the same', () => {
  let notarys: NotarySigner;
  beforeAll(async () => {
    notarys = await startNotarySigner();
  });

  /** What both answer. */
  async function both(ask: (client: RemoteSigner) => Promise<unknown>): Promise<readonly [unknown, unknown]> {
    const answers: unknown[] = [];
    for (const each of [signer, notarys]) {
      const client = await clientOf(each);
      answers.push(await ask(client));
      client.close();
    }
    return [answers[0], answers[1]];
  }

  test.each(['ecdsa', 'ed25519'] as const)('to what is asked of a key of type %s', async (type) => {
    const [ours, theirs] = await both(async (client) => {
      const key = await client.createKey(type, GUN, 'timestamp');
      const signature = await client.sign(key, MESSAGE);
      const found = await client.find(key.id);
      return [key.type, key.bytes.length, signature?.method, signature?.bytes.length, found?.id === key.id];
    });
    expect(ours).toEqual(theirs);
    expect(ours).toEqual(type === 'ecdsa' ? ['ecdsa', 91, 'ecdsa', 64, true] : ['ed25519', 32, 'eddsa', 64, true]);
  });

  test('to everything that is asked of what is not there, to the letter', async () => {
    const id = '0'.repeat(64);
    const { getKeyInfo, sign, deleteKey, createKey, checkHealth } = METHODS;
    const calls: (readonly [path: string, bytes: Buffer])[] = [
      [getKeyInfo.path, getKeyInfo.request.encode(id)],
      [sign.path, sign.request.encode({ keyId: id, content: MESSAGE })],
      [deleteKey.path, deleteKey.request.encode(id)],
      [createKey.path, createKey.request.encode({ algorithm: 'rsa', gun: GUN, role: 'timestamp' })],
      ...['', ...HEALTH_NAMES, 'grpc.health.v1.Health.Overall'].map(
        (name) => [checkHealth.path, checkHealth.request.encode(name)] as const,
      ),
    ];
    for (const [path, bytes] of calls) {
      const [ours, theirs] = [
        await rawCall(signer.port, callerOf(signer), path, bytes),
        await rawCall(notarys.port, callerOf(notarys), path, bytes),
      ];
      expect([path, ...ours]).toEqual([path, ...theirs]);
    }
  });
});
