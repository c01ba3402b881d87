import { beforeEach, describe, expect, test } from 'bun:test';
import { Editor } from '../../../src/core/edit/editor.ts';
import { formatProposal, parseProposal } from '../../../src/core/edit/proposal.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import { canonicalKeyId } from '../../../src/core/keys/public-key.ts';
import { parseEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { parseDelegation } from '../../../src/core/names/role.ts';
import { YEAR } from '../../../src/core/time.ts';
import { canonicalKeyIds } from '../../../src/core/verify/signers.ts';
import { InTurn } from '../../../src/trust/migrate/in-turn.ts';
import { migrate, type Outcome, plan } from '../../../src/trust/migrate/migrate.ts';
import { endsAll, runAll } from '../../../src/trust/migrate/run-all.ts';
import { GUN, Owner, TARGET, TestServer, versionOf } from '../../notary/fixture.ts';
import { Mover } from '../../notary/moving.ts';
import { failure } from '../../support/failure.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { MemoryProposals } from '../../support/memory-proposals.ts';
import { contents, dyingAfter, type MovingParts, migration } from './world.ts';

const ALICE = parseDelegation('targets/alice');

let mover: Mover;
let fresh: TestServer;
beforeEach(() => {
  mover = new Mover(GUN);
  fresh = new TestServer();
});

function moving(parts: Partial<MovingParts> = {}) {
  return migration({ old: mover.old, fresh, owner: mover.owner, gun: GUN, ...parts });
}

async function rootThere(server = fresh) {
  return readRoot(parseEnvelope('root', Buffer.from((await server.get('root.json')).text)).signed);
}

describe('a migration', () => {
  test('moves everything under one new root version, and leaves the old server as it was', async () => {
    await mover.publishHistory();
    await mover.owner.edit((editor) => {
      editor.addDelegation(ALICE, [mover.owner.newKey()], ['']);
      editor.addTarget(ALICE, 'v2', TARGET);
    });
    const before = contents(mover.old);
    const timestamp = versionOf((await mover.old.get('timestamp.json')).text);
    expect(await migrate(moving())).toEqual({
      kind: 'moved',
      parts: { root: 3, oldestRoot: 1, targets: 3, delegations: 1, expired: [] },
      timestamp: timestamp + 100,
    });
    expect(contents(mover.old)).toEqual(before);
    const [oldRoot, root] = [await rootThere(mover.old), await rootThere()];
    expect(root.version).toBe(4);
    expect(root.roles.get('root')).toEqual(oldRoot.roles.get('root') as never);
    expect(root.roles.get('targets')).toEqual(oldRoot.roles.get('targets') as never);
    for (const role of ['timestamp', 'snapshot'] as const) {
      const there = await new Owner(fresh).serverKey(role);
      expect(root.roles.get(role)?.keyIds).toEqual([there.id]);
      for (const id of oldRoot.roles.get(role)?.keyIds ?? []) expect(root.keys.has(id)).toBe(false);
    }
  });

  test('takes along roles that no one delegates to any more, so that they go on with their versions', async () => {
    await mover.publishHistory();
    const alice = mover.owner.newKey();
    await mover.owner.edit((editor) => {
      editor.addDelegation(ALICE, [alice], ['']);
      editor.addTarget(ALICE, 'v2', TARGET);
    });
    const file = (await mover.old.get(`${ALICE}.json`)).text;
    await mover.owner.edit((editor) => editor.removeDelegation(ALICE));
    expect((await migrate(moving())).kind).toBe('moved');
    expect((await fresh.get(`1.${ALICE}.json`)).text).toBe(file);
  });

  test('keeps a snapshot key that is here, and signs with it', async () => {
    await mover.publishHistory({ ownSnapshotKey: true });
    const before = await rootThere(mover.old);
    expect((await migrate(moving())).kind).toBe('moved');
    const root = await rootThere();
    expect(root.roles.get('snapshot')).toEqual(before.roles.get('snapshot') as never);
    const [signature] = parseEnvelope('snapshot', Buffer.from((await fresh.get('snapshot.json')).text)).signatures;
    expect(root.roles.get('snapshot')?.keyIds).toEqual([signature?.keyId as never]);
  });

  test('gives a root whose certificate has expired a new one for the same key', async () => {
    await mover.owner.publishFirst();
    const before = await rootThere(mover.old);
    fresh.now += 11 * YEAR;
    mover.old.now = fresh.now;
    const planned = await plan(moving());
    expect(planned).toMatchObject({ kind: 'ready', newCertificates: true });
    expect(await migrate(moving())).toMatchObject({
      kind: 'moved',
      parts: { expired: ['targets'] },
    });
    const root = await rootThere();
    expect(root.roles.get('root')?.keyIds).not.toEqual(before.roles.get('root')?.keyIds);
    expect(parseEnvelope('root', Buffer.from((await fresh.get('root.json')).text)).signatures).toHaveLength(2);
  });

  test('is recognised when it is done again, and changes nothing', async () => {
    await mover.publishHistory();
    const first = await migrate(moving());
    await new Owner(fresh).load();
    const before = contents(fresh);
    expect(await migrate(moving())).toEqual({ ...first, kind: 'present' } as Outcome);
    expect(await plan(moving())).toEqual({ ...first, kind: 'present' } as Outcome);
    expect(contents(fresh)).toEqual(before);
  });

  test('is recognised after the owner has published on the new server', async () => {
    await mover.publishHistory();
    await migrate(moving());
    const editor = Editor.of(await new Owner(fresh).load());
    editor.addTarget('targets', 'after', TARGET);
    await fresh.post(await editor.sign(mover.owner.ring, fresh.now));
    expect((await migrate(moving())).kind).toBe('present');
  });

  test('reads again what changes on the old server before the import', async () => {
    await mover.publishHistory();
    let isPublished = false;
    const beforeNew = async () => {
      if (!isPublished) {
        isPublished = true;
        await mover.owner.addTag('late');
      }
      return undefined;
    };
    expect((await migrate(moving({ beforeNew }))).kind).toBe('moved');
    expect([...((await new Owner(fresh).load()).targets.get('targets')?.payload.targets.keys() ?? [])]).toContain(
      'late',
    );
  });

  test('says so of one that was seen before, too, as long as its server has no root of it', async () => {
    await mover.publishHistory();
    const cache = new MemoryCache();
    const set = await mover.owner.load();
    await cache.write(GUN, 'root', set.root.envelope.bytes);
    expect(await migrate(moving({ cache, old: new TestServer() }))).toEqual({ kind: 'unsigned' });
    const gone = async ({ url }: { url: URL }) => {
      if (!url.pathname.endsWith('/timestamp.json')) return undefined;
      throw new SignetError('trust-data-missing', 'there is no timestamp', { detail: { resource: 'timestamp' } });
    };
    const error = await failure(migrate(moving({ cache, beforeOld: gone })), 'trust-data-missing');
    expect(error.message).toStartWith(`old.example.com has a root of ${GUN} and not all of the rest: `);
  });

  test('says of a repository without trust data that there is nothing to move', async () => {
    expect(await migrate(moving())).toEqual({ kind: 'unsigned' });
    expect(await plan(moving())).toEqual({ kind: 'unsigned' });
  });

  test('of which only the plan is wanted opens no key and changes nothing', async () => {
    await mover.publishHistory();
    const before = [contents(mover.old), contents(fresh), fresh.database.query('SELECT * FROM online_keys').all()];
    const parts = { root: 3, oldestRoot: 1, targets: 2, delegations: 0, expired: [] };
    expect(await plan(moving())).toEqual({ kind: 'ready', parts, newCertificates: false });
    const stranger = new Owner(mover.old);
    const missing = (await rootThere(mover.old)).roles.get('root')?.keyIds.length;
    expect(await plan(moving({ owner: stranger }))).toMatchObject({
      kind: 'waiting',
      needed: missing,
      draft: undefined,
    });
    expect([contents(mover.old), contents(fresh), fresh.database.query('SELECT * FROM online_keys').all()]).toEqual(
      before,
    );
  });
});

describe('a migration changes nothing if', () => {
  test('no root key is here: it says which one is needed', async () => {
    await mover.publishHistory();
    const set = await mover.owner.load();
    const outcome = await migrate(moving({ owner: new Owner(mover.old) }));
    expect(outcome).toMatchObject({ kind: 'waiting', needed: 1, missing: canonicalKeyIds(set.signersOf('root')) });
    expect((await fresh.get('root.json')).status).toBe(404);
  });

  test('the new server is one of Notary, which takes no history', async () => {
    await mover.publishHistory();
    const beforeNew = async ({ url }: { url: URL }) => {
      if (url.pathname.includes('/signet/')) url.pathname = url.pathname.replace('/signet/import', '/tuf/nowhere');
      return undefined;
    };
    const error = await failure(migrate(moving({ beforeNew })), 'import-unsupported');
    expect(error.message).toBe('the trust server new.example.com does not take repositories from other servers');
    expect((await fresh.get('root.json')).status).toBe(404);
  });

  test('another repository of the name is on the new server', async () => {
    await mover.publishHistory();
    await new Owner(fresh).publishFirst();
    const before = contents(fresh);
    const error = await failure(migrate(moving()), 'migration-conflict');
    expect(error.message).toStartWith(
      `new.example.com has trust data of ${GUN} that clients of the old server cannot go on with: `,
    );
    expect(error.next).toContain(`signet trust delete --remote ${GUN}`);
    expect(contents(fresh)).toEqual(before);
  });

  test('the old server has gone on after the migration', async () => {
    await mover.publishHistory();
    await migrate(moving());
    await mover.owner.addTag('only there');
    const error = await failure(migrate(moving()), 'migration-conflict');
    expect(error.detail).toMatchObject({ why: 'version-rollback' });
    expect(error.message).toMatch(
      new RegExp(
        `^the old server is ahead: old.example.com has version \\d+ of \\w+ of ${GUN}, and new.example.com has \\d+$`,
      ),
    );
    expect(error.next).toStartWith('Publish on new.example.com what was published on the old server since the move.');
  });

  test('the new server serves a lower timestamp than clients have seen', async () => {
    await mover.publishHistory();
    await migrate(moving());
    const low = Buffer.from((await fresh.get('timestamp.json')).text);
    for (let count = 0; count < 110; count++) {
      mover.old.now += YEAR / 12;
      await mover.old.get('timestamp.json');
    }
    expect(versionOf((await mover.old.get('timestamp.json')).text)).toBeGreaterThan(versionOf(String(low)));
    fresh.now = mover.old.now;
    const error = await failure(migrate(moving()), 'migration-conflict');
    expect(error.message).toMatch(/^the old server is ahead: .* of timestamp of /);
  });

  test('the old server is older than what this machine has seen', async () => {
    await mover.publishHistory();
    const cache = new MemoryCache();
    const older = (await mover.old.get('timestamp.json')).text;
    await mover.owner.addTag('seen');
    const set = await mover.owner.load();
    await cache.write(GUN, 'root', set.root.envelope.bytes);
    await cache.write(GUN, 'timestamp', set.timestamp.envelope.bytes);
    const beforeOld = async ({ url }: { url: URL }) =>
      url.pathname.endsWith('/timestamp.json') ? Buffer.from(older) : undefined;
    await failure(migrate(moving({ cache, beforeOld })), 'version-rollback');
    expect((await fresh.get('root.json')).status).toBe(404);
  });

  test('the old server lies in any one file', async () => {
    await mover.publishHistory();
    const lie = Buffer.from((await mover.old.get('2.root.json')).text.replace('"version":2', '"version":3'));
    const timestamp = Buffer.from((await mover.old.get('timestamp.json')).text);
    const found = new Map<string, unknown>();
    for (const name of ['root.json', '2.root', 'timestamp.json', 'snapshot.', 'targets.']) {
      const beforeOld = async ({ url }: { url: URL }) => {
        if (url.pathname.includes(`/tuf/${name}`)) return lie;
        // Alone, as Notary's server gives it, so that the other files are asked for.
        return url.pathname.endsWith('/timestamp.json') ? timestamp : undefined;
      };
      found.set(name, await migrate(moving({ beforeOld })).catch((error: SignetError) => error.code));
      expect((await fresh.get('root.json')).status).toBe(name === '2.root' ? 200 : 404);
      fresh = new TestServer();
    }
    expect(Object.fromEntries(found)).toEqual({
      'root.json': 'root-untrusted',
      // An old root that does not lead on is left out, and its loss is told.
      '2.root': expect.objectContaining({ kind: 'moved', parts: expect.objectContaining({ oldestRoot: 3 }) }),
      'timestamp.json': 'metadata-type-wrong',
      'snapshot.': 'length-mismatch',
      'targets.': 'length-mismatch',
    });
  });

  test('either server dies, at whatever request: it is whole or not at all, and can be done again', async () => {
    await mover.publishHistory();
    const before = contents(mover.old);
    for (const side of ['beforeOld', 'beforeNew'] as const) {
      fresh = new TestServer();
      let failures = 0;
      for (let count = 0; ; count++) {
        const connection = dyingAfter(count);
        const outcome = await migrate(moving({ [side]: connection.before })).catch((error) => error.code);
        if (typeof outcome !== 'string') break;
        failures++;
        expect([count, outcome]).toEqual([count, 'network-unreachable']);
        const roots = fresh.database.query("SELECT version FROM tuf_files WHERE role = 'root'").all();
        expect([0, 4]).toContain(roots.length);
      }
      expect(failures).toBeGreaterThan(3);
      expect((await migrate(moving())).kind).toBe('present');
      expect(contents(mover.old)).toEqual(before);
    }
  });
});

describe('a root that two must sign', () => {
  async function twoHolders() {
    const [first, second] = [mover.owner.newRootKey(), mover.owner.newRootKey()];
    await mover.owner.publishFirst();
    await mover.owner.edit((editor) => editor.replaceKeys('root', [first, second], 2));
    const holder = (key: typeof first) => ({
      ring: {
        find: async (id: Parameters<typeof mover.owner.ring.find>[0], role: 'root') =>
          id === canonicalKeyId(key) ? mover.owner.ring.find(id, role) : undefined,
      } as typeof mover.owner.ring,
    });
    return { first: holder(first), second: holder(second), missing: canonicalKeyId(second) };
  }

  test('waits in a draft until the other has signed it, and then moves', async () => {
    const { first, second, missing } = await twoHolders();
    const drafts = new MemoryProposals();
    const waiting = await migrate(moving({ owner: first, drafts }));
    expect(waiting).toMatchObject({ kind: 'waiting', needed: 1, missing: [missing], draft: `drafts/${GUN}` });
    expect((await fresh.get('root.json')).status).toBe(404);
    const draft = await drafts.read(GUN);
    expect(await migrate(moving({ owner: first, drafts }))).toEqual(waiting);
    expect(messageIn(await drafts.read(GUN))).toBe(messageIn(draft));
    expect((await migrate(moving({ owner: second, drafts }))).kind).toBe('moved');
    expect(await drafts.read(GUN)).toBeUndefined();
    expect(parseEnvelope('root', Buffer.from((await fresh.get('root.json')).text)).signatures).toHaveLength(2);
  });

  test('begins anew if the draft is for another state, another server or another repository', async () => {
    const { first, second } = await twoHolders();
    const drafts = new MemoryProposals();
    await migrate(moving({ owner: first, drafts }));
    fresh = new TestServer();
    expect(await migrate(moving({ owner: second, drafts }))).toMatchObject({ kind: 'waiting', needed: 1 });
    expect((await migrate(moving({ owner: first, drafts }))).kind).toBe('moved');
  });

  test('is completed by whoever has the snapshot key, if that stays with one of them', async () => {
    const [first, second] = [mover.owner.newRootKey(), mover.owner.newRootKey()];
    await mover.owner.publishFirst({ ownSnapshotKey: true });
    await mover.owner.edit((editor) => editor.replaceKeys('root', [first, second], 2));
    const [snapshot = ''] = canonicalKeyIds((await mover.owner.load()).signersOf('snapshot'));
    const holder = (...ids: readonly string[]) => ({
      ring: { find: async (id: KeyId) => (ids.includes(id) ? mover.owner.ring.find(id, 'root') : undefined) },
    });
    const one = holder(canonicalKeyId(first), snapshot);
    const two = holder(canonicalKeyId(second));
    const drafts = new MemoryProposals();
    const missing = [canonicalKeyId(second)];
    expect(await migrate(moving({ owner: one, drafts }))).toMatchObject({ kind: 'waiting', missing });
    expect(await migrate(moving({ owner: two, drafts }))).toMatchObject({ kind: 'waiting', missing: [snapshot] });
    expect((await migrate(moving({ owner: one, drafts }))).kind).toBe('moved');
    expect((await rootThere()).roles.get('snapshot')).toEqual(
      (await rootThere(mover.old)).roles.get('snapshot') as never,
    );
  });

  test('is not signed if the draft says anything else than the move', async () => {
    const { first, second } = await twoHolders();
    const drafts = new MemoryProposals();
    const editor = Editor.of(await mover.owner.load());
    for (const role of ['timestamp', 'snapshot'] as const) {
      editor.replaceKeys(role, [await new Owner(fresh).serverKey(role)]);
    }
    editor.replaceKeys('targets', [mover.owner.newKey()]);
    const { files } = await editor.edition(
      { find: async (id, role) => (role === 'root' ? first.ring.find(id, role) : mover.owner.ring.find(id, role)) },
      fresh.now,
    );
    const hostile = formatProposal({ gun: GUN, files: new Map([['root', files.get('root') ?? Buffer.of()]]) });
    await drafts.replace(GUN, undefined, hostile);
    expect(await migrate(moving({ owner: second, drafts }))).toMatchObject({ kind: 'waiting', needed: 1 });
    const root = parseProposal((await drafts.read(GUN)) ?? Buffer.of()).files.get('root');
    const before = await rootThere(mover.old);
    expect(readRoot(parseEnvelope('root', root ?? Buffer.of()).signed).roles.get('targets')).toEqual(
      before.roles.get('targets') as never,
    );
  });
});

/** What the root of a draft says, whoever has signed it. */
function messageIn(draft: Buffer | undefined): string {
  const root = parseProposal(draft ?? Buffer.of()).files.get('root') ?? Buffer.of();
  return parseEnvelope('root', root).message.toString();
}

describe('many migrations', () => {
  const guns = Array.from({ length: 500 }, (_, index) => parseGun(`registry.example.com/team/app${index}`));
  const broken = guns[250] as Gun;

  test('of which one is broken and which are interrupted go on where they stopped', async () => {
    const old = new TestServer();
    const owners = new Map(guns.map((gun) => [gun, new Owner(old, gun)]));
    for (const owner of owners.values()) await owner.publishFirst();
    old.database.run("UPDATE tuf_files SET data = zeroblob(9) WHERE role = 'targets' AND gun = ?", [broken]);
    let [opening, most] = [0, 0];
    const signing = new InTurn();
    const work = (gun: Gun) => {
      const owner = owners.get(gun) as Owner;
      const ring: Owner['ring'] = {
        find: async (id, role) => {
          most = Math.max(most, ++opening);
          await Promise.resolve();
          opening--;
          return owner.ring.find(id, role);
        },
      };
      return migrate(migration({ old, fresh, owner: { ring }, gun, signing }));
    };
    const controller = new AbortController();
    let done = 0;
    const finished = () => {
      done++;
      if (done === 200) controller.abort();
    };
    const first = await runAll({ guns, work, finished, signal: controller.signal });
    const kinds = (outcomes: ReadonlyMap<Gun, Outcome>) => {
      const counts: Record<string, number> = {};
      for (const { kind } of outcomes.values()) counts[kind] = (counts[kind] ?? 0) + 1;
      return counts;
    };
    const { moved = 0, skipped = 0 } = kinds(first.outcomes);
    expect(moved).toBeGreaterThanOrEqual(200);
    expect(moved + skipped).toBe(500);
    const second = await runAll({ guns, work, finished, signal: new AbortController().signal });
    expect(kinds(second.outcomes)).toEqual({ present: moved, moved: 499 - moved, failed: 1 });
    expect([...second.outcomes.keys()]).toEqual(guns);
    const failed = second.outcomes.get(broken);
    expect(failed?.kind === 'failed' ? failed.error.code : '').toBe('length-mismatch');
    expect(second.stopped).toBeUndefined();
    expect(most).toBe(1);
    const changes = fresh.database.query<{ count: number }, []>('SELECT count(*) AS count FROM changefeed').get();
    expect(changes?.count).toBe(499);
  }, 300_000);

  test('stop with the first that says what holds for all', async () => {
    const begun: Gun[] = [];
    const work = async (gun: Gun): Promise<Outcome> => {
      begun.push(gun);
      throw new SignetError('key-passphrase-wrong', 'could not decrypt');
    };
    const { stopped, outcomes } = await runAll({
      guns,
      work,
      finished: () => {},
      signal: new AbortController().signal,
    });
    expect(stopped?.code).toBe('key-passphrase-wrong');
    expect(begun.length).toBeLessThan(20);
    expect([...outcomes.values()].filter(({ kind }) => kind === 'skipped')).toHaveLength(500 - begun.length);
  });

  test.each(['cancelled', 'key-passphrase-wrong'] as const)(
    'ask for one key once, if the answer is %s',
    async (code) => {
      const old = new TestServer();
      const three = guns.slice(0, 3);
      const owners = new Map(three.map((gun) => [gun, new Owner(old, gun)]));
      for (const owner of owners.values()) await owner.publishFirst();
      let asked = 0;
      const ring: Owner['ring'] = {
        find: async () => {
          asked++;
          throw new SignetError(code, 'no key');
        },
      };
      const signing = new InTurn(endsAll);
      const told: string[] = [];
      const { stopped, outcomes } = await runAll({
        guns: three,
        work: (gun) => migrate(migration({ old, fresh, owner: { ring }, gun, signing })),
        finished: (_, { kind }) => told.push(kind),
        signal: new AbortController().signal,
      });
      const first = code === 'cancelled' ? [] : ['failed'];
      expect({ asked, stopped: stopped?.code, told }).toEqual({ asked: 1, stopped: code, told: first });
      const kinds = [...outcomes.values()].map(({ kind }) => kind as string).sort();
      expect(kinds).toEqual([...first, 'skipped', 'skipped', 'skipped'].slice(0, 3));
      expect(contents(fresh)).toEqual(contents(new TestServer()));
    },
  );

  test('that wait for their turn do not begin after an interrupt', async () => {
    const signing = new InTurn(endsAll);
    const interrupt = new SignetError('cancelled', 'interrupted');
    let begun = 0;
    const first = signing.run(async () => {
      begun++;
      signing.end(interrupt);
      return 'done';
    });
    const second = signing.run(async () => begun++);
    expect(await first).toBe('done');
    expect(await failure(second, 'cancelled')).toBe(interrupt);
    expect(begun).toBe(1);
  });
});
