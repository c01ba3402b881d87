import { beforeEach, describe, expect, test } from 'bun:test';
import { formatProposal, parseProposal } from '../../../src/core/edit/proposal.ts';
import { issueRootCertificate } from '../../../src/core/keys/certificate.ts';
import type { Signer } from '../../../src/core/keys/signer.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { parseDigest } from '../../../src/core/names/digest.ts';
import { RELEASES, signerRole } from '../../../src/core/names/role.ts';
import { changeRole } from '../../../src/trust/changes/roles.ts';
import { addSigner, initializeWithImages, signImages } from '../../../src/trust/changes/sign.ts';
import { countSignatures } from '../../../src/trust/keys/signatories.ts';
import type { Publication } from '../../../src/trust/publish/publication.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, withSignatures } from '../../support/forgery.ts';
import { passOn } from '../../support/private-keys.ts';
import { digestOfTarget, GUN, NOW, Simulator, target } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const NAMES = ['alice', 'bob', 'carol'] as const;
type Name = (typeof NAMES)[number];

let simulator: Simulator;
let admin: Visitor;
let people: Record<Name, { readonly visitor: Visitor; readonly key: Signer }>;

const image = (tag: string, byte: number) => ({ tag, digest: parseDigest(digestOfTarget(byte)), size: 528 });
const sign = (name: Name, tag: string, byte: number): Promise<Publication> =>
  signImages(people[name].visitor.repository(), [image(tag, byte)]);
const released = () => [...readTargets(RELEASES, payloadOf(simulator.file(RELEASES))).targets.keys()];
const everything = () => new Map([...simulator.state].map(([role, bytes]) => [role, bytes.toString('base64')]));
const approve = async (visitor: Visitor): Promise<Publication> => {
  const repository = visitor.repository();
  const waiting = await repository.proposal();
  if (waiting === undefined) throw new Error('nothing waits');
  return repository.approve(waiting);
};

/** Three signers, two of whom must agree on what is released. */
beforeEach(async () => {
  simulator = await Simulator.start();
  await simulator.remove();
  admin = new Visitor(simulator);
  await initializeWithImages(admin.repository(), [image('latest', 1)]);
  const made = await Promise.all(
    NAMES.map(async (name) => {
      const visitor = new Visitor(simulator);
      return [name, { visitor, key: await visitor.keys.create(name) }] as const;
    }),
  );
  people = Object.fromEntries(made) as typeof people;
  await admin.repository().publish((editor) => {
    for (const name of NAMES) addSigner(editor, name, [people[name].key.publicKey]);
    editor.setDelegationThreshold(RELEASES, 2);
  });
  for (const name of NAMES) await people[name].visitor.update();
});

describe('a role that needs two of three', () => {
  test('is not changed by one: what was signed waits, and nothing changes for anyone', async () => {
    const before = everything();
    const outcome = await sign('alice', 'v1', 1);
    expect(outcome.kind).toBe('waiting');
    expect(everything()).toEqual(before);
    const { set } = await admin.update();
    const counts = outcome.kind === 'waiting' ? countSignatures(set, outcome.files) : [];
    expect(counts.map(({ role, threshold, signed }) => [role, threshold, signed.map(({ name }) => name)])).toEqual([
      ['targets/alice', 1, ['alice']],
      [RELEASES, 2, ['alice']],
    ]);
    expect(counts[1]?.lacking.map(({ name }) => name)).toEqual(['bob', 'carol']);
  });

  test('is changed when a second person makes the same change', async () => {
    await sign('alice', 'v1', 1);
    expect((await sign('bob', 'v1', 1)).kind).toBe('published');
    expect(released()).toEqual(['v1']);
    for (const role of ['alice', 'bob'].map(signerRole)) {
      expect([...readTargets(role, payloadOf(simulator.file(role))).targets.keys()]).toEqual(['v1']);
    }
    expect(await simulator.proposals.read(GUN)).toBeUndefined();
    expect(await people.carol.visitor.resolve('v1')).toBe(digestOfTarget(1));
  });

  test('is changed when a second person approves what waits, and not by a person without its keys', async () => {
    await sign('alice', 'v1', 1);
    await failure(approve(new Visitor(simulator)), 'signing-key-missing');
    await failure(approve(people.alice.visitor), 'signing-key-missing');
    expect((await approve(people.carol.visitor)).kind).toBe('published');
    expect(released()).toEqual(['v1']);
    expect(await people.bob.visitor.resolve('v1')).toBe(digestOfTarget(1));
  });

  test('takes only one change at a time: another waits its turn', async () => {
    await sign('alice', 'v1', 1);
    const waiting = await simulator.proposals.read(GUN);
    const error = await failure(sign('bob', 'v1', 2), 'proposal-conflict');
    expect(error.detail).toEqual({ role: RELEASES });
    expect(await simulator.proposals.read(GUN)).toEqual(waiting as Buffer);
    expect(await people.bob.visitor.repository().discard()).toBe(true);
    expect(await people.bob.visitor.repository().discard()).toBe(false);
    expect((await sign('bob', 'v1', 2)).kind).toBe('waiting');
    expect((await approve(people.alice.visitor)).kind).toBe('published');
    expect(await people.carol.visitor.resolve('v1')).toBe(digestOfTarget(2));
  });

  test('is not changed by what was proposed before something newer was published', async () => {
    await sign('alice', 'v1', 1);
    const old = await simulator.proposals.read(GUN);
    await sign('bob', 'v1', 1);
    await simulator.proposals.replace(GUN, undefined, old);
    const before = everything();
    await failure(approve(people.carol.visitor), 'proposal-stale');
    expect(everything()).toEqual(before);
    // What is stale is in nobody's way.
    expect((await sign('carol', 'v2', 2)).kind).toBe('waiting');
    expect((await approve(people.bob.visitor)).kind).toBe('published');
    expect(released()).toEqual(['v1', 'v2']);
  });

  test('counts distinct keys: the same person twice is one', async () => {
    await sign('alice', 'v1', 1);
    expect((await sign('alice', 'v1', 1)).kind).toBe('waiting');
    expect((await sign('alice', 'v1', 1)).kind).toBe('waiting');
    expect((await people.bob.visitor.repository().proposal())?.files.at(-1)?.approvals[0]?.signed).toEqual([
      people.alice.key.id,
    ]);
  });

  test('is not fooled by a proposal that a stranger or the server changed', async () => {
    await sign('alice', 'v1', 1);
    const text = (await simulator.proposals.read(GUN)) ?? Buffer.of();
    const proposal = parseProposal(text);
    const forged = new Map(proposal.files);
    const file = forged.get(RELEASES) ?? Buffer.of();
    forged.set(RELEASES, Buffer.from(file.toString().replace('"v1"', '"v9"')));
    await simulator.proposals.replace(GUN, text, formatProposal({ gun: GUN, files: forged }));
    const error = await failure(approve(people.bob.visitor), 'proposal-invalid');
    expect(error.message).toContain('nobody signed');
    forged.set(RELEASES, withSignatures(RELEASES, file, []));
    await simulator.proposals.replace(
      GUN,
      (await simulator.proposals.read(GUN)) ?? Buffer.of(),
      formatProposal({ gun: GUN, files: forged }),
    );
    await failure(approve(people.bob.visitor), 'proposal-invalid');
    expect(released).toThrow();
  });

  test('is published with a snapshot of whoever completes it, where its key is a client’s', async () => {
    const key = await people.bob.visitor.keys.create('snapshot', GUN);
    await passOn(people.bob.visitor.keyStore, key.id, admin.keys);
    await admin.repository().publish((editor) => editor.replaceKeys('snapshot', [key.publicKey]));
    await sign('alice', 'v1', 1);
    const refused = await failure(approve(people.carol.visitor), 'signing-key-missing');
    expect(refused.next).toContain('gives the last approval');
    expect((await approve(people.bob.visitor)).kind).toBe('published');
    expect(await people.carol.visitor.resolve('v1')).toBe(digestOfTarget(1));
  });
});

