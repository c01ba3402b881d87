import { beforeEach, describe, expect, test } from 'bun:test';
import { type ErrorCode, SignetError } from '../../../src/core/errors/index.ts';
import { parseDelegation, RELEASES, type RoleName } from '../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { unwritable } from '../../../src/store/files.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf, put, sealed, tree } from '../../support/forgery.ts';
import { pinnedTo } from '../../support/pins.ts';
import {
  digestOfTarget,
  expiring,
  GUN,
  missing,
  NOW,
  Simulator,
  type State,
  target,
  versioned,
} from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

const ALICE = parseDelegation('targets/alice');
const SUB = parseDelegation('targets/alice/sub');
const OFFLINE =
  'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely';

let simulator: Simulator;
let visitor: Visitor;
beforeEach(async () => {
  simulator = await Simulator.start();
  visitor = new Visitor(simulator);
});

const kindsOf = (requests: readonly string[]) => requests.map((name) => name.replace(/\.[0-9a-f]{64}$/, '.<sha>'));
/** What the visitor asks the server for while it updates. */
async function requestsOf(who = visitor): Promise<string[]> {
  simulator.requests.length = 0;
  await who.update();
  return kindsOf(simulator.requests);
}

async function cached(): Promise<RoleName[]> {
  return [...(await visitor.cache.contents(GUN)).keys()];
}

describe('an update asks for what it needs (protocol C.15)', () => {
  test('the first time for everything', async () => {
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a', target(1));
    });
    expect((await requestsOf()).sort()).toEqual(
      ['root', 'timestamp', 'snapshot.<sha>', 'targets.<sha>', 'targets/alice.<sha>'].sort(),
    );
    expect(await cached()).toEqual(['root', 'snapshot', 'targets', ALICE, 'timestamp']);
    for (const role of ['root', 'snapshot', 'targets', ALICE, 'timestamp'] as const) {
      expect(await visitor.cache.read(GUN, role)).toEqual(simulator.file(role));
    }
  });

  test('then for the timestamp, and for what has changed', async () => {
    await visitor.update();
    expect(await requestsOf()).toEqual(['timestamp']);
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a', target(1));
    });
    expect(await requestsOf()).toEqual(['timestamp', 'snapshot.<sha>', 'targets.<sha>', 'targets/alice.<sha>']);
    await simulator.edit((editor) => editor.addTarget(ALICE, 'b', target(1)));
    expect(await requestsOf()).toEqual(['timestamp', 'snapshot.<sha>', 'targets/alice.<sha>']);
  });

  test('and writes nothing where nothing has changed', async () => {
    await visitor.update();
    visitor.cache.written.length = 0;
    await visitor.update();
    expect(visitor.cache.written).toEqual([]);
  });

  test('and writes the timestamp last', async () => {
    await visitor.update();
    expect(visitor.cache.written.at(-1)).toBe('timestamp');
    await simulator.edit((editor) => editor.witness('targets'));
    visitor.cache.written.length = 0;
    await visitor.update();
    expect(visitor.cache.written).toEqual(['snapshot', 'targets', 'timestamp']);
  });

  test('a damaged file in the cache is fetched again', async () => {
    await visitor.update();
    for (const role of ['snapshot', 'targets'] as const) {
      await visitor.cache.write(GUN, role, Buffer.from('damaged'));
      expect(await visitor.resolve()).toBe(digestOfTarget(1));
      expect(await visitor.cache.read(GUN, role)).toEqual(simulator.file(role));
    }
    await visitor.cache.write(GUN, 'timestamp', Buffer.from('damaged'));
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
  });

  test('a damaged root in the cache is not replaced: it is the memory of whom to trust', async () => {
    await visitor.update();
    await visitor.cache.write(GUN, 'root', Buffer.from('damaged'));
    await visitor.isRefused('json-malformed');
  });
});

