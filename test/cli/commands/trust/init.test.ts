import { describe, expect, test } from 'bun:test';
import { INIT } from '../../../../src/cli/commands/trust/init.ts';
import { PUBLISH } from '../../../../src/cli/commands/trust/publish.ts';
import { sealKey } from '../../../../src/core/keys/key-file.ts';
import { generatePrivateKey, type PrivateKey } from '../../../../src/core/keys/private-key.ts';
import { canonicalKeyId } from '../../../../src/core/keys/public-key.ts';
import { formatPublicKeyFile } from '../../../../src/core/keys/public-key-file.ts';
import { readRoot } from '../../../../src/core/metadata/root.ts';
import { parseGun } from '../../../../src/core/names/gun.ts';
import { baseSigners, canonicalKeyIds } from '../../../../src/core/verify/signers.ts';
import { payloadOf } from '../../../support/forgery.ts';
import { certified, fileOf } from '../../../support/private-keys.ts';
import { GUN, NOW } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { empty, type FakeSession, loaded, NAME, uninitialised, visitorOf } from '../../fake-session.ts';
import { fails, says, told } from './transcript.ts';

const init = calling(INIT);
const publish = calling(PUBLISH);

const DONE = says(`Successfully initialized "${NAME}"\n`);
const rootOf = ({ simulator }: FakeSession) => readRoot(payloadOf(simulator.file('root')));
const rolesOf = async (session: FakeSession) => (await session.keys.list()).map(({ role }) => role).sort();
const keyFile = (session: FakeSession, key: PrivateKey, role = 'root', passphrase = '') =>
  session.file('root.pem', sealKey(key, { role, passphrase: Buffer.from(passphrase) }));
const certificateFile = (session: FakeSession, key: PrivateKey, gun = GUN) =>
  session.file('root.crt', certified(key, gun, NOW).bytes);

describe('init', () => {
  test('uninitialised: publishes an empty collection, whose snapshots the server signs', async () => {
    const session = await uninitialised();
    expect(await told(session, init, [NAME])).toEqual(DONE);
    const { set } = await session.simulator.trusted();
    expect([set.root.root.version, set.targets.get('targets')?.payload.targets.size]).toEqual([1, 0]);
    expect(await rolesOf(session)).toEqual(['root', 'targets']);
  });

  test('--snapshot client: the snapshot key is made here', async () => {
    const session = await uninitialised();
    expect(await told(session, init, ['--snapshot', 'client', NAME])).toEqual(DONE);
    expect(await rolesOf(session)).toEqual(['root', 'snapshot', 'targets']);
    await session.simulator.trusted();
  });

  test('--stage: nothing reaches the server before publish', async () => {
    const session = await uninitialised();
    expect(await told(session, init, ['--stage', NAME])).toEqual(
      says(`Prepared ${NAME} here. Publish it with: signet trust publish ${NAME}\n`),
    );
    expect(session.simulator.state.size).toBe(0);
    expect(await told(session, init, [NAME])).toEqual(
      fails(
        `${NAME} is prepared here already`,
        `Publish it: signet trust publish ${NAME}\nOr forget it: signet trust delete ${NAME}`,
      ),
    );
    expect(await told(session, publish, [NAME])).toEqual(says(`Published to ${NAME}.\n`));
    expect((await session.simulator.trusted()).set.targets.get('targets')?.payload.version).toBe(2);
  });

  test('loaded: what exists stays', async () => {
    for (const session of [await loaded(), visitorOf(await loaded())]) {
      const before = session.simulator.state;
      expect(await told(session, init, [NAME])).toEqual(
        fails(`trust.example.com has trust data for ${NAME} already`, `See who signs it: signet trust status ${NAME}`),
      );
      expect(session.simulator.state).toBe(before);
    }
  });

  test('of a repository that was trusted here and is gone', async () => {
    const session = await loaded();
    await (await session.repository()).read();
    await session.simulator.remove();
    expect(await told(session, init, [NAME])).toEqual(
      fails(
        `the trust server has no data for ${NAME} any more, though it was trusted here before`,
        `If it was deleted on purpose, forget it first: signet trust delete ${NAME}\nIf the server lost it, its owner publishes it again: signet trust publish ${NAME}`,
      ),
    );
  });

  test('--snapshot of no one', async () => {
    expect(await told(await uninitialised(), init, ['--snapshot', 'me', NAME])).toEqual(
      fails('--snapshot is client or server, not "me"', 'See signet trust init --help'),
    );
  });
});

