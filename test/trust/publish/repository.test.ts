import { beforeEach, describe, expect, test } from 'bun:test';
import { SignetError } from '../../../src/core/errors/index.ts';
import { sealKey } from '../../../src/core/keys/key-file.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { readTargets } from '../../../src/core/metadata/targets.ts';
import { RELEASES, signerRole } from '../../../src/core/names/role.ts';
import { DAY } from '../../../src/core/time.ts';
import { Repository } from '../../../src/trust/publish/repository.ts';
import type { WhileSending } from '../../../src/trust/publish/repository-source.ts';
import { failure } from '../../support/failure.ts';
import { payloadOf } from '../../support/forgery.ts';
import { digestOfTarget, GUN, missing, NOW, Simulator, target } from '../../support/simulator.ts';
import { Visitor } from '../../support/visitor.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start();
});

/** A person who holds the owner's key for `targets`. */
async function signer(): Promise<Visitor> {
  const visitor = new Visitor(simulator);
  for (const { private: key } of simulator.signersOf('targets')) {
    await visitor.keyStore.add(key.id, sealKey(key, { role: 'targets', gun: GUN, passphrase: Buffer.of() }));
  }
  return visitor;
}

const tags = () => [...readTargets('targets', payloadOf(simulator.file('targets'))).targets.keys()].sort();

describe('a repository as it stands', () => {
  test('is what the server has now', async () => {
    const visitor = new Visitor(simulator);
    expect((await visitor.repository().current())?.set.targets.size).toBe(1);
    const { gun, host } = visitor.repository();
    expect([gun, host]).toEqual([GUN, 'trust.example.com']);
  });

  test('is none where the server has none', async () => {
    await simulator.remove();
    const repository = new Visitor(simulator).repository();
    expect(await repository.current()).toBeUndefined();
    await failure(repository.read(), 'trust-data-missing');
    await failure(
      repository.publish(() => {}),
      'trust-data-missing',
    );
  });

  test('that was known here and is gone is not taken for a new one', async () => {
    const visitor = new Visitor(simulator);
    await visitor.update();
    await simulator.remove();
    const error = await failure(visitor.repository().current(), 'trust-data-lost');
    expect(error.next).toContain(`signet trust delete ${GUN}`);
    await failure(
      visitor.repository().publish(() => {}),
      'trust-data-lost',
    );
    // Reading goes on until the timestamp expires (protocol G-4).
    await visitor.repository().read();
  });

  for (const name of ['timestamp', 'snapshot', 'targets'] as const) {
    test(`that misses its ${name} is damaged, not new (protocol G-8)`, async () => {
      simulator.lies.set(name, missing(name));
      await failure(new Visitor(simulator).repository().current(), 'trust-data-missing');
    });
  }

  test('that misses a delegation called root is damaged, not new (protocol G-8)', async () => {
    const rooted = signerRole('root');
    await simulator.edit((editor) => {
      editor.addDelegation(rooted, [simulator.owner.make()], ['']);
      editor.addTarget(rooted, 'a', target(1));
    });
    simulator.lies.set(rooted, missing(`${rooted}.0`));
    await failure(new Visitor(simulator).repository().current(), 'trust-data-missing');
  });

  test('cannot be told where the server cannot be reached', async () => {
    simulator.isOffline = true;
    await failure(new Visitor(simulator).repository().current(), 'network-unreachable');
  });
});

