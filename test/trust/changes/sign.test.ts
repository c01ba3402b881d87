import { beforeEach, describe, expect, test } from 'bun:test';
import type { Signer } from '../../../src/core/keys/signer.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { parseDigest } from '../../../src/core/names/digest.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { type DelegationName, RELEASES, signerRole, type TargetsRole } from '../../../src/core/names/role.ts';
import { canonicalKeyIds } from '../../../src/core/verify/signers.ts';
import { planChanges, publishChanges } from '../../../src/trust/changes/changes.ts';
import {
  addSigner,
  initializeWithImages,
  isLastSigner,
  revokeTags,
  type SignedImage,
  signerRemoval,
  signImages,
} from '../../../src/trust/changes/sign.ts';
import { signableRoles, signerName, signersOf } from '../../../src/trust/keys/signer-roles.ts';
import { inspectCollection } from '../../../src/trust/report/inspect.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, withSignatures } from '../../support/forgery.ts';
import { fileOf, passOn } from '../../support/private-keys.ts';
import { digestOfTarget, GUN, Simulator, target } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const ALICE = signerRole('alice');
const BOB = signerRole('bob');

let simulator: Simulator;
let admin: Visitor;
let alice: Visitor;
let bob: Visitor;

/** The key that a person signs with. */
const own = new Map<Visitor, Signer>();
const keyOf = (person: Visitor): Signer => {
  const key = own.get(person);
  if (key === undefined) throw new Error('no key');
  return key;
};

const image = (tag: string, byte: number): SignedImage => ({
  tag,
  digest: parseDigest(digestOfTarget(byte)),
  size: 528,
});
const tagsIn = (role: TargetsRole) =>
  [...readTargets(role, payloadOf(simulator.file(role))).targets].map(([tag, { hashes }]) => [
    tag,
    hashes.get('sha256')?.[0],
  ]);

beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.remove();
  admin = new Visitor(simulator);
  [alice, bob] = [new Visitor(simulator), new Visitor(simulator)];
  for (const [person, name] of [
    [alice, 'alice'],
    [bob, 'bob'],
  ] as const) {
    own.set(person, await person.keys.create(name));
  }
  await admin.repository().initialize(() => {});
});

const add = (...people: [name: string, person: Visitor][]) =>
  admin.repository().publish((editor) => {
    for (const [name, person] of people) addSigner(editor, name, [keyOf(person).publicKey]);
  });

describe('a push', () => {
  test('that begins a repository signs with its own key', async () => {
    await simulator.remove();
    const first = new Visitor(simulator);
    await initializeWithImages(first.repository(), [image('v1', 1), image('v2', 2)]);
    expect(tagsIn('targets')).toEqual([
      ['v1', 1],
      ['v2', 2],
    ]);
    expect(await first.resolve('v1')).toBe(digestOfTarget(1));
  });

  test('signs into targets while there are no signers', async () => {
    await signImages(admin.repository(), [image('v1', 1)]);
    expect(tagsIn('targets')).toEqual([['v1', 1]]);
    await failure(signImages(alice.repository(), [image('v1', 1)]), 'signing-key-missing');
  });

  test('writes SHA-256 alone, as docker does', async () => {
    await signImages(admin.repository(), [image('v1', 1)]);
    expect(readTargets('targets', payloadOf(simulator.file('targets'))).targets.get('v1')).toEqual(target(1));
  });
});