describe('init with a root key of choice', () => {
  test.each([
    ['as its file says', 'root'],
    ['whatever the file calls it', 'bob'],
    ['without a role', ''],
  ])('imports it, %s', async (_, role) => {
    const session = await uninitialised();
    const key = generatePrivateKey('ecdsa');
    expect(await told(session, init, ['--root-key', keyFile(session, key, role), NAME])).toEqual(DONE);
    expect(canonicalKeyIds(baseSigners(rootOf(session), 'root'))).toEqual([key.id]);
    expect((await session.keys.list()).find(({ id }) => id === key.id)?.role).toBe('root');
  });

  test('not the first one that is here', async () => {
    const session = await uninitialised();
    await session.keys.create('root');
    const key = generatePrivateKey('ecdsa');
    await told(session, init, ['--root-key', keyFile(session, key), NAME]);
    expect(canonicalKeyIds(baseSigners(rootOf(session), 'root'))).toEqual([key.id]);
  });

  test('with a certificate of one’s own, byte for byte', async () => {
    const session = await uninitialised();
    const key = generatePrivateKey('ecdsa');
    const certificate = certified(key, GUN, NOW);
    const files = ['--root-key', keyFile(session, key), '--root-cert', session.file('root.crt', certificate.bytes)];
    expect(await told(session, init, [...files, NAME])).toEqual(DONE);
    expect(rootOf(session).roles.get('root')?.keyIds).toEqual([certificate.id]);
    // From now on the key is here.
    await session.simulator.remove();
    const again = visitorOf(session);
    await again.keys.import(fileOf(key, 'root'), { name: 'root' });
    expect(await told(again, init, [...files.slice(2), NAME])).toEqual(DONE);
  });

  test('whose certificate is for another repository, or for another key, or none', async () => {
    const session = await uninitialised();
    const [key, other] = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')];
    const file = keyFile(session, key);
    const elsewhere = certificateFile(session, key, parseGun(`${NAME}/else`));
    expect(await told(session, init, ['--root-cert', elsewhere, '--root-key', file, NAME])).toEqual(
      fails(
        `a root key is added as a certificate for ${NAME}`,
        `Whoever has the key makes it: signet trust key certificate ${NAME}`,
      ),
    );
    const bare = session.file('root.pub', formatPublicKeyFile(key.publicKey, 'root'));
    expect((await told(session, init, ['--root-cert', bare, NAME])).stderr).toBe(
      `a root key is added as a certificate for ${NAME}\n`,
    );
    const others = certificateFile(session, other);
    const next = 'Give the file of its key: --root-key FILE';
    const id = canonicalKeyId(other.publicKey);
    expect(await told(session, init, ['--root-cert', others, NAME])).toEqual(
      fails(`the key of ${others} is not here: ${id}`, next),
    );
    expect(await told(session, init, ['--root-cert', others, '--root-key', file, NAME])).toEqual(
      fails(`the key of ${others} is not the one in ${file}: ${id}`, next),
    );
    expect(session.simulator.state.size).toBe(0);
  });

  test('whose file is missing, or holds no key, or two', async () => {
    const session = await uninitialised();
    expect(await told(session, init, ['--root-key', '/nowhere', NAME])).toEqual(
      fails('refusing to load key from /nowhere: stat /nowhere: no such file or directory'),
    );
    const bare = session.file('x.pub', formatPublicKeyFile(generatePrivateKey('ecdsa').publicKey, 'root'));
    expect(await told(session, init, ['--root-key', bare, NAME])).toEqual(
      fails('no private key found, only a PEM PUBLIC KEY'),
    );
    const sealed = () => sealKey(generatePrivateKey('ecdsa'), { role: 'root', passphrase: Buffer.of() });
    const two = session.file('two.pem', Buffer.concat([sealed(), sealed()]));
    expect(await told(session, init, ['--root-key', two, NAME])).toEqual(
      fails(`${two} holds 2 private keys, and one is needed`),
    );
    expect(await session.keys.list()).toEqual([]);
  });

  test('that cannot sign certificates', async () => {
    const session = await uninitialised();
    const file = keyFile(session, generatePrivateKey('ed25519'));
    expect((await told(session, init, ['--root-key', file, NAME])).exit).toBe(1);
    expect(session.simulator.state.size).toBe(0);
  });
});

test('empty: a visitor trusts what init has published', async () => {
  const visitor = visitorOf(await empty());
  expect((await (await visitor.repository()).read()).set.root.root.version).toBe(1);
});
