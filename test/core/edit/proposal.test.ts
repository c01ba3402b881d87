import { beforeEach, describe, expect, test } from 'bun:test';
import { Editor } from '../../../src/core/edit/editor.ts';
import {
  countersign,
  examineProposal,
  formatProposal,
  joinProposal,
  mergeCopies,
  type Proposal,
  parseProposal,
  type Standing,
} from '../../../src/core/edit/proposal.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readTargets, type Targets } from '../../../src/core/metadata/targets.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, type RoleName, type TargetsRole } from '../../../src/core/names/role.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, put, type Signer, sealed, withSignatures } from '../../support/forgery.ts';
import { expiring, GUN, NOW, Simulator, versioned } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');
const BOB = parseDelegation('targets/bob');

let simulator: Simulator;
let next: Buffer;
let owners: readonly Signer[];
let carols: TestKeys;

/** The delegation ALICE needs two of three: two keys are the owner's, the third one Carol's. Its next file says one tag. */
beforeEach(async () => {
  simulator = await Simulator.start();
  carols = new TestKeys();
  const keys = [simulator.owner.make(), simulator.owner.make()];
  owners = keys.map((key) => ({ key, private: simulator.owner.private(key) }));
  await simulator.edit((editor) => {
    editor.addDelegation(ALICE, [...keys, carols.make()], [''], 2);
    editor.witness(ALICE);
  });
  next = signed(ALICE, 0);
});

const standing = (): Standing => {
  const payload = (role: TargetsRole): Targets | undefined =>
    simulator.state.has(role) ? readTargets(role, payloadOf(simulator.file(role))) : undefined;
  return {
    root: readRoot(payloadOf(simulator.file('root'))),
    payloadOf: payload,
    versionOf: (role) => (role === 'root' ? 1 : (payload(role as TargetsRole)?.version ?? 0)),
  };
};

/** The next version of a role's file, signed by the owner's keys at those places. */
function signed(role: TargetsRole, ...places: readonly number[]): Buffer {
  const payload = versioned(readTargets(role, payloadOf(simulator.file(role))).version + 1)(
    payloadOf(simulator.file(role)),
  );
  const signers = (role === ALICE ? owners : simulator.signersOf(role)).filter((_, place) => places.includes(place));
  return sealed(payload, signers);
}

const proposal = (...files: readonly (readonly [RoleName, Buffer])[]): Proposal => ({
  gun: GUN,
  files: new Map(files),
});
const texts = ({ files }: Proposal) => Object.fromEntries([...files].map(([role, bytes]) => [role, bytes.toString()]));
const signatures = (one: Proposal | undefined, role: RoleName) =>
  (JSON.parse(one?.files.get(role)?.toString() ?? '{}') as { signatures: { keyid: string }[] }).signatures.length;

describe('the text of a proposal', () => {
  const text = (files: unknown, more: object = {}) =>
    Buffer.from(JSON.stringify({ format: 'signet-proposal-1', gun: GUN, files, ...more }));
  const reason = async (bytes: Uint8Array) => (await failure(() => parseProposal(bytes), 'proposal-invalid')).message;

  test('is read as it was written', () => {
    const written = proposal(['root', Buffer.from([0, 255])], [ALICE, next]);
    expect(parseProposal(formatProposal(written))).toEqual(written);
  });

  test.each([
    ['nothing', Buffer.of(), 'is malformed'],
    [
      'another format',
      text({ targets: '' }, { format: 'signet-proposal-2' }),
      'is not of the format signet-proposal-1',
    ],
    ['no files', text({}), 'has 0 files'],
    ['a file for the snapshot', text({ snapshot: '' }), 'has a file for snapshot'],
    ['a file for the timestamp', text({ timestamp: '' }), 'has a file for timestamp'],
    ['a file for no role', text({ 'targets/../x': '' }), 'is malformed: tuf: invalid role'],
    ['what is not base64', text({ targets: '*' }), 'has a file that is not base64'],
    ['what is no text', text({ targets: 7 }), 'has a file that is not base64'],
    ['a member too many', text({ targets: '' }, { more: 1 }), 'is malformed'],
    ['no GUN', text({ targets: '' }, { gun: '../x' }), 'is malformed: invalid repository name'],
  ])('with %s is refused', async (_, bytes, why) => {
    expect(await reason(bytes)).toStartWith(`the proposal ${why}`);
  });

  test('with more files than can be published is refused', async () => {
    const count = LIMITS.uploadParts + 1;
    const files = Object.fromEntries(Array.from({ length: count }, (_, index) => [`targets/r${index}`, '']));
    expect(await reason(text(files))).toBe(`the proposal has ${count} files`);
  });
});

