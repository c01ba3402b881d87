import { beforeEach, describe, expect, test } from 'bun:test';
import type { Chain, KnownFiles } from '../../src/core/chain.ts';
import { isSignetError } from '../../src/core/errors/index.ts';
import { digestHex, digestOf } from '../../src/core/names/digest.ts';
import { parseDelegation, RELEASES, type RoleName } from '../../src/core/names/role.ts';
import { DAY } from '../../src/core/time.ts';
import { speakChain } from '../support/chain-speaker.ts';
import { put, type Signer, tree } from '../support/forgery.ts';
import {
  digestOfTarget,
  expiring,
  missing,
  NOW,
  Simulator,
  type State,
  target,
  versioned,
} from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';
import { Visitor } from '../support/visitor.ts';

const BOB = parseDelegation('targets/bob');
const EVIL = tree({ hashes: { sha256: Buffer.alloc(32, 66).toString('base64') }, length: 528 });
const sha256 = (bytes: Uint8Array) => digestHex(digestOf(bytes));

let simulator: Simulator;
let visitor: Visitor;
let old: State;
beforeEach(async () => {
  simulator = await Simulator.start();
  speakChain(simulator);
  await simulator.edit((editor) => {
    editor.addDelegation(RELEASES, [simulator.owner.make()], ['']);
    editor.addTarget(RELEASES, 'latest', target(2));
  });
  old = simulator.state;
  await simulator.edit((editor) => {
    editor.addTarget('targets', 'other', target(3));
    editor.addTarget(RELEASES, 'latest', target(4));
  });
  visitor = new Visitor(simulator);
});

async function requestsOf(who: Visitor): Promise<string[]> {
  simulator.requests.length = 0;
  await who.update();
  return simulator.requests.map((name) => name.replace(/\.[0-9a-f]{64}$/, '.<sha>'));
}

describe('one request brings', () => {
  test('a first visitor everything', async () => {
    expect(await requestsOf(visitor)).toEqual(['timestamp']);
    for (const [role, bytes] of simulator.state) expect(await visitor.cache.read(simulator.gun, role)).toEqual(bytes);
    expect(visitor.cache.written.at(-1)).toBe('timestamp');
  });

  test('a visitor who comes again what has changed', async () => {
    await visitor.update();
    expect(await requestsOf(visitor)).toEqual(['timestamp']);
    await simulator.edit((editor) => {
      editor.addDelegation(BOB, [simulator.owner.make()], ['']);
      editor.addTarget(BOB, 'bob', target(5));
    });
    expect(await requestsOf(visitor)).toEqual(['timestamp']);
    expect(await visitor.cache.read(simulator.gun, BOB)).toEqual(simulator.file(BOB));
  });

  test('all roots on the way', async () => {
    await visitor.update();
    for (let turn = 0; turn < 3; turn++) await simulator.rotateRoot();
    expect(await requestsOf(visitor)).toEqual(['timestamp']);
    expect(await visitor.cache.read(simulator.gun, 'root')).toEqual(simulator.file('root'));
    expect(await requestsOf(new Visitor(simulator))).toEqual(['timestamp']);
  });

  test('the same as many requests', async () => {
    for (let turn = 0; turn < 2; turn++) await simulator.rotateRoot();
    await visitor.update();
    simulator.chainFor = undefined;
    const other = new Visitor(simulator);
    await other.update();
    expect(await visitor.cache.contents(simulator.gun)).toEqual(await other.cache.contents(simulator.gun));
  });
});

test('the server learns what is here by checksum, and nothing else', async () => {
  const heard: KnownFiles[] = [];
  simulator.chainFor = (known): Chain | undefined => {
    heard.push(known);
    return undefined;
  };
  await visitor.update();
  await visitor.update();
  const [root, timestamp] = (['root', 'timestamp'] as const).map((role) => sha256(simulator.file(role)));
  expect(heard).toEqual([{}, { root: root ?? '', timestamp: timestamp ?? '' }]);
});

describe('what is not in the chain', () => {
  test.each(['root', 'snapshot', 'targets', 'targets/releases'])('is fetched: %s', async (name) => {
    speakChain(simulator, (files) => files.delete(name));
    expect(await requestsOf(visitor)).toEqual(['timestamp', name === 'root' ? 'root' : `${name}.<sha>`]);
    expect(await visitor.resolve()).toBe(digestOfTarget(4));
  });

  test('is fetched: a root on the way', async () => {
    await visitor.update();
    for (let turn = 0; turn < 3; turn++) await simulator.rotateRoot();
    speakChain(simulator, (files) => files.delete('2.root'));
    expect(await requestsOf(visitor)).toEqual(['timestamp', '2.root']);
  });

  test('is fetched where another file has its place', async () => {
    const swap = (one: string, other: string) => (files: Map<string, Buffer>) => {
      const [first, second] = [files.get(one), files.get(other)];
      if (first !== undefined && second !== undefined) files.set(one, second).set(other, first);
    };
    for (const [one, other] of [
      ['targets', 'targets/releases'],
      ['snapshot', 'targets'],
    ] as const) {
      speakChain(simulator, swap(one, other));
      const guest = new Visitor(simulator);
      expect((await requestsOf(guest)).sort()).toEqual([`${one}.<sha>`, `${other}.<sha>`, 'timestamp'].sort());
      expect(await guest.resolve()).toBe(digestOfTarget(4));
    }
  });

  test('or more than that is there in vain', async () => {
    speakChain(simulator, (files) => files.set('targets/mallory', Buffer.from('x')).set('7.root', Buffer.from('x')));
    expect(await requestsOf(visitor)).toEqual(['timestamp']);
    expect([...(await visitor.cache.contents(simulator.gun)).keys()]).not.toContain('targets/mallory');
  });
});