describe('the root', () => {
  const rootNow = () => readRoot(payloadOf(simulator.file('root')));

  test('can need two of two, of whom each signs with a certificate of their own', async () => {
    const second = new Visitor(simulator);
    const key = await second.keys.create('root');
    const certificate = await issueRootCertificate(key, GUN, NOW);
    const change = { addKeys: [certificate], removeKeys: [], threshold: 2 };
    const before = everything();
    const outcome = await changeRole(admin.repository(), 'root', change);
    expect(outcome.kind).toBe('waiting');
    expect(everything()).toEqual(before);
    const { set } = await admin.update();
    expect(
      (outcome.kind === 'waiting' ? countSignatures(set, outcome.files) : []).map((count) => [
        count.as,
        count.threshold,
        count.signed.length,
      ]),
    ).toEqual([['new root', 2, 1]]);
    expect((await approve(second)).kind).toBe('published');
    expect(rootNow().roles.get('root')).toMatchObject({ threshold: 2 });
    expect(rootNow().version).toBe(2);
    await people.carol.visitor.update();

    // From now on neither can change the root alone, not even back.
    const back = { addKeys: [], removeKeys: [key.id], threshold: 1 };
    expect((await changeRole(admin.repository(), 'root', back)).kind).toBe('waiting');
    expect(rootNow().version).toBe(2);
    expect((await approve(second)).kind).toBe('published');
    expect(rootNow().roles.get('root')).toMatchObject({ threshold: 1 });
    await people.carol.visitor.update();
  });

  test('takes no key without a certificate for the repository, and no threshold that cannot be met', async () => {
    const key = await admin.keys.create('root');
    const bare = { addKeys: [key.publicKey], removeKeys: [], threshold: undefined };
    await failure(changeRole(admin.repository(), 'root', bare), 'root-untrusted');
    await failure(
      changeRole(admin.repository(), 'root', { addKeys: [], removeKeys: [], threshold: 2 }),
      'threshold-invalid',
    );
    await failure(
      changeRole(admin.repository(), 'root', { addKeys: [], removeKeys: [], threshold: 0 }),
      'threshold-invalid',
    );
    expect(rootNow().version).toBe(1);
  });
});

describe('the repository’s own key', () => {
  test('can be two persons’, who then manage signers together', async () => {
    const second = new Visitor(simulator);
    const key = await second.keys.create('targets', GUN);
    const change = { addKeys: [key.publicKey], removeKeys: [], threshold: 2 };
    expect((await changeRole(admin.repository(), 'targets', change)).kind).toBe('waiting');
    expect((await approve(second)).kind).toBe('published');
    const edit = (visitor: Visitor) =>
      visitor.repository().publish((editor) => editor.addTarget('targets', 'x', target(3)));
    expect((await edit(second)).kind).toBe('waiting');
    expect((await edit(admin)).kind).toBe('published');
    expect(await people.alice.visitor.resolve('x')).toBe(digestOfTarget(3));
  });

  test('raising a threshold above what is signed signs the file again', async () => {
    await sign('alice', 'v1', 1);
    await sign('bob', 'v1', 1);
    const change = { addKeys: [], removeKeys: [], threshold: 3 };
    await failure(changeRole(admin.repository(), RELEASES, change), 'signing-key-missing');
    expect(await people.alice.visitor.resolve('v1')).toBe(digestOfTarget(1));
  });
});