describe('examining', () => {
  test('says who has signed and what is missing', () => {
    const [file] = examineProposal(proposal([ALICE, next]), standing());
    const signers = owners.map(({ private: { id } }) => id);
    expect(file?.approvals).toEqual([
      { threshold: 2, keyIds: [...signers, expect.any(String) as never], signed: signers.slice(0, 1) },
    ]);
    expect(file?.shortfall?.signatures).toHaveLength(1);
    const [complete] = examineProposal(proposal([ALICE, signed(ALICE, 0, 1)]), standing());
    expect(complete?.shortfall).toBeUndefined();
  });

  test('refuses what was overtaken, what no one signed, and what belongs to no one', async () => {
    const examine = (one: Proposal) => () => examineProposal(one, standing());
    const stale = await failure(examine(proposal([ALICE, simulator.file(ALICE)])), 'proposal-stale');
    expect(stale.detail).toEqual({ role: ALICE, proposed: 1, published: 1 });
    await failure(examine(proposal([ALICE, withSignatures(ALICE, next, [])])), 'proposal-invalid');
    const strangers = new TestKeys();
    const key = strangers.make();
    const foreign = sealed(payloadOf(next), [{ key, private: strangers.private(key) }]);
    const error = await failure(examine(proposal([ALICE, foreign])), 'proposal-invalid');
    expect(error.message).toBe(`the proposal has a file for ${ALICE} that nobody signed`);
    await failure(examine(proposal([BOB, next])), 'role-unknown');
    await failure(examine(proposal([SUB, next])), 'role-unknown');
  });

  test('judges by the delegations that come along', async () => {
    const own = simulator.owner.make();
    const edited = await simulator.trusted();
    const editor = Editor.of(edited.set);
    editor.addDelegation(BOB, [own], ['']);
    editor.witness(BOB);
    const { files } = await editor.edition(simulator.owner, NOW);
    expect(examineProposal({ gun: GUN, files }, standing()).map(({ role, shortfall }) => [role, shortfall])).toEqual([
      ['targets', undefined],
      [BOB, undefined],
    ]);
  });
});

describe('signing', () => {
  test('adds signatures and leaves what is said, and the signatures that are there', async () => {
    const one = proposal([ALICE, next]);
    const two = await countersign(one, examineProposal(one, standing()), carols);
    expect([signatures(one, ALICE), signatures(two, ALICE)]).toEqual([1, 2]);
    expect(payloadOf(two.files.get(ALICE) ?? Buffer.of())).toEqual(payloadOf(next));
    expect(examineProposal(two, standing())[0]?.shortfall).toBeUndefined();
    // Another time, it adds nothing.
    const again = await countersign(two, examineProposal(two, standing()), carols);
    expect(signatures(again, ALICE)).toBe(2);
    const other = await countersign(one, examineProposal(one, standing()), carols, new Set());
    expect(texts(other)).toEqual(texts(one));
  });
});

describe('joining a change and a proposal', () => {
  test('adds other roles, and names those that say the same, whenever they were signed', () => {
    const later = sealed(expiring(NOW + 1000)(payloadOf(next)), owners.slice(1));
    const targets = signed('targets', 0);
    const joined = joinProposal(proposal([ALICE, next]), proposal([ALICE, later], ['targets', targets]));
    expect([...joined.same]).toEqual([ALICE]);
    expect(texts(joined.proposal)).toEqual({ [ALICE]: next.toString(), targets: targets.toString() });
  });

  test('refuses two ways to change one role', async () => {
    const other = sealed(put(['_note'], 'x')(payloadOf(next)), owners);
    const error = await failure(
      () => joinProposal(proposal([ALICE, next]), proposal([ALICE, other])),
      'proposal-conflict',
    );
    expect(error.detail).toEqual({ role: ALICE });
  });
});

describe('merging copies', () => {
  test('brings the signatures of both together, whichever comes first', () => {
    const [one, two] = [proposal([ALICE, signed(ALICE, 0)]), proposal([ALICE, signed(ALICE, 1)])];
    for (const merged of [mergeCopies(one, two), mergeCopies(two, one)]) {
      expect(signatures(merged, ALICE)).toBe(2);
      expect(merged === undefined ? [] : examineProposal(merged, standing())[0]?.shortfall).toBeUndefined();
    }
    expect(signatures(mergeCopies(one, one), ALICE)).toBe(1);
  });

  test('is nothing for what are copies of different proposals', () => {
    const one = proposal([ALICE, next]);
    const later = sealed(expiring(NOW + 1000)(payloadOf(next)), owners);
    expect(mergeCopies(one, proposal([ALICE, later]))).toBeUndefined();
    expect(mergeCopies(one, proposal([ALICE, next], ['targets', signed('targets', 0)]))).toBeUndefined();
    expect(mergeCopies(one, proposal([BOB, next]))).toBeUndefined();
    expect(mergeCopies(one, { ...one, gun: parseGun('registry.example.com/acme/other') })).toBeUndefined();
  });
});
