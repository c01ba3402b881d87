import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { ADD } from '../../../../src/cli/commands/trust/add.ts';
import { LIST } from '../../../../src/cli/commands/trust/list.ts';
import { PUBLISH } from '../../../../src/cli/commands/trust/publish.ts';
import { REMOVE } from '../../../../src/cli/commands/trust/remove.ts';
import type { Target } from '../../../../src/core/metadata/targets.ts';
import { parseDelegation, RELEASES, type TargetsRole } from '../../../../src/core/names/role.ts';
import { target } from '../../../support/simulator.ts';
import { calling } from '../../calling.ts';
import { empty, type FakeSession, loaded, NAME, offline, visitorOf } from '../../fake-session.ts';
import { fails, says, told } from './transcript.ts';

const add = calling(ADD);
const list = calling(LIST);
const publish = calling(PUBLISH);
const remove = calling(REMOVE);

const PUBLISHED = says(`Published to ${NAME}.\n`);
const STAGED = says(`Staged for the next publish of ${NAME}.\n`);
const ALICE = parseDelegation('targets/alice');
const SHA256 = 'ab'.repeat(32);
const SHA512 = 'cd'.repeat(64);
const WHAT = 'say what is signed: either FILE, or its --size with --sha256 or --sha512';

async function targetsIn({ simulator }: FakeSession, role: TargetsRole = 'targets'): Promise<Record<string, Target>> {
  const { set } = await simulator.trusted();
  return Object.fromEntries(set.targets.get(role)?.payload.targets ?? []);
}

const ROLES = 'See which roles there are: signet trust delegation list REPOSITORY';

describe('add', () => {
  test('a file, with its length and both digests', async () => {
    const session = await empty();
    expect(await told(session, add, [NAME, 'v1', session.file('v1', 'hello')])).toEqual(PUBLISHED);
    const hash = (algorithm: string) => createHash(algorithm).update('hello').digest();
    expect(await targetsIn(session)).toEqual({
      v1: {
        length: 5,
        hashes: new Map([
          ['sha256', hash('sha256')],
          ['sha512', hash('sha512')],
        ]),
      },
    });
    expect(await told(session, add, [NAME, 'v1', session.file('v1', 'hello')])).toEqual(
      says(`Nothing to change in ${NAME}.\n`),
    );
  });

  test.each([
    [['--sha256', SHA256], ['sha256']],
    [['--sha512', SHA512.toUpperCase()], ['sha512']],
    [
      ['--sha256', SHA256, '--sha512', SHA512],
      ['sha256', 'sha512'],
    ],
  ])('what %j says', async (flags, algorithms) => {
    const session = await empty();
    expect(await told(session, add, [...flags, '--size', '0', NAME, 'v1'])).toEqual(PUBLISHED);
    const { v1 } = await targetsIn(session);
    const hex = [...(v1?.hashes ?? [])].map(([name, hash]) => [name, hash.toString('hex')]);
    const known = { sha256: SHA256, sha512: SHA512 };
    expect([v1?.length, hex]).toEqual([0, algorithms.map((name) => [name, known[name as keyof typeof known]])]);
  });

  test('as roles, once each', async () => {
    const session = await loaded();
    const words = ['--role', 'targets/alice,targets/releases', '-r', 'targets', '--size', '528', '--sha256', SHA256];
    expect(await told(session, add, [...words, NAME, 'v2'])).toEqual(PUBLISHED);
    for (const role of ['targets', ALICE, RELEASES] as const) {
      expect(Object.keys(await targetsIn(session, role))).toContain('v2');
    }
  });

  test.each([
    [['--role', 'targets/carol'], 'tuf: invalid role targets/carol. delegation does not exist', ROLES],
    [['--role', 'root'], 'tuf: invalid role root.', undefined],
    [['--role', 'targets/Bob'], 'tuf: invalid role targets/Bob.', undefined],
    [['--role', ''], 'tuf: invalid role .', undefined],
  ])('as %j, who is no one', async (flags, message, next) => {
    const words = [...flags, '--size', '528', '--sha256', SHA256, NAME, 'v2'];
    expect(await told(await loaded(), add, words)).toEqual(fails(message, next));
  });

  test('as a role whose paths do not admit the name', async () => {
    const session = await loaded();
    const repository = await session.repository();
    await repository.publish((editor) =>
      editor.addDelegation(parseDelegation('targets/bob'), [...keysOf(editor)], ['v']),
    );
    const words = ['-r', 'targets/bob', '--size', '528', '--sha256', SHA256, NAME];
    expect(await told(session, add, [...words, 'w1'])).toEqual(fails('could not add all targets'));
    expect(await told(session, add, [...words, 'v1'])).toEqual(PUBLISHED);
  });

  test.each([
    [[], [], WHAT],
    [['--size', '1', '--sha256', SHA256], ['/dev/null'], WHAT],
    [['--size', '1'], [], 'a digest and --size go together: neither says enough by itself'],
    [['--sha256', SHA256], [], 'a digest and --size go together: neither says enough by itself'],
    [['--size', '-1', '--sha256', SHA256], [], '--size is a number of bytes, not "-1"'],
    [['--size', '1e3', '--sha256', SHA256], [], '--size is a number of bytes, not "1e3"'],
    [['--size', '9007199254740992', '--sha256', SHA256], [], '--size is a number of bytes, not "9007199254740992"'],
  ])('%j %j', async (flags, rest, message) => {
    expect(await told(await empty(), add, [...flags, NAME, 'v1', ...rest])).toEqual(
      fails(message, 'See signet trust add --help'),
    );
  });

  test.each([
    [['--size', '1', '--sha256', 'ab'], 'invalid sha256 hex contents provided'],
    [['--size', '1', '--sha256', SHA512], 'invalid sha256 hex contents provided'],
    [['--size', '1', '--sha512', SHA256], 'invalid sha512 hex contents provided'],
  ])('%j', async (flags, message) => {
    expect(await told(await empty(), add, [...flags, NAME, 'v1'])).toEqual(fails(message));
  });

  test('a name that cannot be signed, and a file that is not there', async () => {
    const session = await empty();
    const flags = ['--stage', '--size', '1', '--sha256', SHA256];
    expect(await told(session, add, [...flags, NAME, ''])).toEqual(
      fails('targets type metadata invalid: invalid target name ""'),
    );
    expect(await told(session, add, [...flags, NAME, 'a\nb'])).toEqual(
      fails('targets type metadata invalid: invalid target name "a b"'),
    );
    expect(await told(session, add, [NAME, 'v1', '/nowhere'])).toEqual(
      fails('open /nowhere: no such file or directory'),
    );
  });
});

