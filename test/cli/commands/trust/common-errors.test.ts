import { describe, expect, test } from 'bun:test';
import { ADD } from '../../../../src/cli/commands/trust/add.ts';
import { DELEGATION_ADD } from '../../../../src/cli/commands/trust/delegation/add.ts';
import { DELEGATION_LIST } from '../../../../src/cli/commands/trust/delegation/list.ts';
import { DELEGATION_PURGE } from '../../../../src/cli/commands/trust/delegation/purge.ts';
import { DELEGATION_REMOVE } from '../../../../src/cli/commands/trust/delegation/remove.ts';
import { DELETE } from '../../../../src/cli/commands/trust/delete.ts';
import { INIT } from '../../../../src/cli/commands/trust/init.ts';
import { LIST } from '../../../../src/cli/commands/trust/list.ts';
import { LOOKUP } from '../../../../src/cli/commands/trust/lookup.ts';
import { PUBLISH } from '../../../../src/cli/commands/trust/publish.ts';
import { REMOVE } from '../../../../src/cli/commands/trust/remove.ts';
import { VERIFY } from '../../../../src/cli/commands/trust/verify.ts';
import { WITNESS } from '../../../../src/cli/commands/trust/witness.ts';
import { calling } from '../../calling.ts';
import { loaded, NAME, offline, uninitialised, visitorOf } from '../../fake-session.ts';
import { fails, type TrustCommand, told } from './transcript.ts';

const add = calling(ADD);
const addDelegation = calling(DELEGATION_ADD);
const listDelegations = calling(DELEGATION_LIST);
const purgeKeys = calling(DELEGATION_PURGE);
const removeDelegation = calling(DELEGATION_REMOVE);
const deleteCollection = calling(DELETE);
const init = calling(INIT);
const list = calling(LIST);
const lookup = calling(LOOKUP);
const publish = calling(PUBLISH);
const remove = calling(REMOVE);
const verify = calling(VERIFY);
const witness = calling(WITNESS);

const ID = 'ab'.repeat(32);
const UNREACHABLE = fails('the trust server cannot be reached', 'Check the address and the network, then try again.');

interface Line {
  readonly name: string;
  readonly command: TrustCommand;
  /** What follows the repository. */
  readonly rest: readonly string[];
  readonly flags?: readonly string[];
  readonly kind: 'reads' | 'changes' | 'other';
}

const LINES: readonly Line[] = [
  { name: 'list', command: list, rest: [], kind: 'reads' },
  { name: 'lookup', command: lookup, rest: ['v1'], kind: 'reads' },
  { name: 'verify', command: verify, rest: ['v1'], kind: 'reads' },
  { name: 'delegation list', command: listDelegations, rest: [], kind: 'reads' },
  { name: 'add', command: add, rest: ['v2'], flags: ['--size', '1', '--sha256', ID], kind: 'changes' },
  { name: 'remove', command: remove, rest: ['v1'], kind: 'changes' },
  { name: 'witness', command: witness, rest: ['targets'], kind: 'changes' },
  { name: 'delegation add', command: addDelegation, rest: ['targets/alice'], flags: ['--paths', 'v'], kind: 'changes' },
  { name: 'delegation remove', command: removeDelegation, rest: ['targets/alice'], flags: ['-y'], kind: 'changes' },
  { name: 'delegation purge', command: purgeKeys, rest: [], flags: ['--key', ID], kind: 'changes' },
  { name: 'init', command: init, rest: [], kind: 'other' },
  { name: 'publish', command: publish, rest: [], kind: 'other' },
  { name: 'delete', command: deleteCollection, rest: [], flags: ['--remote', '--yes'], kind: 'other' },
];
const linesThat = (kind: Line['kind']) => LINES.filter((line) => line.kind === kind);
const wordsOf = ({ flags = [], rest }: Line, name = NAME) => [...flags, name, ...rest];

