import { beforeEach, describe, expect, test } from 'bun:test';
import { APPROVE } from '../../../../src/cli/commands/trust/approve.ts';
import { SIGN } from '../../../../src/cli/commands/trust/sign.ts';
import { formatProposal, parseProposal } from '../../../../src/core/edit/proposal.ts';
import { canonicalize } from '../../../../src/core/json/canonical.ts';
import type { JsonValue } from '../../../../src/core/json/parse.ts';
import { writeEnvelope } from '../../../../src/core/metadata/envelope.ts';
import { RELEASES } from '../../../../src/core/names/role.ts';
import { failure } from '../../../support/failure.ts';
import { type Change, payloadOf, put, tree } from '../../../support/forgery.ts';
import { digestOfTarget, GUN } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, NAME } from '../../fake-session.ts';
import { releasedTags, type SignerSession, severalSigners, signTag } from './several-signers.ts';
import { told } from './transcript.ts';

const approve = calling(APPROVE);
const sign = calling(SIGN);

const FAR = '9999-12-31T00:00:00Z';
const LIFETIME = `${RELEASES} would expire in 2912116 days, on ${FAR}; its lifetime is 1095 days`;
const JUMP = `the version of ${RELEASES} rises by 903, from 0 to 903`;

let admin: FakeSession;
let alice: SignerSession;
let bob: SignerSession;

beforeEach(async () => {
  ({ admin, alice, bob } = await severalSigners());
  await signTag(alice, 'v1', 1);
});

const store = () => admin.simulator.proposals;
const version = async () => (await admin.simulator.trusted()).set.targets.get(RELEASES)?.payload.version;

/** Alice proposes the release with these changes, signed by her key. */
async function proposed(...changes: readonly Change[]): Promise<void> {
  const text = (await store().read(GUN)) ?? Buffer.of();
  const { files } = parseProposal(text);
  const payload: JsonValue = payloadOf(files.get(RELEASES) ?? Buffer.of());
  const changed = changes.reduce<JsonValue>((value, change) => change(value), payload);
  const file = writeEnvelope(changed, [await alice.key.sign(canonicalize(changed))]);
  await store().replace(GUN, text, formatProposal({ gun: GUN, files: new Map([...files, [RELEASES, file]]) }));
}

describe('an expiry and a version that no honest change needs', () => {
  beforeEach(() => proposed(put(['expires'], FAR), put(['version'], 903)));

  test('are shown, and are a question of their own', async () => {
    bob.session.answers.push('y', 'y');
    const { exit, stdout } = await told(bob.session, approve, [NAME]);
    expect([exit, bob.session.asked]).toEqual([0, ['Sign it although it is unusual?', 'Sign this change?']]);
    expect(stdout).toContain(`    + version 903\n    + expires ${FAR}\n`);
    expect(stdout).toContain(`Unusual: ${JUMP}\nUnusual: ${LIFETIME}\n`);
    expect(await version()).toBe(903);
  });

  test('are not signed where the first question is answered with no', async () => {
    bob.session.answers.push('n');
    expect((await told(bob.session, approve, [NAME])).exit).toBe(0);
    expect([bob.session.asked.length, await version()]).toEqual([1, undefined]);
  });

  test('are no matter for --yes', async () => {
    bob.session.answers.push('n');
    await told(bob.session, approve, ['--yes', NAME]);
    expect([bob.session.asked, await version()]).toEqual([['Sign it although it is unusual?'], undefined]);
  });

  test('are refused if no one can be asked', async () => {
    bob.session.isInteractive = false;
    const { exit, stderr, next } = await told(bob.session, approve, ['--yes', NAME]);
    expect([exit, stderr]).toEqual([1, `no one can be asked whether to sign it: ${JUMP}; ${LIFETIME}\n`]);
    expect([next?.endsWith('--accept-unusual'), await version()]).toEqual([true, undefined]);
  });

  test('are signed by a script that says so', async () => {
    bob.session.isInteractive = false;
    const { exit } = await told(bob.session, approve, ['--yes', '--accept-unusual', NAME]);
    expect([exit, bob.session.asked, await version()]).toEqual([0, [], 903]);
  });

  test('are refused below the command line as well', async () => {
    const repository = await bob.session.repository();
    const waiting = await repository.proposal();
    if (waiting === undefined) throw new Error('nothing waits');
    await failure(repository.approve(waiting), 'proposal-unusual');
    expect(await version()).toBeUndefined();
  });
});