describe('add --custom', () => {
  const adding = async (session: FakeSession, json: string, ...flags: string[]) => {
    const custom = session.file('custom.json', json);
    const words = [...flags, '--custom', custom, '--size', '1', '--sha256', SHA256, NAME, 'v1'];
    return { custom, outcome: await told(session, add, words) };
  };

  test.each([[], ['--stage']])('is signed in canonical form, whatever form the file has %j', async (...flags) => {
    const session = await empty();
    const { outcome } = await adding(session, '{ "z": [1, true, null],\n "a": "\\u00e4\\/" }', ...flags);
    expect(outcome).toEqual(flags.length === 0 ? PUBLISHED : STAGED);
    if (flags.length > 0) await told(session, publish, [NAME]);
    expect(session.simulator.file('targets').toString()).toContain('"custom":{"a":"ä/","z":[1,true,null]}');
  });

  test('null says nothing', async () => {
    const session = await empty();
    await adding(session, 'null');
    expect((await targetsIn(session)).v1).toEqual({
      length: 1,
      hashes: new Map([['sha256', Buffer.from(SHA256, 'hex')]]),
    });
  });

  test.each([
    ['{', 'malformed JSON at character 1: expected a member name'],
    ['1.5', 'JSON number 1.5 is not a safe integer'],
    ['{"a":1,"a":2}', 'JSON names "a" twice in one object'],
    ['"a\\nb"', 'a text with a control character cannot be written into a file'],
    ['{"<":1}', 'custom data with <, >, & or a line separator cannot be signed by all clients'],
    ['"\\u2028"', 'custom data with <, >, & or a line separator cannot be signed by all clients'],
  ])('%s is refused', async (json, why) => {
    for (const flags of [[], ['--stage']]) {
      const session = await empty();
      const { custom, outcome } = await adding(session, json, ...flags);
      expect(outcome).toEqual(fails(`cannot sign the custom data in ${custom}: ${why}`));
    }
  });

  test('of a file that is missing, or too large', async () => {
    const session = await empty();
    const words = ['--size', '1', '--sha256', SHA256, NAME, 'v1'];
    expect(await told(session, add, ['--custom', '/nowhere', ...words])).toEqual(
      fails('open /nowhere: no such file or directory'),
    );
    const { custom, outcome } = await adding(session, `"${'a'.repeat(256 * 1024)}"`);
    expect(outcome).toEqual(fails(`${custom} is larger than 262144 bytes`));
  });
});

