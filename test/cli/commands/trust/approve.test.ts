import { beforeEach, describe, expect, test } from 'bun:test';
import { truncateSync } from 'node:fs';
import { APPROVE, DISCARD } from '../../../../src/cli/commands/trust/approve.ts';
import { formatProposal, parseProposal } from '../../../../src/core/edit/proposal.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import type { JsonValue } from '../../../../src/core/json/parse.ts';
import { LIMITS } from '../../../../src/core/limits.ts';
import { parseEnvelope } from '../../../../src/core/metadata/envelope.ts';
import { targetJson } from '../../../../src/core/metadata/targets.ts';
import { parseGun } from '../../../../src/core/names/gun.ts';
import { parseDelegation, RELEASES } from '../../../../src/core/names/role.ts';
import { put, withSignatures } from '../../../support/forgery.ts';
import { digestOfTarget, GUN, target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, NAME, uninitialised, visitorOf } from '../../fake-session.ts';
import { releasedTags, type SeveralSigners, type SignerSession, severalSigners, signTag } from './several-signers.ts';
import { fails, says, told } from './transcript.ts';

const approve = calling(APPROVE);
const discard = calling(DISCARD);

const QUESTION = 'Sign this change?';
const PUBLISHED = `Published to ${NAME}.\n`;
const PENDING = 'Signed, and not in force yet. More signatures are needed:\n';

let people: SeveralSigners;
let admin: FakeSession;
let alice: SignerSession;
let bob: SignerSession;
let carol: SignerSession;

beforeEach(async () => {
  people = await severalSigners();
  ({ admin, alice, bob, carol } = people);
});

const by = (name: string, { key }: SignerSession) => `${name} (${key.id.slice(0, 7)})`;
/** The lines on version and expiry of a file that is new. */
const FIRST = '    + version 1\n    + expires 2029-11-22T12:00:00Z\n';
const waitingText = () => admin.simulator.proposals.read(GUN);
const release = (tag: string, byte: number) =>
  `To be signed in ${NAME}:
  targets/alice
    + ${tag} ${digestOfTarget(byte)} 528 bytes
${FIRST}  targets/releases
    + ${tag} ${digestOfTarget(byte)} 528 bytes
${FIRST}Signatures:
  targets/alice: 1 of 1, signed by ${by('alice', alice)}
  targets/releases: 1 of 2, signed by ${by('alice', alice)}; needs 1 more of ${by('bob', bob)}, ${by('carol', carol)}
`;

