import { beforeEach, describe, expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { issueRootCertificate } from '../../../src/core/keys/certificate.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import type { BaseRole } from '../../../src/core/names/role.ts';
import { baseSigners, canonicalKeyIds } from '../../../src/core/verify/signers.ts';
import { changeRole } from '../../../src/trust/changes/roles.ts';
import { planRotation, type Rotation, rotateKeys } from '../../../src/trust/changes/rotate.ts';
import { addSigner } from '../../../src/trust/changes/sign.ts';
import { FileVault } from '../../../src/trust/keys/file-vault.ts';
import { KeyRing } from '../../../src/trust/keys/key-ring.ts';
import { Repository } from '../../../src/trust/publish/repository.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { fileOf } from '../../support/private-keys.ts';
import { GUN, Simulator, target } from '../../support/simulator.ts';
import { NO_PASSPHRASES, Visitor } from '../../support/visitor.ts';

let simulator: Simulator;
let owner: Visitor;

/** A repository whose owner has the keys of root, targets and snapshot. */
beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.remove();
  owner = new Visitor(simulator);
  await owner.repository().initialize((editor) => editor.addTarget('targets', 'latest', target(1)), {
    snapshotBy: 'client',
  });
});

const root = () => readRoot(payloadOf(simulator.file('root')));
const idsOf = (role: BaseRole) => canonicalKeyIds(baseSigners(root(), role));
const here = async (visitor = owner) => (await visitor.keys.list()).map(({ id, role }) => `${role} ${id}`).sort();
/** As the command does it, which keeps everything that is signed again. */
const rotate = async (role: BaseRole, options: Partial<Rotation> = {}) => {
  const repository = owner.repository();
  const resigned = await planRotation(repository, role);
  const kept = new Map(resigned.map((each) => [each.role, new Set(each.targets.keys())]));
  return rotateKeys(repository, { role, serverManaged: false, ...options }, resigned, kept);
};
const publishes = () => simulator.requests.filter((request) => request.startsWith('publish'));

/** Whether a client that knows the collection from before takes it up as it is now. */
async function isLoadedBy(reader: Visitor): Promise<boolean> {
  const { set } = await reader.update();
  return set.root.root.version === root().version && (await reader.resolve()) !== '';
}

describe('each role', () => {
  test.each([
    ['targets', false, ['root', 'targets', 'snapshot']],
    ['snapshot', false, ['root', 'snapshot']],
    ['snapshot', true, ['root']],
    ['timestamp', true, ['root', 'snapshot']],
  ] as const)('%s gets another key (by the server: %p)', async (role, serverManaged, files) => {
    const reader = new Visitor(simulator);
    await reader.update();
    const before = { targets: idsOf('targets'), snapshot: idsOf('snapshot'), root: idsOf('root'), keys: await here() };
    simulator.requests.length = 0;
    const former = idsOf(role);
    const rotated = await rotate(role, { serverManaged });
    expect(publishes()).toEqual([`publish ${files.join(' ')}`]);
    expect(root().version).toBe(2);
    expect(rotated.publication.kind).toBe('published');
    expect(rotated.keys).toEqual(idsOf(role));
    expect(rotated.keys).not.toEqual(former);
    const wasHere = role !== 'timestamp';
    expect([rotated.removed, rotated.kept]).toEqual([wasHere ? former : [], []]);
    const stay = before.keys.filter((key) => !wasHere || !former.some((id) => key.endsWith(id)));
    expect(await here()).toEqual([...stay, ...(serverManaged ? [] : rotated.keys.map((id) => `${role} ${id}`))].sort());
    for (const other of ['targets', 'snapshot', 'root'] as const) {
      if (other !== role) expect(idsOf(other)).toEqual(before[other]);
    }
    expect(await isLoadedBy(reader)).toBe(true);
    expect(await isLoadedBy(new Visitor(simulator))).toBe(true);
  });

  test('root: the former key signs too, and stays here', async () => {
    const reader = new Visitor(simulator);
    await reader.update();
    const [former] = idsOf('root');
    const { keys, kept, removed } = await rotate('root');
    expect([kept, removed]).toEqual([former === undefined ? [] : [former], []]);
    expect(idsOf('root')).toEqual(keys);
    expect(
      simulator
        .file('root')
        .toString()
        .match(/"keyid"/g),
    ).toHaveLength(2);
    expect(await here()).toContain(`root ${former}`);
    expect(await isLoadedBy(reader)).toBe(true);
  });

  test('root: several keys that are here', async () => {
    const [one, two] = [await owner.keys.create('root'), await owner.keys.create('root')];
    const { keys } = await rotate('root', { keyIds: [one.id, two.id] });
    expect([...keys].sort()).toEqual([one.id, two.id].sort());
    expect([...idsOf('root')].sort()).toEqual([one.id, two.id].sort());
  });

  test('a key of every kind that is legal', async () => {
    const ed25519 = generatePrivateKey('ed25519');
    await owner.keys.import(fileOf(ed25519, 'targets', { gun: GUN }), { name: 'targets' });
    await rotate('targets', { keyIds: [ed25519.id] });
    expect(idsOf('targets')).toEqual([ed25519.id]);
    expect(await isLoadedBy(new Visitor(simulator))).toBe(true);
    await owner.repository().publish((editor) => editor.addTarget('targets', 'next', target(2)));
    expect([...readTargets('targets', payloadOf(simulator.file('targets'))).targets.keys()].sort()).toEqual([
      'latest',
      'next',
    ]);
  });
});