describe('a chain of roots (protocol A.13.3)', () => {
  beforeEach(async () => {
    await visitor.update();
  });

  test('is walked over three versions', async () => {
    for (let turn = 0; turn < 3; turn++) await simulator.rotateRoot();
    const requests = await requestsOf();
    expect(requests.filter((name) => name.includes('root'))).toEqual(['root', '2.root', '3.root']);
    expect(await visitor.cache.read(GUN, 'root')).toEqual(simulator.file('root'));
    expect(await requestsOf()).toEqual(['timestamp']);
  });

  test('is walked over rotations of every role', async () => {
    await simulator.edit((editor) => editor.replaceKeys('targets', [simulator.owner.make()]));
    await simulator.edit((editor) => editor.replaceKeys('timestamp', [simulator.online.make()]));
    await simulator.edit((editor) => editor.replaceKeys('snapshot', [simulator.online.make()]));
    await simulator.rotateRoot();
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
  });

  const faults: [what: string, fault: () => void, code: ErrorCode][] = [
    ['misses a root', () => simulator.lies.set('2.root', missing('2.root')), 'trust-data-missing'],
    ['jumps', () => simulator.lies.set('2.root', simulator.file('root')), 'version-jump'],
    ['repeats a root', () => simulator.lies.set('3.root', stored('2.root')), 'version-rollback'],
    [
      'has a root that only its own keys signed',
      () => {
        const payload = payloadOf(stored('2.root'));
        const [, second] = rootKeys;
        simulator.lies.set('2.root', sealed(payload, second === undefined ? [] : [second]));
      },
      'root-rotation-invalid',
    ],
    [
      'has a root that only the old keys signed',
      () => {
        const payload = payloadOf(stored('2.root'));
        const [first] = rootKeys;
        simulator.lies.set('2.root', sealed(payload, first === undefined ? [] : [first]));
      },
      'root-untrusted',
    ],
    ['has garbage in it', () => simulator.lies.set('3.root', Buffer.from('{}')), 'json-unexpected'],
    ['ends in garbage', () => simulator.lies.set('root', Buffer.from('[]')), 'json-unexpected'],
    ['has no end', () => simulator.lies.set('3.root', 'endless'), 'response-too-large'],
    ['breaks off', () => simulator.lies.set('3.root', new SignetError('network-timeout', 'x')), 'network-timeout'],
  ];
  let rootKeys: ReturnType<Simulator['signersOf']>[number][] = [];
  let stored: (name: string) => Buffer = () => Buffer.of();
  for (const [what, fault, code] of faults) {
    test(`that ${what} is not walked`, async () => {
      const files = new Map<string, Buffer>();
      rootKeys = [...simulator.signersOf('root')];
      for (let version = 2; version <= 4; version++) {
        await simulator.rotateRoot();
        rootKeys.push(...simulator.signersOf('root'));
        files.set(`${version}.root`, simulator.file('root'));
      }
      stored = (name) => files.get(name) ?? Buffer.of();
      fault();
      await visitor.isRefused(code);
      simulator.lies.clear();
      expect(await visitor.resolve()).toBe(digestOfTarget(1));
    });
  }

  test('may lead over expired roots and certificates, but not end at them', async () => {
    const short = simulator.owner.makeRoot(GUN, NOW - 3649 * DAY);
    await simulator.edit((editor) => editor.replaceKeys('root', [short]));
    simulator.now = NOW + 2 * DAY;
    await visitor.isRefused('root-untrusted');
    simulator.now = NOW;
    await simulator.rotateRoot();
    simulator.now = NOW + 2 * DAY;
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    expect((await visitor.update()).set.root.root.version).toBe(3);
  });

  test('begins at a cached root whose certificate has expired (protocol G-1)', async () => {
    const own = await Simulator.start();
    const guest = new Visitor(own);
    const short = own.owner.makeRoot(GUN, NOW - 3649 * DAY);
    await own.edit((editor) => editor.replaceKeys('root', [short]));
    expect(await guest.resolve()).toBe(digestOfTarget(1));
    await own.rotateRoot();
    own.now = NOW + 2 * DAY;
    expect(await guest.resolve()).toBe(digestOfTarget(1));
  });

  test('begins at a cached root that has expired, and ends there if there is no newer', async () => {
    simulator.forge('root', expiring(NOW + DAY));
    simulator.relist();
    const guest = new Visitor(simulator);
    await guest.resolve();
    const key = simulator.owner.makeRoot(GUN, NOW);
    const expired = simulator.state;
    await simulator.edit((editor) => editor.replaceKeys('root', [key]));
    const renewed = simulator.state;
    simulator.now = NOW + 2 * DAY;
    simulator.serve(expired);
    await guest.isRefused('metadata-expired');
    simulator.serve(renewed);
    expect(await guest.resolve()).toBe(digestOfTarget(1));
  });

  test('is walked by who comes for the first time in the moment of a rotation', async () => {
    const before = simulator.file('root');
    await simulator.rotateRoot();
    const guest = new Visitor(simulator);
    simulator.lies.set('root', before);
    const read = simulator.read.bind(simulator);
    simulator.read = async (gun, file, limit) => {
      const bytes = await read(gun, file, limit);
      if (file.role === 'root') simulator.lies.delete('root');
      return bytes;
    };
    expect(await guest.resolve()).toBe(digestOfTarget(1));
    expect(await guest.cache.read(GUN, 'root')).toEqual(simulator.file('root'));
  });

  test('obeys pins that were set after the first visit', async () => {
    const [first] = simulator.signersOf('root');
    const second = await simulator.rotateRoot();
    visitor.pinning = pinnedTo(GUN, first?.key.id ?? second.id);
    await visitor.isRefused('root-pin-mismatch');
    visitor.pinning = pinnedTo(GUN, second.id);
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    visitor.pinning = pinnedTo(GUN, first?.key.id ?? second.id);
    await visitor.isRefused('root-pin-mismatch');
  });

  test('leaves nothing in the cache that only an old root vouched for', async () => {
    const old = simulator.state;
    for (const role of ['timestamp', 'snapshot'] as const) {
      await simulator.edit((editor) => editor.replaceKeys(role, [simulator.online.make()]));
    }
    const honest = simulator.state;
    // A crash has left new files with the old root.
    for (const role of ['timestamp', 'snapshot'] as const) {
      await visitor.cache.write(GUN, role, simulator.file(role));
    }
    // A thief of the old keys lists expired targets, so that the client looks for a newer root.
    simulator.serve(old);
    simulator.forge('targets', expiring(NOW - DAY));
    simulator.relist(versioned(500));
    simulator.restamp(versioned(500));
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) simulator.lies.set(role, simulator.file(role));
    simulator.serve(honest);
    const read = simulator.read.bind(simulator);
    simulator.read = async (gun, file, limit) => {
      if (file.role === 'root') simulator.lies.clear();
      return read(gun, file, limit);
    };
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      expect(await visitor.cache.read(GUN, role)).toEqual(simulator.file(role));
    }
  });
});