describe('initialising (protocol C.12)', () => {
  beforeEach(() => simulator.remove());

  test('makes a root key and a repository key, and pins the root here', async () => {
    const visitor = new Visitor(simulator);
    await visitor.repository().initialize((editor) => editor.addTarget('targets', 'v1', target(2)));
    expect((await visitor.keyStore.list()).map(({ role, gun }) => [role, gun]).sort()).toEqual([
      ['root', undefined],
      ['targets', GUN],
    ]);
    expect(await visitor.resolve('v1')).toBe(digestOfTarget(2));
    expect(await visitor.cache.read(GUN, 'root')).toEqual(simulator.file('root'));
    const root = readRoot(payloadOf(simulator.file('root')));
    expect(root.roles.get('snapshot')?.keyIds).toEqual([(await simulator.publicKey(GUN, 'snapshot')).id]);
  });

  test('uses the keys that are here', async () => {
    const visitor = new Visitor(simulator);
    const [root, targets] = [await visitor.keys.create('root'), await visitor.keys.create('targets', GUN)];
    await visitor.repository().initialize(() => {});
    expect(await visitor.keyStore.list()).toHaveLength(2);
    const payload = readRoot(payloadOf(simulator.file('root')));
    expect(payload.roles.get('targets')?.keyIds).toEqual([targets.id]);
    expect([...payload.keys.values()].some(({ type }) => type === 'ecdsa-x509')).toBe(true);
    expect(root.id).not.toBe(payload.roles.get('root')?.keyIds[0] as never);
  });

  test('of a repository that someone else has just made changes nothing', async () => {
    const [one, other] = [new Visitor(simulator), new Visitor(simulator)];
    await one.repository().initialize(() => {});
    const state = simulator.state;
    await failure(
      other.repository().initialize(() => {}),
      'trust-data-exists',
    );
    expect(await other.keyStore.list()).toEqual([]);
    expect(simulator.state).toBe(state);
    expect(await other.cache.contents(GUN)).toEqual(new Map());
  });

  test('that fails or is cancelled before it is published leaves no key behind, and says so', async () => {
    const visitor = new Visitor(simulator);
    const former = await visitor.keys.create('root');
    const cancel = async () => {
      await visitor.keys.create('admin');
      throw new SignetError('cancelled', 'cancelled');
    };
    await failure(visitor.repository().initialize(cancel), 'cancelled');
    expect((await visitor.keyStore.list()).map(({ id }) => id)).toEqual([former.id]);
    expect(visitor.warnings).toEqual([`${GUN} is not founded, and the keys that were made for it are removed again`]);
  });

  test('sends nothing but where the process cannot be ended', async () => {
    const visitor = new Visitor(simulator);
    const seen: unknown[] = [];
    const publish = simulator.publish.bind(simulator);
    simulator.publish = async (gun, files) => {
      seen.push('sent');
      await publish(gun, files);
    };
    const { source, keys } = visitor.repository();
    const whileSending: WhileSending = async (gun, sending) => {
      seen.push(gun);
      await sending();
      seen.push('answered');
    };
    const repository = new Repository({ ...source, whileSending }, keys);
    await repository.initialize(() => {});
    await repository.publish((editor) => editor.addTarget('targets', 'v1', target(2)));
    expect(seen).toEqual([GUN, 'sent', 'answered', GUN, 'sent', 'answered']);
  });

  test('that the server may have taken leaves its keys', async () => {
    const visitor = new Visitor(simulator);
    simulator.publish = async () => {
      throw new SignetError('network-timeout', 'no answer');
    };
    await failure(
      visitor.repository().initialize(() => {}),
      'network-timeout',
    );
    expect([(await visitor.keyStore.list()).length, visitor.warnings]).toEqual([2, []]);
  });

  test('makes no keys where the server cannot be reached', async () => {
    simulator.isOffline = true;
    const visitor = new Visitor(simulator);
    await failure(
      visitor.repository().initialize(() => {}),
      'network-unreachable',
    );
    expect(await visitor.keyStore.list()).toEqual([]);
  });
});

describe('publishing', () => {
  test('changes what is there', async () => {
    const visitor = await signer();
    await visitor.repository().publish((editor) => editor.addTarget('targets', 'v2', target(2)));
    expect(tags()).toEqual(['latest', 'v2']);
    expect(await visitor.resolve('v2')).toBe(digestOfTarget(2));
  });

  test('of nothing asks the server for nothing more', async () => {
    const visitor = await signer();
    await visitor.repository().publish((editor) => editor.addTarget('targets', 'latest', target(1)));
    expect(simulator.requests.some((name) => name.startsWith('publish'))).toBe(false);
  });

  test('never starts from what is only in the cache', async () => {
    const visitor = await signer();
    await visitor.update();
    simulator.lies.set('timestamp', missing('timestamp'));
    await failure(
      visitor.repository().publish((editor) => editor.witness('targets')),
      'trust-data-missing',
    );
    simulator.lies.clear();
    simulator.isOffline = true;
    await failure(
      visitor.repository().publish((editor) => editor.witness('targets')),
      'network-unreachable',
    );
  });

  test('needs the keys, and says which', async () => {
    const error = await failure(
      new Visitor(simulator).repository().publish((editor) => editor.witness('targets')),
      'signing-key-missing',
    );
    expect(error.detail.missing).toEqual(simulator.signersOf('targets').map(({ private: key }) => key.id));
  });

  test('what the server refuses is told, and not tried again', async () => {
    const visitor = await signer();
    simulator.beforePublish = async () => {
      simulator.now = NOW + 4000 * DAY;
    };
    const error = await failure(
      visitor.repository().publish((editor) => editor.witness('targets')),
      'publish-rejected',
    );
    expect(error.detail.name).toBe('ErrBadTargets');
    expect(simulator.requests.filter((name) => name.startsWith('publish'))).toHaveLength(1);
  });
});