describe('a former key stays', () => {
  test('where it belongs to another repository, or to no one', async () => {
    for (const gun of [parseGun('registry.example.com/acme/other'), undefined]) {
      const key = generatePrivateKey('ecdsa');
      await owner.keys.import(fileOf(key, 'targets', { gun }), { name: 'targets' });
      await rotate('targets', { keyIds: [key.id] });
      const { kept, removed } = await rotate('targets');
      expect([kept, removed]).toEqual([[key.id], []]);
      expect(await owner.keys.has(key.id)).toBe(true);
    }
  });

  test('where another role of the repository has it too', async () => {
    const key = generatePrivateKey('ecdsa');
    await owner.keys.import(fileOf(key, 'targets', { gun: GUN }), { name: 'targets' });
    await rotate('targets', { keyIds: [key.id] });
    await rotate('snapshot', { keyIds: [key.id] });
    expect((await rotate('snapshot')).kept).toEqual([key.id]);
    expect(idsOf('targets')).toEqual([key.id]);
    await owner.repository().publish((editor) => addSigner(editor, 'alice', [key.publicKey]));
    expect((await rotate('targets')).kept).toEqual([key.id]);
    expect(await owner.keys.has(key.id)).toBe(true);
  });

  test('where it stays the key', async () => {
    const [id] = idsOf('targets');
    if (id === undefined) throw new Error('no key');
    const { keys, kept, removed } = await rotate('targets', { keyIds: [id] });
    expect([keys, kept, removed]).toEqual([[id], [], []]);
    expect(await owner.keys.has(id)).toBe(true);
  });
});

describe('thresholds', () => {
  /** Leaves the snapshot to the server, and makes the root need two keys, the other of which `second` has. */
  async function needTwo(second: Visitor): Promise<void> {
    await rotate('snapshot', { serverManaged: true });
    const key = await second.keys.create('root');
    const addKeys: PublicKey[] = [await issueRootCertificate(key, GUN, simulator.now)];
    await changeRole(owner.repository(), 'root', { addKeys, removeKeys: [], threshold: 2 });
    const repository = second.repository();
    const waiting = await repository.proposal();
    if (waiting !== undefined) await repository.approve(waiting);
    expect(baseSigners(root(), 'root').threshold).toBe(2);
  }

  test('a rotation that needs others waits, and every key stays until then', async () => {
    const second = new Visitor(simulator);
    await second.update();
    await needTwo(second);
    const former = idsOf('targets');
    const { publication, keys, kept, removed } = await rotate('targets');
    expect([publication.kind, kept, removed]).toEqual(['waiting', former, []]);
    expect(idsOf('targets')).toEqual(former);
    for (const id of [...keys, ...former]) expect(await owner.keys.has(id)).toBe(true);
    const repository = second.repository();
    const waiting = await repository.proposal();
    if (waiting === undefined) throw new Error('nothing waits');
    expect((await repository.approve(waiting)).kind).toBe('published');
    expect(idsOf('targets')).toEqual(keys);
  });

  test('as many keys as the role needs, and no lower threshold', async () => {
    const second = new Visitor(simulator);
    await second.update();
    await needTwo(second);
    const before = await here();
    const error = await failure(rotate('root'), 'threshold-invalid');
    expect(error.message).toBe('root would have 1 keys for a threshold of 2');
    expect(await here()).toEqual(before);
  });
});