describe('without a server (protocol C.8)', () => {
  test('reading goes on with a warning until the timestamp expires', async () => {
    await visitor.update();
    simulator.isOffline = true;
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    expect(visitor.warnings).toEqual([OFFLINE, 'the trust server cannot be reached']);
    simulator.now = NOW + 14 * DAY;
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    simulator.now += 1;
    await visitor.isRefused('network-unreachable');
  });

  test('reading needs all files', async () => {
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a', target(1));
    });
    await visitor.update();
    simulator.isOffline = true;
    for (const role of ['timestamp', 'snapshot', 'targets', ALICE] as const) {
      const bytes = (await visitor.cache.read(GUN, role)) ?? Buffer.of();
      await visitor.cache.remove(GUN, role);
      await visitor.isRefused('network-unreachable');
      await visitor.cache.write(GUN, role, bytes);
    }
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
  });

  test('that has lost the data: reading goes on too, and tells that it is lost', async () => {
    await visitor.update();
    await simulator.remove();
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    expect(visitor.warnings).toEqual([
      OFFLINE,
      `WARNING: trust.example.com has no trust data for ${GUN} any more: it was deleted, or lost. What was seen before counts until it expires; ask the owner of ${GUN}, or the operator of trust.example.com.`,
    ]);
  });

  test('no one begins', async () => {
    simulator.isOffline = true;
    await visitor.isRefused('network-unreachable');
  });

  for (const lie of [
    missing('timestamp'),
    new SignetError('server-error', '503'),
    new SignetError('network-timeout', 'x'),
  ]) {
    test(`no one publishes, whatever is in the cache: ${lie.code}`, async () => {
      await visitor.update();
      simulator.lies.set('timestamp', lie);
      await expect(visitor.update('publish')).rejects.toMatchObject({ code: lie.code });
      await visitor.update('read');
    });
  }

  test('what the server says wrongly is no lack of a server', async () => {
    await visitor.update();
    for (const lie of [
      new SignetError('response-too-large', 'x'),
      new SignetError('response-invalid', 'x'),
      new SignetError('tls-untrusted', 'x'),
      new SignetError('unauthorized', 'x'),
    ]) {
      simulator.lies.set('timestamp', lie);
      await visitor.isRefused(lie.code);
    }
  });
});