describe.each(LINES.map((line) => [line.name, line] as const))('%s', (_, line) => {
  test.each([
    [`${NAME}:v1`, `${NAME}:v1 names an image; give its repository alone`],
    [`${NAME}@sha256:${ID}`, `${NAME}@sha256:${ID} names an image; give its repository alone`],
    ['acme/App', 'invalid reference format: repository name (acme/App) must be lowercase'],
    ['', 'invalid reference format'],
  ])('of %p', async (name, message) => {
    expect(await told(await loaded(), line.command, wordsOf(line, name))).toEqual(fails(message));
  });

  test('of a GUN that is none, in a notary client’s folder', async () => {
    const words = ['--trust-dir', '/elsewhere', ...wordsOf(line, '../x')];
    expect(await told(await loaded(), line.command, words)).toEqual(fails('invalid repository name "../x"'));
  });

  test('with a flag that it does not have', async () => {
    const { exit, stderr } = await told(await loaded(), line.command, ['--bogus']);
    expect([exit, stderr]).toEqual([
      125,
      expect.stringMatching(
        new RegExp(
          `^unknown flag: --bogus\n\nUsage:  signet trust ${line.name} .*\n\nRun 'signet trust ${line.name} --help' for more information\n$`,
        ),
      ),
    ]);
  });

  test('without a repository', async () => {
    const { exit, stderr } = await told(await loaded(), line.command, []);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^signet: 'signet trust ${line.name}' requires `)),
    ]);
  });
});

describe('of a repository that no one has founded', () => {
  test.each(linesThat('reads').map((line) => [line.name, line] as const))('%s', async (_, line) => {
    expect(await told(await uninitialised(), line.command, wordsOf(line))).toEqual(
      fails(`trust.example.com does not have trust data for ${NAME}`, `Found it: signet trust init ${NAME}`),
    );
  });

  test.each(
    [...linesThat('changes'), ...LINES.filter(({ name }) => name === 'publish')].map(
      (line) => [line.name, line] as const,
    ),
  )('%s', async (_, line) => {
    expect(await told(await uninitialised(), line.command, wordsOf(line))).toEqual(
      fails(`${NAME} has no trust data yet`, `Found it: signet trust init ${NAME}`),
    );
  });
});

describe('of a repository that is only prepared here', () => {
  test.each([...linesThat('reads'), ...linesThat('changes')].map((line) => [line.name, line] as const))(
    '%s',
    async (_, line) => {
      const session = await uninitialised();
      await init(session, ['--stage', NAME]);
      expect(await told(session, line.command, wordsOf(line))).toEqual(
        fails(`${NAME} is prepared here, and not published yet`, `Publish it: signet trust publish ${NAME}`),
      );
    },
  );
});

describe('without a network', () => {
  test.each([...linesThat('changes'), ...linesThat('other')].map((line) => [line.name, line] as const))(
    '%s',
    async (_, line) => {
      expect(await told(await offline(), line.command, wordsOf(line))).toEqual(UNREACHABLE);
    },
  );

  test.each(linesThat('reads').map((line) => [line.name, line] as const))(
    '%s, with nothing cached',
    async (_, line) => {
      const session = visitorOf(await offline());
      expect(await told(session, line.command, wordsOf(line))).toEqual(UNREACHABLE);
    },
  );
});

describe('without the keys for it', () => {
  test.each(
    linesThat('changes')
      .filter(({ name }) => !['remove', 'delegation purge'].includes(name))
      .map((line) => [line.name, line] as const),
  )('%s', async (_, line) => {
    const owner = await loaded();
    const before = owner.simulator.state;
    const { exit, stderr, next } = await told(visitorOf(owner), line.command, wordsOf(line));
    expect([exit, stderr, next]).toEqual([
      1,
      expect.stringMatching(/^signing keys not available: need 1 keys from 1 possible keys \([0-9a-f]{64}\)\n$/),
      'Load the key of an authorised signer: signet trust key load FILE',
    ]);
    expect(owner.simulator.state).toBe(before);
  });
});
