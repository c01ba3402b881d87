import { describe, expect, test } from 'bun:test';
import { formatCopies, parseCopies } from '../../../src/core/copy/copy-file.ts';
import { verifyCopy } from '../../../src/core/copy/verify-copy.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { RELEASES, type RoleName } from '../../../src/core/names/role.ts';
import { DAY, YEAR } from '../../../src/core/time.ts';
import { CopiedServer } from '../../../src/trust/copy/copied-server.ts';
import { copyCached, readCopy } from '../../../src/trust/copy/read-copy.ts';
import { updateCollection } from '../../../src/trust/update/collection.ts';
import { copyOf, OLD_SERVER, rotatedRepository } from '../../support/copies.ts';
import { failure } from '../../support/failure.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { NO_FIRST_USE, pinnedTo } from '../../support/pins.ts';
import { expiring, GUN, missing, NOW, Simulator, sourceOf, target } from '../../support/simulator.ts';
import { RecordingCache } from '../../support/visitor.ts';

const source = (simulator: Simulator, now = simulator.now) => ({
  ...sourceOf(simulator, now, simulator.gun),
  cache: new RecordingCache(),
});

describe('a copy of a live collection', () => {
  test('has every file as the server has it, all roots among them, and writes nothing to the cache', async () => {
    const simulator = await rotatedRepository();
    const from = source(simulator);
    const copy = await readCopy(from, OLD_SERVER);
    expect(copy.roots.map(({ version }) => version)).toEqual([1, 2, 3]);
    for (const { version, bytes } of copy.roots) expect(simulator.byName(`${version}.root`)?.equals(bytes)).toBe(true);
    expect([...copy.files.keys()].sort().join(' ')).toBe('snapshot targets targets/releases timestamp');
    for (const [role, bytes] of copy.files) expect(simulator.file(role).equals(bytes)).toBe(true);
    expect(copy).toMatchObject({
      gun: GUN,
      server: OLD_SERVER,
      readAt: NOW,
      verification: { root: { how: 'first-use' } },
    });
    expect(from.cache.written).toEqual([]);
  });

  test('tells how the root came to be trusted', async () => {
    const simulator = await rotatedRepository();
    const key = simulator.signersOf('root')[0]?.key.id;
    const pinned = await readCopy({ ...source(simulator), pinning: pinnedTo(GUN, key as KeyId) }, OLD_SERVER);
    expect(pinned.verification.root).toEqual({ how: 'pinned', pattern: GUN });
    const from = source(simulator);
    await updateCollection({ ...from, purpose: 'read' });
    expect((await readCopy(from, OLD_SERVER)).verification.root).toEqual({ how: 'known' });
  });

  test('is refused if nothing is pinned and first use is off', async () => {
    const simulator = await rotatedRepository();
    await failure(readCopy({ ...source(simulator), pinning: NO_FIRST_USE }, OLD_SERVER), 'root-unpinned');
  });

  test('records what has expired, years after the owner has gone', async () => {
    const simulator = await rotatedRepository();
    const later = NOW + 4 * YEAR;
    const copy = await readCopy(source(simulator, later), OLD_SERVER);
    const roles: readonly RoleName[] = ['timestamp', 'snapshot', 'targets', RELEASES];
    expect(copy.verification.expired.map(({ role }) => role)).toEqual([...roles]);
    expect(verifyCopy(copy).set.targets.get(RELEASES)?.payload.targets.has('1.0')).toBe(true);
  });

  test('records that the certificates of its root have expired, as those of official images do', async () => {
    const simulator = await rotatedRepository();
    const copy = await readCopy(source(simulator, NOW + 11 * YEAR), OLD_SERVER);
    const [root] = copy.verification.expired;
    expect(root).toEqual({ role: 'root', expired: NOW + 10 * YEAR });
    expect(parseCopies(formatCopies([copy]))).toEqual([copy]);
  });

  test('is refused where the server is behind what was seen before', async () => {
    const simulator = await rotatedRepository();
    const old = simulator.state;
    await simulator.edit((editor) => editor.addTarget('targets', 'newer', target(3)));
    const from = source(simulator);
    await updateCollection({ ...from, purpose: 'read' });
    simulator.serve(old);
    await failure(readCopy(from, OLD_SERVER), 'version-rollback');
  });

  test('has the roots that lead to the newest, and says so where older ones do not', async () => {
    const simulator = await rotatedRepository();
    simulator.lies.set('1.root', missing('1.root'));
    const warnings: string[] = [];
    const copy = await copyOf(simulator, (message) => warnings.push(message));
    expect(copy.roots.map(({ version }) => version)).toEqual([2, 3]);
    expect(warnings.join()).toContain(
      'can be followed from version 2 on, not from version 1: 1.root trust data unavailable',
    );
    const stranger = await rotatedRepository();
    simulator.lies.set('1.root', stranger.byName('1.root') ?? Buffer.of());
    expect((await copyOf(simulator)).roots.map(({ version }) => version)).toEqual([2, 3]);
  });

  test('is refused, not shortened, where the server fails in the middle of its roots', async () => {
    const simulator = await rotatedRepository();
    simulator.lies.set('1.root', new SignetError('network-timeout', 'the trust server does not answer'));
    await failure(copyOf(simulator), 'network-timeout');
  });

  test('has a delegation that lacks signatures, marked as such', async () => {
    const simulator = await rotatedRepository();
    simulator.forge(RELEASES, [], []);
    simulator.relist();
    const copy = parseCopies(formatCopies([await copyOf(simulator)]))[0];
    expect(copy?.verification.unsigned).toEqual([RELEASES]);
    expect(copy?.files.get(RELEASES)?.equals(simulator.file(RELEASES))).toBe(true);
  });
});