describe('signers', () => {
  beforeEach(() => add(['alice', alice], ['bob', bob]));

  test('are let in, and into releases', async () => {
    const { set } = await admin.update();
    expect(set.delegationsOf('targets').map(({ name, paths }) => [name as string, paths])).toEqual([
      ['targets/alice', ['']],
      ['targets/releases', ['']],
      ['targets/bob', ['']],
    ]);
    expect(signersOf(set).map(({ name }) => signerName(name))).toEqual(['alice', 'bob']);
    const releases = set.delegationsOf('targets').find(({ name }) => name === RELEASES);
    expect(releases === undefined ? [] : canonicalKeyIds(releases)).toEqual([keyOf(alice).id, keyOf(bob).id]);
  });

  test('sign into their own role and into releases, in one publish', async () => {
    simulator.requests.length = 0;
    await signImages(alice.repository(), [image('v1', 1), image('v2', 2)]);
    expect(simulator.requests.filter((name) => name.startsWith('publish'))).toEqual([
      'publish targets/alice targets/releases',
    ]);
    for (const role of [ALICE, RELEASES] as const) {
      expect(tagsIn(role)).toEqual([
        ['v1', 1],
        ['v2', 2],
      ]);
    }
    expect(await bob.resolve('v2')).toBe(digestOfTarget(2));
  });

  test('may sign the same again, and are then told of a signature that is their own', async () => {
    await signImages(alice.repository(), [image('v1', 1)]);
    await signImages(bob.repository(), [image('v1', 1)]);
    const { set } = await admin.update();
    expect(inspectCollection(set, 'v1').tags).toEqual([
      { tag: 'v1', digest: digestOfTarget(1).slice('sha256:'.length), signers: ['alice', 'bob'] },
    ]);
    const { signatures } = parseEnvelope(RELEASES, simulator.file(RELEASES));
    expect(signatures.map(({ keyId }) => keyId)).toEqual([keyOf(bob).id]);
  });

  test('without a key of theirs here sign nothing', async () => {
    const error = await failure(signImages(admin.repository(), [image('v1', 1)]), 'signing-key-missing');
    expect(error.message).toBe('no valid signing keys for delegation roles');
  });

  test('sign only where their paths admit the tag', async () => {
    await admin.repository().publish((editor) => {
      editor.clearDelegationPaths(ALICE);
      editor.addDelegation(ALICE, [], ['a-']);
    });
    const { set } = await alice.update();
    expect(await signableRoles(set, 'v1', alice.keys)).toEqual([RELEASES]);
    expect(await signableRoles(set, 'a-1', alice.keys)).toEqual([ALICE, RELEASES]);
  });

  test('sign into no role that lies deeper, as docker does', async () => {
    await alice
      .repository()
      .publish((editor) => editor.addDelegation(signerRole('alice/ci'), [keyOf(alice).publicKey], ['']));
    const { set } = await alice.update();
    expect(await signableRoles(set, 'v1', alice.keys)).toEqual([ALICE, RELEASES]);
  });

  test('take back what they signed', async () => {
    await signImages(alice.repository(), [image('v1', 1), image('v2', 2)]);
    expect((await revokeTags(alice.repository(), ['v1', 'none'])).remaining).toEqual([]);
    await failure(bob.resolve('v1'), 'target-not-found');
    expect(await bob.resolve('v2')).toBe(digestOfTarget(2));
  });

  test('are told of what others release all the same', async () => {
    await admin.repository().publish((editor) => editor.addTarget('targets', 'v1', target(1)));
    await signImages(alice.repository(), [image('v1', 2), image('v2', 2)]);
    expect((await revokeTags(alice.repository(), ['v1', 'v2'])).remaining).toEqual(['v1']);
    expect(await bob.resolve('v1')).toBe(digestOfTarget(1));
    await failure(bob.resolve('v2'), 'target-not-found');
  });

  test('who hold the key of the repository take back what targets says too', async () => {
    await admin.repository().publish((editor) => editor.addTarget('targets', 'v1', target(1)));
    await passOn(alice.keyStore, keyOf(alice).id, admin.keys);
    await signImages(admin.repository(), [image('v1', 2)]);
    expect((await revokeTags(admin.repository(), ['v1'])).remaining).toEqual([]);
    await failure(bob.resolve('v1'), 'target-not-found');
    expect([tagsIn('targets'), tagsIn(ALICE), tagsIn(RELEASES)]).toEqual([[], [], []]);
  });

  test('sign again what they have signed, to renew its expiry', async () => {
    await signImages(alice.repository(), [image('v1', 1)]);
    await signImages(alice.repository(), [image('v1', 1)]);
    expect(readTargets(ALICE, payloadOf(simulator.file(ALICE))).version).toBe(2);
  });
});

