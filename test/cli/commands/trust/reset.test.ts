import { beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { RESET } from '../../../../src/cli/commands/trust/reset.ts';
import { SignetError } from '../../../../src/core/errors/index.ts';
import { parseEnvelope } from '../../../../src/core/metadata/envelope.ts';
import { readRoot } from '../../../../src/core/metadata/root.ts';
import { parseDelegation, RELEASES } from '../../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../../src/core/time.ts';
import { baseSigners } from '../../../../src/core/verify/signers.ts';
import { validSigners } from '../../../../src/core/verify/verify.ts';
import { Changelist } from '../../../../src/store/changelist.ts';
import { payloadOf } from '../../../support/forgery.ts';
import { GUN, type State, target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { type FakeSession, loaded, NAME, offline, uninitialised, visitorOf } from '../../fake-session.ts';
import { fails, says, told } from './transcript.ts';

const reset = calling(RESET);

const ALICE = parseDelegation('targets/alice');
const DONE = says(`Successfully reset specified changes for repository ${NAME}\n`);

describe('of staged changes', () => {
  let session: FakeSession;
  let list: Changelist;
  const names = async () =>
    (await list.read()).map(({ change }) => (change.kind === 'add-target' ? change.name : change.kind));
  beforeEach(async () => {
    session = await offline();
    list = new Changelist((await session.place({})).folder, GUN);
    for (const name of ['a', 'b', 'c'])
      await list.append({ kind: 'add-target', role: 'targets', name, target: target(2) });
  });

  test('drops those that are numbered, with no network', async () => {
    expect(await told(session, reset, ['-n', '0,2', NAME])).toEqual(DONE);
    expect(await names()).toEqual(['b']);
  });

  test('--all', async () => {
    expect(await told(session, reset, ['--all', NAME])).toEqual(DONE);
    expect(await names()).toEqual([]);
    expect(await told(session, reset, ['--all', NAME])).toEqual(DONE);
  });

  test.each(['3', '-1', 'x', '', '0,3'])('drops nothing where %j is no number of one', async (number) => {
    expect((await told(session, reset, [`--number=${number}`, NAME])).stderr).toStartWith(
      'no staged change has the number ',
    );
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  test('drops nothing if nothing is chosen, or too much', async () => {
    expect(await told(session, reset, [NAME])).toEqual(
      fails(
        'must specify changes to reset with -n or the --all flag',
        'Where the root key is lost: signet trust reset --lost-root --reason TEXT REPOSITORY',
      ),
    );
    const both = fails('--lost-root cannot be given with --all or --number', 'See signet trust reset --help');
    expect(await told(session, reset, ['--lost-root', '--reason', 'x', '--all', NAME])).toEqual(both);
    expect(await told(session, reset, ['--lost-root', '--reason', 'x', '-n', '0', NAME])).toEqual(both);
    expect(await names()).toEqual(['a', 'b', 'c']);
  });
});

describe('of a root whose key is lost', () => {
  const QUESTION = `Replace the root of ${NAME}?`;
  const LOST = ['--lost-root', '--reason', 'the disk died'];
  let owner: FakeSession;
  let former: State;
  beforeEach(async () => {
    owner = await loaded();
    owner.env = { USER: 'olivia' };
    const root = (await owner.keys.list()).find(({ role }) => role === 'root');
    if (root !== undefined) await owner.keys.remove(root.id);
    former = owner.simulator.state;
  });
  const planOf = (kept: string, emptied: string) =>
    `The trust data of ${NAME} is deleted from the server and published anew, under another root key.
Nobody who trusted it before trusts the new one by itself: they see an error until they forget the old one.
Signed again with the keys that are here: ${kept}
${emptied}`;
  const PLAN = planOf(`2 entries of targets, ${ALICE}, ${RELEASES}`, '');
  const rootKeys = ({ simulator }: FakeSession) =>
    readRoot(payloadOf(simulator.file('root'))).roles.get('root')?.keyIds;
  const recordOf = (stdout: string) => /^.*The record of it: (.*)$/m.exec(stdout)?.[1] ?? '';

  test('needs a reason', async () => {
    for (const words of [
      ['--lost-root', NAME],
      ['--lost-root', '--reason', '', NAME],
    ]) {
      expect(await told(owner, reset, words)).toEqual(
        fails('say why the root key is replaced: --reason TEXT', 'See signet trust reset --help'),
      );
    }
    expect(owner.simulator.state).toBe(former);
  });

  test('shows what it does, and does nothing where that is declined', async () => {
    owner.answers.push('n');
    expect(await told(owner, reset, [...LOST, NAME])).toEqual(says(`${PLAN}Nothing was done.\n`));
    expect([owner.asked, owner.simulator.state]).toEqual([[QUESTION], former]);
    expect((await owner.keys.list()).some(({ role }) => role === 'root')).toBe(false);
    expect(readdirSync(owner.folder)).toEqual([]);
  });

  test('founds the repository again with its content, and leaves a record that proves who did what', async () => {
    const oldKeys = rootKeys(owner);
    owner.answers.push('y');
    const { exit, stdout, stderr } = await told(owner, reset, [...LOST, NAME]);
    const path = recordOf(stdout);
    expect([exit, stderr, stdout]).toEqual([
      0,
      '',
      `${PLAN}Published ${NAME} under a new root key. The record of it: ${path}\nEverybody who trusted the old root decides anew, with: signet trust delete ${NAME}\n`,
    ]);
    const { set } = await owner.simulator.trusted();
    expect(rootKeys(owner)).not.toEqual(oldKeys);
    expect([...(set.targets.get(RELEASES)?.payload.targets.keys() ?? [])]).toEqual(['v1']);
    expect(set.delegationsOf('targets').map(({ name }) => name)).toEqual([ALICE, RELEASES]);
    await (await owner.repository()).read();

    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    const record = parseEnvelope('root', readFileSync(path));
    const fields = record.signed as ReadonlyMap<string, unknown>;
    expect(['_type', 'gun', 'server', 'by', 'reason', 'at'].map((name) => fields.get(name))).toEqual([
      'Signet-Reset',
      GUN,
      'trust.example.com',
      'olivia',
      'the disk died',
      '2026-11-23T12:00:00Z',
    ]);
    const kept = [...(fields.get('former') as ReadonlyMap<string, string>)];
    expect(Object.fromEntries(kept.map(([role, text]) => [role, Buffer.from(text, 'base64').toString()]))).toEqual(
      Object.fromEntries([...former].map(([role, bytes]) => [role, bytes.toString()])),
    );
    const newRoot = readRoot(payloadOf(owner.simulator.file('root')));
    const oldRoot = readRoot(payloadOf(former.get('root') ?? Buffer.of()));
    expect(validSigners(record, baseSigners(newRoot, 'root')).size).toBe(1);
    expect(validSigners(record, baseSigners(oldRoot, 'targets')).size).toBe(1);
    expect(validSigners(record, baseSigners(oldRoot, 'root')).size).toBe(0);
  });

  test('leaves to signers what they have to sign themselves', async () => {
    const [alice] = (await owner.keys.list()).filter(({ role }) => role === 'alice');
    if (alice !== undefined) await owner.keys.remove(alice.id);
    expect((await told(owner, reset, ['-y', ...LOST, NAME])).stdout).toStartWith(
      planOf('0 entries of targets', `Left for their signers to sign again: ${ALICE}, ${RELEASES}\n`),
    );
    expect(owner.asked).toEqual([]);
    const { set } = await owner.simulator.trusted();
    expect(set.delegationsOf('targets').map(({ name }) => name)).toEqual([ALICE, RELEASES]);
    expect([...set.targets.keys()]).toEqual(['targets']);
  });

  test('also where the data have expired', async () => {
    owner.simulator.now += 11 * YEAR + DAY;
    expect((await told(owner, reset, ['-y', ...LOST, NAME])).exit).toBe(0);
    await (await visitorOf(owner).repository()).read();
  });

  test('whoever trusted the old root does not trust the new one', async () => {
    const reader = visitorOf(owner);
    await (await reader.repository()).read();
    await told(owner, reset, ['-y', ...LOST, NAME]);
    const repository = await reader.repository();
    expect(await repository.read().catch((error: SignetError) => error.code)).toBe('version-rollback');
    await repository.forget();
    await repository.read();
  });

  test('cut short between deleting and publishing, a second run ends it', async () => {
    const { simulator } = owner;
    const refusing = simulator.publish.bind(simulator);
    simulator.publish = async () => {
      throw new SignetError('network-unreachable', 'the trust server cannot be reached');
    };
    const { exit, stderr } = await told(owner, reset, ['-y', ...LOST, NAME]);
    expect([exit, stderr]).toEqual([1, `${NAME} was deleted, and the new collection could not be published\n`]);
    expect(simulator.state.size).toBe(0);
    simulator.publish = refusing;
    const second = await told(owner, reset, ['-y', ...LOST, NAME]);
    expect([second.exit, second.stdout]).toEqual([0, expect.stringContaining(PLAN)]);
    const { set } = await simulator.trusted();
    expect([...(set.targets.get(RELEASES)?.payload.targets.keys() ?? [])]).toEqual(['v1']);
    await (await owner.repository()).read();
    expect((await owner.keys.list()).filter(({ role }) => role === 'root')).toHaveLength(1);
  });

  test('where the server refuses to delete, all stays', async () => {
    const { simulator } = owner;
    simulator.remove = async () => {
      throw new SignetError('unauthorized', 'you are not authorized to perform this operation');
    };
    expect((await told(owner, reset, ['-y', ...LOST, NAME])).exit).toBe(1);
    expect(simulator.state).toBe(former);
    await (await owner.repository()).read();
  });

  test('not if there is nothing, and not offline', async () => {
    expect((await told(await uninitialised(), reset, ['-y', ...LOST, NAME])).exit).toBe(1);
    owner.simulator.isOffline = true;
    expect((await told(owner, reset, ['-y', ...LOST, NAME])).exit).toBe(1);
    expect(owner.simulator.state).toBe(former);
  });
});