describe('a copy', () => {
  test('serves a client like the server that it was read from, until its timestamp expires', async () => {
    const simulator = await rotatedRepository();
    const copy = await copyOf(simulator);
    const from = { ...source(simulator), server: new CopiedServer(copy), purpose: 'read' as const };
    const { set } = await updateCollection(from);
    expect(set.targets.get(RELEASES)?.payload.targets.has('1.0')).toBe(true);
    const written: readonly RoleName[] = ['root', 'snapshot', 'targets', RELEASES, 'timestamp'];
    expect([...from.cache.written].sort()).toEqual([...written]);
    await failure(updateCollection({ ...from, now: NOW + 15 * DAY, cache: new MemoryCache() }), 'metadata-expired');
  });

  test('leads a client that knows its oldest root to the newest', async () => {
    const simulator = await Simulator.start();
    const from = source(simulator);
    await updateCollection({ ...from, purpose: 'read' });
    await simulator.rotateRoot();
    await simulator.rotateRoot();
    const server = new CopiedServer(await copyOf(simulator));
    const { set } = await updateCollection({ ...from, server, purpose: 'read' });
    expect(set.root.root.version).toBe(3);
  });

  test('of the cache has what is cached, and one root', async () => {
    const simulator = await rotatedRepository();
    const from = source(simulator);
    await failure(copyCached(from), 'trust-data-missing');
    await updateCollection({ ...from, purpose: 'read' });
    simulator.isOffline = true;
    const copy = await copyCached(from);
    expect(copy.server).toBeUndefined();
    expect(copy.roots.map(({ version }) => version)).toEqual([3]);
    expect(copy.files.size).toBe(4);
    await from.cache.remove(GUN, RELEASES);
    await failure(copyCached(from), 'trust-data-missing');
  });

  test('of a lying server is none', async () => {
    const simulator = await rotatedRepository();
    const { targets } = Object.fromEntries(simulator.state);
    simulator.forge('targets', expiring(NOW + YEAR));
    simulator.lies.set('targets', simulator.file('targets'));
    simulator.replace('targets', targets ?? Buffer.of());
    await failure(copyOf(simulator), 'checksum-mismatch');
  });
});