describe('approve', () => {
  test('where nothing waits', async () => {
    expect(await told(bob.session, approve, [NAME])).toEqual(says(`Nothing waits for signatures in ${NAME}.\n`));
  });

  test('shows what waits, asks, signs and publishes', async () => {
    await signTag(alice, 'v1', 1);
    bob.session.answers.push('y');
    expect(await told(bob.session, approve, [NAME])).toEqual(says(`${release('v1', 1)}${PUBLISHED}`));
    expect(bob.session.asked).toEqual([QUESTION]);
    expect(await releasedTags(admin)).toEqual(['v1']);
    expect(await waitingText()).toBeUndefined();
  });

  test('declined, it changes nothing', async () => {
    await signTag(alice, 'v1', 1);
    const before = await waitingText();
    bob.session.answers.push('n');
    expect(await told(bob.session, approve, [NAME])).toEqual(says(`${release('v1', 1)}Nothing was done.\n`));
    expect(await waitingText()).toEqual(before);
    expect(await releasedTags(admin)).toEqual([]);
  });

  test('--yes asks nothing', async () => {
    await signTag(alice, 'v1', 1);
    expect(await told(bob.session, approve, ['--yes', NAME])).toEqual(says(`${release('v1', 1)}${PUBLISHED}`));
    expect(bob.session.asked).toEqual([]);
  });

  test('says who else has to sign where that is not enough', async () => {
    ({ admin, alice, bob, carol } = await severalSigners(3));
    await signTag(alice, 'v1', 1);
    const { exit, stdout } = await told(bob.session, approve, ['-y', NAME]);
    expect(exit).toBe(1);
    expect(stdout).toEndWith(
      `${PENDING}  targets/alice: 1 of 1, signed by ${by('alice', alice)}
  targets/releases: 2 of 3, signed by ${by('bob', bob)}, ${by('alice', alice)}; needs 1 more of ${by('carol', carol)}
Others sign it with: signet trust approve ${NAME}
`,
    );
    expect(await releasedTags(admin)).toEqual([]);
  });

  test('by no one who has no key, or has signed already', async () => {
    await signTag(alice, 'v1', 1);
    const before = await waitingText();
    for (const session of [visitorOf(admin), alice.session]) {
      expect(await told(session, approve, ['-y', NAME])).toEqual({
        ...fails('no key here can add a signature to the proposal'),
        stdout: release('v1', 1),
        next: 'Load the key of an authorised signer: signet trust key load FILE',
      });
    }
    expect(await waitingText()).toEqual(before);
  });

  test('of what was overtaken is refused, without a question', async () => {
    await signTag(alice, 'v1', 1);
    const old = await waitingText();
    await signTag(bob, 'v1', 1);
    await admin.simulator.proposals.replace(GUN, undefined, old);
    const before = admin.simulator.state;
    expect(await told(carol.session, approve, [NAME])).toEqual(
      fails(
        'targets/alice has been published anew since the proposal was made',
        'Discard it, and make the change again: signet trust discard REPOSITORY',
      ),
    );
    expect([carol.session.asked, admin.simulator.state]).toEqual([[], before]);
  });

  test('signs what was shown, not what took its place meanwhile', async () => {
    await signTag(alice, 'v1', 1);
    bob.session.confirm = async () => {
      await (await alice.session.repository()).discard();
      await signTag(alice, 'v1', 9);
      return true;
    };
    expect(await told(bob.session, approve, [NAME])).toMatchObject({
      exit: 0,
      stdout: `${release('v1', 1)}${PUBLISHED}`,
    });
    expect((await admin.simulator.trusted()).set.targets.get(RELEASES)?.payload.targets.get('v1')).toEqual(target(1));
  });

  test('of a repository that is not there, that cannot be reached, and by whom the server refuses', async () => {
    expect(await told(await uninitialised(), approve, [NAME])).toEqual(
      says(`Nothing waits for signatures in ${NAME}.\n`),
    );
    await signTag(alice, 'v1', 1);
    const refused = new SignetError('unauthorized', 'you are not authorized to perform this operation');
    admin.simulator.proposals.read = async () => {
      throw refused;
    };
    expect(await told(bob.session, approve, [NAME])).toMatchObject(fails(refused.message));
    admin.simulator.isOffline = true;
    expect((await told(bob.session, approve, [NAME])).exit).toBe(1);
  });

  test('shows what a change takes away, and no name as it stands that a terminal would act upon', async () => {
    await signTag(alice, 'v1', 1);
    await signTag(bob, 'v1', 1);
    const edit = async (session: FakeSession) =>
      (await session.repository()).publish((editor) => {
        editor.removeTarget(RELEASES, 'v1');
        editor.addTarget(RELEASES, 'v2\u202e\u009b', { ...target(2), length: 7 });
      });
    expect((await edit(alice.session)).kind).toBe('waiting');
    const { stdout } = await told(bob.session, approve, ['-y', NAME]);
    expect(stdout).toContain(
      `    + "v2\\u202e\\u009b" ${digestOfTarget(2)} 7 bytes\n    - v1 ${digestOfTarget(1)} 528 bytes\n    ~ version 1 -> 2\n    = expires 2029-11-22T12:00:00Z\nSignatures:\n`,
    );
  });

  test('takes nothing for granted that a published file says which no one signed', async () => {
    await signTag(alice, 'v1', 1);
    await signTag(bob, 'v1', 1);
    // The server puts what alice is about to propose into the file that is published, so that nothing seems to change.
    admin.simulator.forge(
      RELEASES,
      put(['targets', 'v6'], new Map(targetJson(target(6)) as ReadonlyMap<string, JsonValue>)),
      [],
    );
    admin.simulator.relist();
    const repository = await alice.session.repository();
    await repository.publish((editor) => {
      editor.addTarget(RELEASES, 'v6', target(6));
      editor.witness(RELEASES);
    });
    const { stdout } = await told(bob.session, approve, ['-y', NAME]);
    expect(stdout).toContain(`    + v6 ${digestOfTarget(6)} 528 bytes\n`);
  });

  test('shows a size and custom data that change under the same digest', async () => {
    await signTag(alice, 'v1', 1);
    await signTag(bob, 'v1', 1);
    await (await alice.session.repository()).publish((editor) =>
      editor.addTarget(RELEASES, 'v1', { ...target(1, 7), custom: new Map([['evil', '\u202e']]) }),
    );
    const { stdout } = await told(bob.session, approve, ['-y', NAME]);
    expect(stdout).toContain(
      `    ~ v1 ${digestOfTarget(1)} 528 bytes -> ${digestOfTarget(1)} 7 bytes custom "{\\"evil\\":\\"\\u202e\\"}"\n`,
    );
    expect(stdout).not.toContain('\u202e');
  });
});