describe('remove', () => {
  test('takes a target back, and fails if there is none', async () => {
    const session = await empty();
    await (await session.repository()).publish((editor) => editor.addTarget('targets', 'v1', target(1)));
    expect(await told(session, remove, [NAME, 'v1'])).toEqual(PUBLISHED);
    expect(await targetsIn(session)).toEqual({});
    expect(await told(session, remove, [NAME, 'v1'])).toEqual(fails('targets has no target v1'));
  });

  test('from roles, of which one has it', async () => {
    const session = await loaded();
    expect(await told(session, remove, ['-r', 'targets,targets/alice', NAME, 'v1'])).toEqual(PUBLISHED);
    expect(await targetsIn(session, ALICE)).toEqual({});
    expect(Object.keys(await targetsIn(session, RELEASES))).toEqual(['v1']);
    expect(await told(session, remove, ['-r', 'targets,targets/alice', NAME, 'v1'])).toEqual(
      fails('targets, targets/alice has no target v1'),
    );
    expect(await told(session, remove, ['-r', 'targets/carol', NAME, 'v1'])).toEqual(
      fails('tuf: invalid role targets/carol. delegation does not exist', ROLES),
    );
  });

  test('without the keys for it', async () => {
    const owner = await loaded();
    expect((await told(visitorOf(owner), remove, ['-r', 'targets/alice', NAME, 'v1'])).stderr).toMatch(
      /^signing keys not available: need 1 keys from 1 possible keys /,
    );
  });
});

describe('--stage', () => {
  test('needs neither network nor keys, and nothing changes before publish', async () => {
    const owner = await offline();
    const session = visitorOf(owner);
    const before = owner.simulator.state;
    expect(await told(session, add, ['--stage', '--size', '1', '--sha256', SHA256, NAME, 'v2'])).toEqual(STAGED);
    expect(await told(session, add, ['--stage', NAME, 'v3', session.file('v3', 'hello')])).toEqual(STAGED);
    expect(await told(session, remove, ['--stage', '-r', 'targets/alice', NAME, 'v1'])).toEqual(STAGED);
    expect(owner.simulator.state).toBe(before);
  });

  test('a change that is published at once leaves what is staged where it is, and says so', async () => {
    const session = await empty();
    await told(session, add, ['--stage', '--size', '1', '--sha256', SHA256, NAME, 'v1']);
    const now = ['--size', '2', '--sha256', SHA256, NAME];
    expect(await told(session, add, [...now, 'v2'])).toEqual({
      ...PUBLISHED,
      stderr: `1 change of ${NAME} is staged, and not published: signet trust publish ${NAME}\n`,
    });
    expect(Object.keys(await targetsIn(session))).toEqual(['v2']);
    await told(session, remove, ['--stage', NAME, 'v2']);
    expect((await told(session, add, [...now, 'v3'])).stderr).toBe(
      `2 changes of ${NAME} are staged, and not published: signet trust publish ${NAME}\n`,
    );
    expect(await told(session, publish, [NAME])).toEqual(PUBLISHED);
    expect(Object.keys(await targetsIn(session)).sort()).toEqual(['v1', 'v3']);
    expect((await told(session, list, [NAME])).stdout.split('\n')).toHaveLength(4);
  });
});

function keysOf(editor: Parameters<Parameters<Awaited<ReturnType<FakeSession['repository']>>['publish']>[0]>[0]) {
  return editor.signersOf(ALICE).keys.values();
}