describe('a race', () => {
  test('that is lost is run again on top of the winner', async () => {
    const visitor = await signer();
    const seen: string[][] = [];
    simulator.beforePublish = async () => {
      simulator.beforePublish = async () => {};
      await simulator.edit((editor) => editor.addTarget('targets', 'winner', target(3)));
    };
    await visitor.repository().publish((editor, { set }) => {
      seen.push([...(set.targets.get('targets')?.payload.targets.keys() ?? [])]);
      editor.addTarget('targets', 'loser', target(2));
    });
    expect(seen).toEqual([['latest'], ['latest', 'winner']]);
    expect(tags()).toEqual(['latest', 'loser', 'winner']);
  });

  test('of twelve loses no update', async () => {
    const racers = await Promise.all(Array.from({ length: 12 }, signer));
    await Promise.all(
      racers.map((racer, at) =>
        racer.repository().publish((editor) => editor.addTarget('targets', `tag-${at}`, target(at + 10))),
      ),
    );
    expect(tags().toSorted()).toEqual(['latest', ...racers.map((_, at) => `tag-${at}`)].toSorted());
    for (const at of racers.keys()) {
      expect(await new Visitor(simulator).resolve(`tag-${at}`)).toBe(digestOfTarget(at + 10));
    }
    expect(readTargets('targets', payloadOf(simulator.file('targets'))).version).toBe(13);
  });

  test('between signers of different roles loses no update', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const people = names.map((name) => ({ visitor: new Visitor(simulator), role: signerRole(name) }));
    const keys = await Promise.all(people.map(({ visitor }, at) => visitor.keys.create(names[at] ?? '')));
    await simulator.edit((editor) => {
      for (const [at, { role }] of people.entries()) {
        const key = keys[at]?.publicKey;
        if (key !== undefined) editor.addDelegation(role, [key], ['']);
      }
    });
    await Promise.all(
      people.map(({ visitor, role }) =>
        visitor.repository().publish((editor) => editor.addTarget(role, 'v', target(7))),
      ),
    );
    const { set } = await new Visitor(simulator).update();
    expect(people.every(({ role }) => set.targets.get(role)?.payload.targets.has('v'))).toBe(true);
  });

  test('with a snapshot key of their own loses no update either', async () => {
    simulator = await Simulator.start({ snapshotKeyBy: 'owner' });
    const racers = await Promise.all(
      [1, 2, 3].map(async () => {
        const visitor = await signer();
        for (const { private: key } of simulator.signersOf('snapshot')) {
          await visitor.keyStore.add(key.id, sealKey(key, { role: 'snapshot', gun: GUN, passphrase: Buffer.of() }));
        }
        return visitor;
      }),
    );
    await Promise.all(
      racers.map((racer, at) =>
        racer.repository().publish((editor) => editor.addTarget('targets', `t${at}`, target(at))),
      ),
    );
    expect(tags()).toEqual(['latest', 't0', 't1', 't2']);
  });

  test('that is lost again and again is given up, and says so', async () => {
    const visitor = await signer();
    let count = 0;
    simulator.beforePublish = async () => {
      const again = simulator.beforePublish;
      simulator.beforePublish = async () => {};
      await simulator.edit((editor) => editor.addTarget('targets', `other-${count++}`, target(3)));
      simulator.beforePublish = again;
    };
    const error = await failure(
      visitor.repository().publish((editor) => editor.addTarget('targets', 'loser', target(2))),
      'publish-conflict',
    );
    expect(error.message).toStartWith('others have published 40 times in between: ');
    expect(error.next).toBe('Nothing has changed. Run the command again when fewer people publish at the same time.');
    expect([count, tags().includes('loser')]).toEqual([40, false]);
  });

  test('over a key that is taken away meanwhile is lost for good', async () => {
    const visitor = new Visitor(simulator);
    const key = await visitor.keys.create('alice');
    await simulator.edit((editor) => editor.addDelegation(RELEASES, [key.publicKey], ['']));
    simulator.beforePublish = async () => {
      simulator.beforePublish = async () => {};
      await simulator.edit((editor) => editor.removeDelegationKeys(RELEASES, [key.id]));
    };
    const error = await failure(
      visitor.repository().publish((editor) => editor.addTarget(RELEASES, 'v1', target(2))),
      'publish-rejected',
    );
    expect(error.detail.name).toBe('ErrBadTargets');
  });
});