describe('approve --file', () => {
  /** What was proposed, taken from its store into a file. */
  const passedOn = async (): Promise<string> => {
    const text = await waitingText();
    await admin.simulator.proposals.replace(GUN, text, undefined);
    return admin.file('proposal.json', text ?? '');
  };
  const sameInOwnStore = async (signer: SignerSession, tag: string, byte: number) => {
    await signTag(signer, tag, byte);
    return passedOn();
  };

  test('signs a proposal that was passed on', async () => {
    const file = await sameInOwnStore(alice, 'v1', 1);
    bob.session.answers.push('y');
    expect(await told(bob.session, approve, ['--file', file, NAME])).toEqual(says(`${release('v1', 1)}${PUBLISHED}`));
    expect(await releasedTags(admin)).toEqual(['v1']);
  });

  test('declined, or with no key, keeps nothing of it', async () => {
    const file = await sameInOwnStore(alice, 'v1', 1);
    bob.session.answers.push('n');
    expect(await told(bob.session, approve, ['-f', file, NAME])).toEqual(
      says(`${release('v1', 1)}Nothing was done.\n`),
    );
    expect((await told(visitorOf(admin), approve, ['-y', '-f', file, NAME])).exit).toBe(1);
    expect(await waitingText()).toBeUndefined();
  });

  test('joins what two people signed apart', async () => {
    people = await severalSigners(3);
    ({ admin, alice, bob, carol } = people);
    const original = await sameInOwnStore(alice, 'v1', 1);
    expect((await told(bob.session, approve, ['-y', '-f', original, NAME])).stdout).toContain(PENDING);
    const bobs = await passedOn();
    expect((await told(carol.session, approve, ['-y', '-f', original, NAME])).stdout).toContain(PENDING);
    // Bob has signed his copy; with it Carol's has all signatures.
    expect((await told(alice.session, approve, ['-y', '-f', bobs, NAME])).stdout).toEndWith(PUBLISHED);
    expect(await releasedTags(admin)).toEqual(['v1']);
    expect(await waitingText()).toBeUndefined();
  });

  test('a wrong signature in a copy does not take the place of a right one', async () => {
    ({ admin, alice, bob, carol } = await severalSigners(3));
    const original = await sameInOwnStore(alice, 'v1', 1);
    await told(bob.session, approve, ['-y', '-f', original, NAME]);
    const { files } = parseProposal((await waitingText()) ?? Buffer.of());
    const { signatures } = parseEnvelope(RELEASES, files.get(RELEASES) ?? Buffer.of());
    const spoilt = signatures.map((signature) =>
      signature.keyId === bob.key.id ? { ...signature, bytes: Buffer.alloc(64) } : signature,
    );
    const copy = new Map([...files, [RELEASES, withSignatures(RELEASES, files.get(RELEASES) ?? Buffer.of(), spoilt)]]);
    const file = admin.file('copy.json', formatProposal({ gun: GUN, files: copy }));
    expect((await told(carol.session, approve, ['-y', '-f', file, NAME])).stdout).toEndWith(PUBLISHED);
  });

  test('beside another proposal is refused, which stays', async () => {
    const file = await sameInOwnStore(alice, 'v1', 1);
    await signTag(bob, 'v2', 2);
    const before = await waitingText();
    expect(await told(carol.session, approve, ['-y', '-f', file, NAME])).toMatchObject(
      fails(`another change of ${NAME} waits for signatures`),
    );
    expect(await waitingText()).toEqual(before);
  });

  test('takes the place of one that is of no use', async () => {
    const file = await sameInOwnStore(alice, 'v1', 1);
    await admin.simulator.proposals.replace(GUN, undefined, Buffer.from('rubbish'));
    expect((await told(bob.session, approve, ['-y', '-f', file, NAME])).stdout).toEndWith(PUBLISHED);
    expect(await waitingText()).toBeUndefined();
  });

  test('names the file to pass on where the server keeps none', async () => {
    ({ admin, alice, bob, carol } = await severalSigners(3));
    const file = await sameInOwnStore(alice, 'v1', 1);
    admin.simulator.proposals.place = async () => '/home/bob/proposal.json';
    expect((await told(bob.session, approve, ['-y', '-f', file, NAME])).stdout).toEndWith(
      `The trust server keeps no proposals. Pass this file on: /home/bob/proposal.json\nOthers sign it with: signet trust approve --file FILE ${NAME}\n`,
    );
  });

  test('refuses what is none, or one for another repository', async () => {
    await signTag(alice, 'v1', 1);
    const { files } = parseProposal((await waitingText()) ?? Buffer.of());
    const other = parseGun('registry.example.com/acme/other');
    const before = await waitingText();
    const tried = async (content: string | Buffer) =>
      (await told(bob.session, approve, ['-y', '-f', admin.file('p.json', content), NAME])).stderr;
    expect(await tried(formatProposal({ gun: other, files }))).toBe(`the proposal is one for ${other}\n`);
    expect(await tried('')).toStartWith('the proposal is malformed: ');
    expect(await tried('{"format":"\u202esignet"}')).not.toContain('\u202e');
    expect(await tried(formatProposal({ gun: GUN, files: new Map([[RELEASES, Buffer.from('{}')]]) }))).not.toBe('');
    const unknown = parseDelegation('targets/unknown');
    expect(
      await tried(formatProposal({ gun: GUN, files: new Map([[unknown, files.get(RELEASES) ?? Buffer.of()]]) })),
    ).toBe('tuf: invalid role targets/unknown. delegation does not exist\n');
    expect(await waitingText()).toEqual(before);
    expect(bob.session.asked).toEqual([]);
  });

  test('reads no more of a file than a proposal can have', async () => {
    const large = admin.file('large.json', '');
    truncateSync(large, LIMITS.upload + 1);
    expect((await told(bob.session, approve, ['-f', large, NAME])).exit).toBe(1);
    expect(await told(bob.session, approve, ['-f', '/nowhere/at/all', NAME])).toEqual(
      fails('there is no proposal at /nowhere/at/all'),
    );
    expect((await told(bob.session, approve, ['-f', '/dev/zero', NAME])).exit).toBe(1);
  });
});

describe('discard', () => {
  const DISCARD = `Drop the change that waits for signatures in ${NAME}?`;
  const DROPPED = says(`Dropped. ${NAME} stays as it is.\n`);

  test('asks, and drops what waits', async () => {
    await signTag(alice, 'v1', 1);
    const before = await waitingText();
    bob.session.answers.push('n', 'y', 'y');
    expect(await told(bob.session, discard, [NAME])).toEqual(says('Nothing was done.\n'));
    expect(await waitingText()).toEqual(before);
    expect(await told(bob.session, discard, [NAME])).toEqual(DROPPED);
    expect(await waitingText()).toBeUndefined();
    expect(await told(bob.session, discard, [NAME])).toEqual(says(`Nothing waits in ${NAME}.\n`));
    expect(bob.session.asked).toEqual([DISCARD, DISCARD, DISCARD]);
  });

  test('--yes drops what is of no use, too', async () => {
    await admin.simulator.proposals.replace(GUN, undefined, Buffer.from('rubbish'));
    expect(await told(bob.session, discard, ['-y', NAME])).toEqual(DROPPED);
    expect(bob.session.asked).toEqual([]);
  });
});