describe('a delegation', () => {
  let state: State;
  beforeEach(async () => {
    await simulator.edit((editor) => {
      editor.addDelegation(ALICE, [simulator.owner.make()], ['']);
      editor.addTarget(ALICE, 'a', target(2));
      editor.addDelegation(SUB, [simulator.owner.make()], ['']);
      editor.addTarget(SUB, 's', target(3));
    });
    state = simulator.state;
  });

  const unusable: [what: string, forge: () => void, why: 'expired' | 'unsigned', warning: string][] = [
    [
      'that has expired',
      () => simulator.forge(ALICE, expiring(NOW - DAY)),
      'expired',
      'Error getting targets/alice: targets/alice expired at Sun Nov 22 12:00:00 UTC 2026',
    ],
    [
      'that others signed',
      () => simulator.forge(ALICE, [], simulator.signersOf('root')),
      'unsigned',
      'Error getting targets/alice: valid signatures did not meet threshold for targets/alice',
    ],
    [
      'that nobody signed',
      () => simulator.forge(ALICE, [], []),
      'unsigned',
      'Error getting targets/alice: tuf: data has no signatures',
    ],
  ];
  for (const [what, forge, why, warning] of unusable) {
    test(`${what} is passed over with a warning, and all below it`, async () => {
      forge();
      simulator.relist();
      const { set, unusable: passed } = await visitor.update();
      expect([...set.targets.keys()]).toEqual(['targets']);
      expect([...passed].map(([role, file]) => [role, file.why])).toEqual([[ALICE, why]]);
      expect(visitor.warnings).toEqual([warning]);
      expect(await cached()).toEqual(['root', 'snapshot', 'targets', 'timestamp']);
      expect(await visitor.resolve()).toBe(digestOfTarget(1));
      await visitor.isRefused('target-not-found', 'a');
      simulator.serve(state);
    });
  }

  const fatal: [what: string, forge: () => void, code: ErrorCode][] = [
    ['of another type', () => simulator.forge(ALICE, put(['_type'], 'Snapshot')), 'metadata-type-wrong'],
    ['that cannot be read', () => simulator.replace(ALICE, Buffer.from('{}')), 'json-unexpected'],
    ['of version 0', () => simulator.forge(ALICE, versioned(0)), 'metadata-malformed'],
  ];
  for (const [what, forge, code] of fatal) {
    test(`${what} refuses the whole update (protocol G-5)`, async () => {
      await visitor.update();
      forge();
      simulator.relist();
      await visitor.isRefused(code);
    });
  }

  test('that is listed, but not there, refuses the whole update', async () => {
    simulator.lies.set(ALICE, missing('targets/alice'));
    await visitor.isRefused('trust-data-missing');
  });

  test('that was never published is no loss', async () => {
    await simulator.edit((editor) => editor.addDelegation(RELEASES, [simulator.owner.make()], ['']));
    const { set, unusable: passed } = await visitor.update();
    expect(set.targets.has(RELEASES)).toBe(false);
    expect([passed.size, visitor.warnings]).toEqual([0, []]);
  });

  test('that is no longer delegated to is fetched for nothing, and its lack is none (protocol G-16)', async () => {
    await simulator.edit((editor) => editor.removeDelegation(ALICE));
    for (const lie of [undefined, missing('x'), Buffer.from('garbage'), 'endless'] as const) {
      for (const role of [ALICE, SUB]) if (lie !== undefined) simulator.lies.set(role, lie);
      const guest = new Visitor(simulator);
      expect((await guest.update()).set.targets.size).toBe(1);
      expect([...(await guest.cache.contents(GUN)).keys()]).toEqual(['root', 'snapshot', 'targets', 'timestamp']);
    }
  });

  test('whose name is none is not asked for', async () => {
    const meta = (name: string) =>
      put(['meta', name], tree({ hashes: { sha256: Buffer.alloc(32).toString('base64') }, length: 1 }));
    simulator.forge('snapshot', ['targets/../x', '/etc/passwd', 'targets/A', 'x', ''].map(meta));
    simulator.restamp();
    expect(await requestsOf(new Visitor(simulator))).toEqual([
      ...['timestamp', 'root', 'snapshot.<sha>', 'targets.<sha>', 'targets/alice.<sha>', 'targets/alice/sub.<sha>'],
    ]);
  });
});

