import { beforeEach, describe, expect, test } from 'bun:test';
import { rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import type { Signer } from '../../../src/core/keys/signer.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { type DelegationName, RELEASES, signerRole } from '../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { baseSigners } from '../../../src/core/verify/signers.ts';
import { planRenewal, renew } from '../../../src/trust/changes/renew.ts';
import { addSigner, initializeWithImages, signImages } from '../../../src/trust/changes/sign.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, withSignatures } from '../../support/forgery.ts';
import { digestOfTarget, NOW, Simulator } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const ALICE = signerRole('alice');

let simulator: Simulator;
let admin: Visitor;
let alice: Visitor;

const image = (tag: string, byte: number) => ({ tag, digest: parseDigest(digestOfTarget(byte)), size: 528 });
const rootNow = () => readRoot(payloadOf(simulator.file('root')));
const due = async (visitor: Visitor) => {
  const plan = await planRenewal(visitor.repository());
  return plan.due.map(({ role, why, isHere }) => [role, why, isHere]);
};
const certificateOf = (): number | undefined => {
  const { keyIds, keys } = baseSigners(rootNow(), 'root');
  const key = keys.get(keyIds[0] as never);
  return key === undefined ? undefined : rootCertificateOf(key)?.notAfter;
};

beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.remove();
  admin = new Visitor(simulator);
  await initializeWithImages(admin.repository(), [image('latest', 1)]);
  alice = new Visitor(simulator);
  const key = await alice.keys.create('alice');
  await admin.repository().publish((editor) => addSigner(editor, 'alice', [key.publicKey]));
  await signImages(alice.repository(), [image('v1', 1)]);
});

describe('what has expired', () => {
  test('is refused, can be inspected, and is fixed by whoever has the keys', async () => {
    simulator.now = NOW + 3 * YEAR + DAY;
    await simulator.refresh();
    await admin.isRefused('metadata-expired');
    expect((await admin.repository().inspect()).set.targets.get('targets')?.payload.targets.has('latest')).toBe(true);
    expect(await due(admin)).toEqual([
      ['targets', 'expired', true],
      [ALICE, 'expired', false],
      [RELEASES, 'expired', false],
    ]);
    expect((await renew(admin.repository(), ['targets'])).kind).toBe('published');
    await failure(admin.resolve('v1'), 'role-unusable');
    expect(await due(alice)).toEqual([
      [ALICE, 'expired', true],
      [RELEASES, 'expired', true],
    ]);
    expect((await renew(alice.repository(), [ALICE, RELEASES])).kind).toBe('published');
    expect(await due(alice)).toEqual([]);
    expect(await new Visitor(simulator).resolve('v1')).toBe(digestOfTarget(1));
  });

  test('is not written into the cache by looking at it', async () => {
    simulator.now = NOW + 3 * YEAR + DAY;
    await simulator.refresh();
    const visitor = new Visitor(simulator);
    await visitor.repository().inspect();
    expect(visitor.cache.written).toEqual([]);
  });

  test('is still checked for everything else: a thief cannot have an old file signed again', async () => {
    await admin.update();
    const before = simulator.state;
    await admin.repository().publish((editor) => editor.removeTarget('targets', 'latest'));
    await admin.update();
    simulator.now = NOW + 3 * YEAR + DAY;
    await simulator.refresh();
    simulator.serve(before);
    await failure(admin.repository().inspect(), 'version-rollback');
    await failure(renew(admin.repository(), ['targets']), 'version-rollback');
  });

  test('of the root, with its certificates, is renewed by the owner of the root key, for the same key', async () => {
    simulator.now = NOW + 3650 * DAY + DAY;
    await failure(new Visitor(simulator).resolve(), 'root-untrusted');
    const plan = await due(admin);
    expect(plan[0]).toEqual(['root', 'expired', true]);
    const keysBefore = (await admin.keys.list()).length;
    expect((await renew(admin.repository(), ['root', 'targets'])).kind).toBe('published');
    expect(rootNow().version).toBe(2);
    expect(certificateOf()).toBe(NOW + 3650 * DAY + DAY + 3650 * DAY);
    expect((await admin.keys.list()).length).toBe(keysBefore);
    await simulator.refresh();
    // What its signers released may be newer than what `targets` has.
    await failure(new Visitor(simulator).resolve('latest'), 'role-unusable');
    await renew(alice.repository(), [RELEASES]);
    expect(await new Visitor(simulator).resolve('latest')).toBe(digestOfTarget(1));
  });
});

describe('what expires soon', () => {
  test('is named half a year ahead, not earlier', async () => {
    simulator.now = NOW + 3 * YEAR - 183 * DAY;
    await simulator.refresh();
    expect(await due(admin)).toEqual([]);
    simulator.now += 2 * DAY;
    expect((await due(admin)).map(([role, why]) => [role, why])).toEqual([
      ['targets', 'expires soon'],
      [ALICE, 'expires soon'],
      [RELEASES, 'expires soon'],
    ]);
  });

  test('of the root is signed again with whatever is published, if its key is here (protocol C.11)', async () => {
    simulator.now = NOW + 10 * YEAR - 100 * DAY;
    await simulator.refresh();
    expect((await renew(alice.repository(), [ALICE])).kind).toBe('published');
    expect(rootNow().version).toBe(1);
    await admin.repository().repair((editor) => editor.witness('targets'));
    expect(rootNow().version).toBe(2);
  });
});

test('what lost its signatures is signed again by whoever vouches for it', async () => {
  const bob = new Visitor(simulator);
  const key: Signer = await bob.keys.create('bob');
  await admin.repository().publish((editor) => {
    editor.addDelegation(RELEASES, [key.publicKey], ['']);
    editor.removeDelegationKeys(RELEASES, [...alicesKeys(RELEASES)]);
  });
  await failure(new Visitor(simulator).resolve('v1'), 'role-unusable');
  expect(await due(bob)).toEqual([[RELEASES, 'unsigned', true]]);
  expect((await renew(bob.repository(), [RELEASES])).kind).toBe('published');
  expect(await new Visitor(simulator).resolve('v1')).toBe(digestOfTarget(1));
});

test('roles that nothing presses are renewed when asked for; the server renews its own', async () => {
  const { due: asked } = await planRenewal(admin.repository(), ['targets', 'root', 'timestamp', 'snapshot']);
  expect(asked.map(({ role, why }) => [role, why])).toEqual([
    ['root', 'asked for'],
    ['targets', 'asked for'],
  ]);
  await renew(admin.repository(), ['root', 'targets']);
  expect([rootNow().version, readTargets('targets', payloadOf(simulator.file('targets'))).version]).toEqual([2, 3]);
});

test('a file that never was validly signed is not shown as expired', async () => {
  simulator.now = NOW + 3 * YEAR + DAY;
  await simulator.refresh();
  simulator.replace('targets', withSignatures('targets', simulator.file('targets'), []));
  simulator.relist();
  await failure(admin.repository().inspect(), 'signatures-missing');
});

function alicesKeys(role: DelegationName) {
  const { delegations } = readTargets('targets', payloadOf(simulator.file('targets')));
  return delegations.find(({ name }) => name === role)?.keyIds ?? [];
}