test('an expiry that is past is unusual, and one of the usual length is not', async () => {
  await proposed(put(['expires'], '2020-01-01T00:00:00Z'));
  const repository = await bob.session.repository();
  expect((await repository.proposal())?.unusual).toEqual([`${RELEASES} would be expired: 2020-01-01T00:00:00Z`]);
  await proposed(put(['expires'], new Date(admin.now() + 1095 * 86_400_000).toISOString()));
  expect((await repository.proposal())?.unusual).toEqual([]);
});

describe('a file that says what no view knows is refused', () => {
  test.each([
    ['a member of the file', ['x']],
    ['a member of a target', ['targets', 'v1', 'x']],
    ['a member of the delegations', ['delegations', 'x']],
  ])('%s', async (_, path) => {
    await proposed(put(path, 'hidden'));
    const { exit, stderr } = await told(bob.session, approve, ['--yes', NAME]);
    expect([exit, stderr]).toEqual([1, `the proposal has a file for ${RELEASES} that says more than can be shown\n`]);
    expect(await version()).toBeUndefined();
  });

  test('a key that no role has is shown', async () => {
    const key = tree({
      keytype: 'ecdsa',
      keyval: { private: null, public: bob.key.publicKey.bytes.toString('base64') },
    });
    await proposed(put(['delegations', 'keys', bob.key.publicKey.id], key));
    bob.session.answers.push('n');
    const { stdout } = await told(bob.session, approve, [NAME]);
    expect(stdout).toContain(`    + key of no role ${bob.key.publicKey.id}\n`);
  });
});

describe('a plain sign of what waits already', () => {
  const image = () => ({ digest: digestOfTarget(1) as never, size: 528 });

  beforeEach(async () => {
    await proposed(put(['expires'], FAR));
    bob.session.inRegistry.set(`${NAME}:v1`, image());
  });

  test('shows it and asks, both questions', async () => {
    bob.session.asksAboutProposals();
    bob.session.answers.push('y', 'y');
    const { exit, stdout } = await told(bob.session, sign, ['--remote', `${NAME}:v1`]);
    expect([exit, bob.session.asked]).toEqual([0, ['Sign it although it is unusual?', 'Sign this change?']]);
    expect(stdout).toContain(`    + expires ${FAR}\n`);
    expect(await releasedTags(admin)).toEqual(['v1']);
  });

  test('signs nothing where the answer is no', async () => {
    bob.session.asksAboutProposals();
    bob.session.answers.push('n');
    const { exit, stderr } = await told(bob.session, sign, ['--remote', `${NAME}:v1`]);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringContaining(`a change of ${NAME} that others have signed waits already\n`),
    ]);
    expect(await releasedTags(admin)).toEqual([]);
  });

  test('signs nothing if no one can be asked, and names the command that does', async () => {
    bob.session.isInteractive = false;
    bob.session.asksAboutProposals();
    const before = await store().read(GUN);
    const { exit, next } = await told(bob.session, sign, ['--remote', `${NAME}:v1`]);
    expect([exit, next?.startsWith(`Look at it and sign it: signet trust approve ${NAME}`)]).toEqual([1, true]);
    expect(await store().read(GUN)).toEqual(before);
  });

  test('of one’s own proposal asks nothing: nothing is added to it', async () => {
    alice.session.isInteractive = false;
    alice.session.asksAboutProposals();
    alice.session.inRegistry.set(`${NAME}:v1`, image());
    const { exit, stderr } = await told(alice.session, sign, ['--remote', `${NAME}:v1`]);
    expect([exit, stderr]).toEqual([1, expect.stringContaining('signed, but not in force yet: ')]);
  });
});