describe('a signer who goes', () => {
  beforeEach(() => add(['alice', alice], ['bob', bob]));
  const roles = async (): Promise<DelegationName[]> =>
    (await admin.update()).set.delegationsOf('targets').map(({ name }) => name);
  /** As the command does it, which keeps everything that is signed again. */
  const removeSigner = async (role: DelegationName, ids: readonly KeyId[]): Promise<void> => {
    const repository = admin.repository();
    const changes = signerRemoval((await repository.present()).set, role, ids);
    const { consequences } = await planChanges(repository, changes);
    const kept = new Map(consequences.resigned.map((each) => [each.role, new Set(each.targets.keys())]));
    await publishChanges(repository, changes, consequences, kept);
  };
  const last = async (person: Visitor) => isLastSigner(await new Visitor(simulator).update(), [keyOf(person).id]);

  test('leaves releases alone where others signed it last', async () => {
    await signImages(alice.repository(), [image('v1', 1)]);
    await signImages(bob.repository(), [image('v2', 2)]);
    expect([await last(alice), await last(bob)]).toEqual([false, true]);
    await removeSigner(ALICE, [keyOf(alice).id]);
    expect(await roles()).toEqual([RELEASES, BOB]);
    const reader = new Visitor(simulator);
    expect([await reader.resolve('v1'), await reader.resolve('v2')]).toEqual([digestOfTarget(1), digestOfTarget(2)]);
    await failure(signImages(alice.repository(), [image('v3', 3)]), 'signing-key-missing');
  });

  test('and signed last leaves nothing to pull, if no one else can sign in his place', async () => {
    await signImages(alice.repository(), [image('v1', 1)]);
    expect(await last(alice)).toBe(true);
    await removeSigner(ALICE, [keyOf(alice).id]);
    const reader = new Visitor(simulator);
    await failure(reader.resolve('v1'), 'role-unusable');
    expect(reader.warnings).toHaveLength(1);
    await signImages(bob.repository(), [image('v2', 2)]);
    expect(await reader.resolve('v2')).toBe(digestOfTarget(2));
  });

  test('and signed last is replaced in the same publish where another key is here', async () => {
    await passOn(bob.keyStore, keyOf(bob).id, admin.keys);
    await signImages(alice.repository(), [image('v1', 1)]);
    simulator.requests.length = 0;
    await removeSigner(ALICE, [keyOf(alice).id]);
    expect(simulator.requests.filter((name) => name.startsWith('publish'))).toEqual([`publish targets ${RELEASES}`]);
    const reader = new Visitor(simulator);
    expect(await reader.resolve('v1')).toBe(digestOfTarget(1));
    expect(reader.warnings).toEqual([]);
  });

  test('is not replaced by fewer keys than the threshold of releases', async () => {
    const third = await admin.keys.create('carol');
    await admin.repository().publish((editor) => {
      editor.removeDelegation(RELEASES);
      editor.addDelegation(RELEASES, [keyOf(alice).publicKey, keyOf(bob).publicKey, third.publicKey], [''], 2);
    });
    const both = new Visitor(simulator);
    await passOn(alice.keyStore, keyOf(alice).id, both.keys);
    await passOn(bob.keyStore, keyOf(bob).id, both.keys);
    await signImages(both.repository(), [image('v1', 1)]);
    await removeSigner(ALICE, [keyOf(alice).id]);
    expect(await roles()).toEqual([BOB, RELEASES]);
    await failure(new Visitor(simulator).resolve('v1'), 'role-unusable');
  });

  test('with a certificate for a key is known by the key inside', async () => {
    const certified = simulator.owner.makeRoot(GUN, simulator.now);
    const secret = simulator.owner.private(certified);
    await passOn(bob.keyStore, keyOf(bob).id, admin.keys);
    await admin.repository().publish((editor) => addSigner(editor, 'carol', [certified]));
    const carol = new Visitor(simulator);
    await carol.keys.import(fileOf(secret, 'carol'), { name: 'carol' });
    await signImages(carol.repository(), [image('v1', 1)]);
    expect(isLastSigner(await admin.update(), [secret.id])).toBe(true);
    expect(isLastSigner(await admin.update(), [certified.id])).toBe(false);
    await removeSigner(signerRole('carol'), [secret.id]);
    expect(await new Visitor(simulator).resolve('v1')).toBe(digestOfTarget(1));
  });

  test('is the last one whatever useless signatures stand beside his', async () => {
    await signImages(alice.repository(), [image('v1', 1)]);
    const { signatures } = parseEnvelope(RELEASES, simulator.file(RELEASES));
    const [mine] = signatures;
    if (mine === undefined) throw new Error('no signature');
    const forged = { ...mine, keyId: keyOf(bob).id };
    simulator.replace(RELEASES, withSignatures(RELEASES, simulator.file(RELEASES), [mine, forged]));
    simulator.relist();
    expect([await last(alice), await last(bob)]).toEqual([true, false]);
  });

  test('cannot be asked about if nothing is released', async () => {
    const error = await failure(last(alice), 'signatures-missing');
    expect(error.message).toBe('all signed tags are currently revoked, use docker trust sign to fix');
  });

  test('leaves a repository that has no releases', async () => {
    await admin.repository().publish((editor) => editor.removeDelegation(RELEASES));
    await removeSigner(ALICE, [keyOf(alice).id]);
    expect(await roles()).toEqual([BOB]);
  });
});