describe('nothing changes, here or on the server', () => {
  test.each([
    ['root', true, 'notary does not permit the server managing the root key'],
    ['targets', true, 'notary does not permit the server managing the targets key'],
    ['timestamp', false, 'notary does not permit the client managing the timestamp key'],
  ] as const)('%s by the server: %p', async (role, serverManaged, message) => {
    const before = await here();
    expect((await failure(rotate(role, { serverManaged }), 'rotation-unsupported')).message).toBe(message);
    expect([await here(), root().version]).toEqual([before, 1]);
  });

  test('with a chosen key for the server', async () => {
    const keyIds = idsOf('snapshot');
    await failure(rotate('snapshot', { serverManaged: true, keyIds }), 'rotation-unsupported');
  });

  test.each(['targets', 'snapshot', 'root', 'timestamp'] as const)('%s without the root key', async (role) => {
    for (const id of idsOf('root')) await owner.keys.remove(id);
    const before = await here();
    simulator.requests.length = 0;
    let hasAsked = false;
    const { rotateKey } = simulator;
    simulator.rotateKey = (...call) => {
      hasAsked = true;
      return rotateKey.apply(simulator, call);
    };
    const error = await failure(rotate(role, { serverManaged: role === 'timestamp' }), 'signing-key-missing');
    expect(error.message).toBe(`signing keys not available: need 1 keys from 1 possible keys (${idsOf('root')[0]})`);
    expect([await here(), publishes(), hasAsked]).toEqual([before, [], false]);
  });

  test('with a key that is not here', async () => {
    const before = await here();
    const { id } = generatePrivateKey('ecdsa');
    const error = await failure(rotate('targets', { keyIds: [id] }), 'signing-key-missing');
    expect(error.message).toBe(`unable to find key: ${id}`);
    expect([await here(), root().version]).toEqual([before, 1]);
  });

  test('of a repository that has no trust data', async () => {
    await simulator.remove();
    const stranger = new Visitor(simulator);
    await failure(rotateKeys(stranger.repository(), { role: 'targets', serverManaged: false }), 'trust-data-missing');
    expect(await here(stranger)).toEqual([]);
  });

  test('where the server refuses: the key that was made for it goes', async () => {
    const before = await here();
    simulator.beforePublish = async () => {
      throw new SignetError('forbidden', 'not you');
    };
    await failure(rotate('targets'), 'forbidden');
    expect(await here()).toEqual(before);
  });
});

test('where it fails before anything is sent, no new key stays', async () => {
  const before = await here();
  const create = owner.keys.create.bind(owner.keys);
  owner.keys.create = async (...args) => {
    simulator.isOffline = true;
    return create(...args);
  };
  await failure(rotate('targets'), 'network-unreachable');
  expect([await here(), publishes().length]).toEqual([before, 1]);
});

test('if no one knows whether the server took it, both keys stay', async () => {
  const former = idsOf('targets');
  const publish = simulator.publish.bind(simulator);
  simulator.publish = async (gun, files) => {
    await publish(gun, files);
    throw new SignetError('network-timeout', 'no answer');
  };
  await failure(rotate('targets'), 'network-timeout');
  for (const id of [...former, ...idsOf('targets')]) expect(await owner.keys.has(id)).toBe(true);
  expect(idsOf('targets')).not.toEqual(former);
});

test('a publish that comes first is not lost, nor signed by a key whose owner was not shown it', async () => {
  const before = await here();
  let isFirst = true;
  simulator.beforePublish = async () => {
    if (!isFirst) return;
    isFirst = false;
    const elsewhere = new Repository(
      owner.repository().source,
      new KeyRing(new FileVault(owner.keyStore, NO_PASSPHRASES)),
    );
    await elsewhere.publish((editor) => editor.addTarget('targets', 'other', target(2)));
  };
  const error = await failure(rotate('targets'), 'publish-conflict');
  expect(error.detail).toEqual({ role: 'targets', name: 'other' });
  expect(await here()).toEqual(before);
  const { keys } = await rotate('targets');
  const payload = readTargets('targets', payloadOf(simulator.file('targets')));
  expect([...payload.targets.keys()].sort()).toEqual(['latest', 'other']);
  expect(idsOf('targets')).toEqual(keys);
});