describe('a lie is the same lie in a chain', () => {
  const thief = new TestKeys();
  const key = thief.make();
  const forger: Signer = { key, private: thief.private(key) };
  const older = (role: RoleName) => old.get(role) ?? Buffer.of();
  const lie = (name: string, bytes: () => Buffer) => () => simulator.lies.set(name, bytes());
  const forge =
    (...forged: Parameters<Simulator['forge']>) =>
    () =>
      simulator.forge(...forged);
  const relist = () => simulator.relist();
  const restamp = () => simulator.restamp();
  const expire = expiring(NOW - DAY);
  const sellEvil = put(['targets', 'latest'], EVIL);
  const leaving = put(['meta', RELEASES], undefined);
  const replaceSnapshotKey = () =>
    simulator.edit((editor) => editor.replaceKeys('snapshot', [simulator.online.make()]));
  const replaceKeys = () => {
    const ids = simulator.signersOf(RELEASES).map(({ key: { id } }) => id);
    return simulator.edit((editor) => {
      editor.addDelegation(RELEASES, [simulator.owner.make()], []);
      editor.removeDelegationKeys(RELEASES, ids);
    });
  };
  const rotate = async () => {
    for (let turn = 0; turn < 3; turn++) await simulator.rotateRoot();
  };

  const lies: [what: string, ...steps: (() => unknown)[]][] = [
    ['nothing but the truth'],
    ['an older collection', () => simulator.serve(old)],
    ['an older timestamp', lie('timestamp', () => older('timestamp'))],
    ['an older snapshot', lie('snapshot', () => older('snapshot'))],
    ['older targets', lie('targets', () => older('targets'))],
    ['older targets, listed', () => simulator.replace('targets', older('targets')), relist],
    ['the timestamp of a stranger', forge('timestamp', [], [forger])],
    ['the snapshot of a stranger', forge('snapshot', [], [forger]), restamp],
    ['the targets of a stranger', forge('targets', sellEvil, [forger]), relist],
    ['the delegation of a stranger', forge(RELEASES, sellEvil, [forger]), relist],
    ['the root of a stranger', forge('root', versioned(2), [forger]), relist],
    ['an expired timestamp', forge('timestamp', expire)],
    ['expired targets', forge('targets', expire), relist],
    ['an expired delegation', forge(RELEASES, expire), relist],
    ['a delegation without signatures', forge(RELEASES, [], []), relist],
    ['a delegation without keys', forge('targets', put(['delegations', 'roles', '0', 'keyids'], [])), relist],
    ['a delegation that leaves the snapshot', () => simulator.relist(leaving)],
    [
      'a delegation that leaves it as its delegator changes',
      forge('targets', versioned(9)),
      () => simulator.relist(leaving),
    ],
    ['a delegation that left with its keys', replaceKeys, () => simulator.relist(leaving)],
    ['a delegation that left, under a new snapshot key', replaceSnapshotKey, () => simulator.relist(leaving)],
    ['a delegation that comes back, older', () => simulator.replace(RELEASES, older(RELEASES)), relist],
    ['no delegation, as the owner wants it', () => simulator.edit((editor) => editor.removeDelegation(RELEASES))],
    ['garbage for a timestamp', lie('timestamp', () => Buffer.from('[]'))],
    ['garbage for a root', lie('root', () => Buffer.from('[]'))],
    ['garbage for a snapshot', lie('snapshot', () => Buffer.from('{}'))],
    ['garbage for a delegation', () => simulator.replace(RELEASES, Buffer.from('{}')), relist],
    ['a file without end', () => simulator.lies.set('targets', 'endless')],
    ['a file that is missing', () => simulator.lies.set('targets', missing('targets'))],
    ['a promise beyond all sense', forge('snapshot', put(['meta', 'targets', 'length'], 2 ** 52)), restamp],
    ['a root that is skipped', rotate, lie('2.root', () => simulator.file('root'))],
    ['a root that is repeated', rotate, lie('3.root', () => simulator.byName('2.root') ?? Buffer.of())],
    ['garbage on the way to the root', rotate, lie('3.root', () => Buffer.from('{}'))],
    ['an old root over new files', rotate, lie('root', () => older('root'))],
    ['a new root over old files', rotate, () => simulator.serve(new Map([...old, ['root', simulator.file('root')]]))],
  ];

  /** What comes of it: a digest or an error's code, the warnings, and the cache to the byte. */
  async function outcomeFor(who: Visitor) {
    const result = await who.resolve().catch((error: unknown) => {
      if (isSignetError(error)) return [error.code, error.message];
      throw error;
    });
    return { result, warnings: who.warnings, cached: await who.cache.contents(simulator.gun) };
  }

  for (const [what, ...steps] of lies) {
    test(what, async () => {
      const visitors = [new Visitor(simulator), new Visitor(simulator)] as const;
      for (const who of visitors) await who.update();
      const before = await visitors[0].cache.contents(simulator.gun);
      for (const step of steps) await step();
      const inOne = [await outcomeFor(visitors[0]), await outcomeFor(new Visitor(simulator))];
      simulator.chainFor = undefined;
      const oneByOne = [await outcomeFor(visitors[1]), await outcomeFor(new Visitor(simulator))];
      expect(inOne).toEqual(oneByOne);
      for (const [index, { result, cached }] of inOne.entries()) {
        expect(result).not.toBe(digestOfTarget(66));
        // The collection around a file that must not be used is what the server has, and is kept.
        if (typeof result !== 'string' && result[0] !== 'role-unusable')
          expect(cached).toEqual(index === 0 ? before : new Map());
      }
    });
  }
});