describe('a cache that cannot be written', () => {
  const brokenBy = (code: string) => {
    visitor.cache.write = async () => {
      throw unwritable('cannot write root.json', Object.assign(new Error(), { code }));
    };
  };

  test.each(['EACCES', 'EDQUOT', 'ENOSPC', 'EPERM', 'EROFS'])('(%s) is a warning to who reads', async (code) => {
    brokenBy(code);
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    expect(visitor.warnings).toEqual([
      expect.stringMatching(new RegExp(`^WARNING: cannot write root\\.json: .*${code}.* it is not remembered: `)),
    ]);
  });

  test('stops who publishes', async () => {
    brokenBy('EROFS');
    await failure(visitor.update('publish'), 'file-unwritable');
    expect(visitor.warnings).toEqual([]);
  });

  test('for another reason stops everyone', async () => {
    brokenBy('EIO');
    await visitor.isRefused('file-unwritable');
  });

  test('still remembers what it has: an older timestamp is refused', async () => {
    const old = simulator.file('timestamp');
    await simulator.edit((editor) => editor.addTarget('targets', 'b', target(1)));
    await visitor.update();
    brokenBy('EROFS');
    simulator.lies.set('timestamp', old);
    await visitor.isRefused('version-rollback');
  });
});

describe('targets', () => {
  test('that have expired are refused', async () => {
    await visitor.update();
    simulator.forge('targets', expiring(NOW - DAY));
    simulator.relist();
    await visitor.isRefused('metadata-expired');
    await new Visitor(simulator).isRefused('metadata-expired');
  });

  test('live three years', async () => {
    simulator.now = NOW + 3 * YEAR;
    await simulator.refresh();
    expect(await visitor.resolve()).toBe(digestOfTarget(1));
    simulator.now += 1;
    await simulator.refresh();
    await visitor.isRefused('metadata-expired');
  });
});

test('a repository that does not exist is named, with the server that lacks it', async () => {
  await simulator.remove();
  const error = await visitor.isRefused('trust-data-missing');
  expect(error.message).toBe(`trust.example.com does not have trust data for ${GUN}`);
  expect(error.detail.resource).toBe('root');
});
