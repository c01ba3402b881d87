import { beforeEach, describe, expect, test } from 'bun:test';
import type { StoredFile } from '../../../src/core/accept/stored-file.ts';
import { expiryAt } from '../../../src/core/metadata/common.ts';
import { writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { fileInfoOf } from '../../../src/core/metadata/file-info.ts';
import { snapshotJson } from '../../../src/core/metadata/snapshot.ts';
import { timestampJson } from '../../../src/core/metadata/timestamp.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, type RoleName } from '../../../src/core/names/role.ts';
import { type Instant, SECOND } from '../../../src/core/time.ts';
import type { MetadataStore, PublicationResult } from '../../../src/notary/store/metadata-store.ts';
import { codeOf } from '../fixture.ts';

const GUN = parseGun('example.com/team/app');
const OTHER = parseGun('example.com/team/app2');
const LATER = expiryAt(Date.parse('2030-01-01T00:00:00Z'));
const RELEASES = parseDelegation('targets/releases');
const START = Date.parse('2026-11-29T12:00:00Z');

/** A store, and further connections to the same data as other processes would have them. */
export interface StoreUnderTest {
  readonly store: MetadataStore;
  connect(): MetadataStore;
}

/** What every metadata store must do. `open` gives an empty store that keeps three versions. */
export function metadataStoreSuite(name: string, open: () => StoreUnderTest | Promise<StoreUnderTest>): void {
  describe(name, () => {
    let store: MetadataStore;
    let connect: () => MetadataStore;
    let history: History;
    beforeEach(async () => {
      const opened = await open();
      store = opened.store;
      connect = () => opened.connect();
      history = new History(store);
    });

    test('an unknown GUN has no files, no changes, and revision 0', async () => {
      expect(await store.current(GUN)).toEqual({ revision: 0, files: new Map() });
      expect(await store.revision(GUN)).toBe(0);
      expect(await store.byVersion(GUN, 'root', 1)).toBeUndefined();
      expect(await store.byChecksum(GUN, 'root', '0'.repeat(64))).toBeUndefined();
      expect(await store.changes({ direction: 'after', id: 0, limit: 10 })).toEqual([]);
      await store.check();
    });

    test('what is published is found as current, by version and by checksum', async () => {
      const [root, targets] = [file('root', 1), file('targets', 2)];
      await history.publish([root, targets], second(10));
      const { files, revision } = await store.current(GUN);
      expect([...files.keys()].sort()).toEqual(['root', 'snapshot', 'targets', 'timestamp']);
      expect(files.get('root')).toEqual({ ...root, sha256: sha256(root), createdAt: second(10) });
      expect(revision).toBeGreaterThan(0);
      expect(await store.revision(GUN)).toBe(revision);
      expect((await store.byVersion(GUN, 'targets', 2))?.bytes).toEqual(targets.bytes);
      expect((await store.byChecksum(GUN, 'targets', sha256(targets)))?.version).toBe(2);
    });

    test('finds a file only under its own GUN, role, version and checksum', async () => {
      const root = file('root', 1);
      await history.publish([root, file('targets', 1)]);
      expect(await store.byVersion(OTHER, 'root', 1)).toBeUndefined();
      expect(await store.byVersion(GUN, 'root', 2)).toBeUndefined();
      expect(await store.byVersion(GUN, 'root', 0)).toBeUndefined();
      expect(await store.byChecksum(OTHER, 'root', sha256(root))).toBeUndefined();
      expect(await store.byChecksum(GUN, 'targets', sha256(root))).toBeUndefined();
      expect(await store.byChecksum(GUN, 'root', sha256(root).toUpperCase())).toBeUndefined();
      expect(await store.byChecksum(GUN, 'root', '')).toBeUndefined();
    });

    test('current is what the timestamp leads to, not the highest version', async () => {
      await history.publish([file('root', 1), file('targets', 1), file(RELEASES, 1)]);
      const listed = new Map(history.listed);
      await history.publish([file('targets', 5), file(RELEASES, 9)]);
      history.listed = listed;
      await history.publish([]);
      const { files } = await store.current(GUN);
      expect(files.get('targets')?.version).toBe(1);
      expect(files.get(RELEASES)?.version).toBe(1);
      expect(files.get('snapshot')?.version).toBe(3);
    });

    test('a role that the snapshot does not list is not current, though it stays stored', async () => {
      await history.publish([file('root', 1), file('targets', 1), file(RELEASES, 1)]);
      history.listed.delete(RELEASES);
      await history.publish([]);
      expect((await store.current(GUN)).files.has(RELEASES)).toBe(false);
      expect((await store.byVersion(GUN, RELEASES, 1))?.role).toBe(RELEASES);
    });

    test('a listed file that is not stored, or a listed name that is no role, is passed over', async () => {
      await history.publish([file('root', 1), file('targets', 1)]);
      history.listed.set(RELEASES, file(RELEASES, 1).bytes);
      history.listed.set('../etc/passwd' as RoleName, Buffer.from('x'));
      await history.publish([]);
      expect([...(await store.current(GUN)).files.keys()].sort()).toEqual(['root', 'snapshot', 'targets', 'timestamp']);
    });

    test('refuses a version that is not above every stored one, and stores nothing of that publish', async () => {
      await history.publish([file('root', 1), file('targets', 4)]);
      const before = await everything(store);
      for (const version of [1, 3, 4]) {
        const files = [...history.next([file(RELEASES, 1)]), file('targets', version, 'other')];
        expect(await history.store(files)).toBe('version-exists');
      }
      expect(await everything(store)).toEqual(before);
      expect(await history.store(history.next([file('targets', 5)]))).toBe('stored');
    });

    test('a role may skip versions', async () => {
      await history.publish([file('root', 2), file('targets', 7)]);
      expect((await store.current(GUN)).files.get('root')?.version).toBe(2);
    });

    test('refuses a publish that was checked against an older state', async () => {
      await history.publish([file('root', 1), file('targets', 1)]);
      const stale = await store.revision(GUN);
      await history.publish([file('targets', 2)]);
      const before = await everything(store);
      const files = history.next([file('targets', 3)]);
      expect(await store.publish({ gun: GUN, files, expected: stale, at: second(1) })).toBe('outdated');
      expect(await store.publish({ gun: GUN, files, expected: 0, at: second(1) })).toBe('outdated');
      expect(await everything(store)).toEqual(before);
    });

    test('a revision never comes back, not even after a deletion', async () => {
      const seen = new Set([0]);
      for (let round = 0; round < 3; round++) {
        const fresh = new History(store);
        fresh.expected = await store.revision(GUN);
        await fresh.publish([file('root', 1), file('targets', 1)]);
        seen.add(await store.revision(GUN));
        await store.delete(GUN, second(1));
        seen.add(await store.revision(GUN));
      }
      expect(seen.size).toBe(7);
    });

    test('refuses files without a timestamp', async () => {
      const publication = { gun: GUN, files: [file('root', 1)], expected: 0, at: second(1) };
      expect(await codeOf(store.publish(publication))).toBe('publication-incomplete');
      expect(await everything(store)).toEqual({ files: [], changes: [] });
    });

    test('of many publishes of the same version exactly one is stored', async () => {
      await history.publish([file('root', 1), file('targets', 1)]);
      const expected = await store.revision(GUN);
      const connections = [store, connect(), connect()];
      const results = await Promise.all(
        Array.from({ length: 12 }, (_, index) => {
          const files = history.next([file('targets', 2, `writer ${index}`)]);
          const connection = connections[index % connections.length] ?? store;
          return connection.publish({ gun: GUN, files, expected, at: second(index) });
        }),
      );
      expect(results.filter((result) => result === 'stored')).toHaveLength(1);
      expect(results.filter((result) => result === 'outdated')).toHaveLength(11);
      const winner = results.indexOf('stored');
      expect((await store.byVersion(GUN, 'targets', 2))?.bytes.toString()).toContain(`writer ${winner}`);
    });

    test('deletes all of one GUN and nothing of another', async () => {
      const other = new History(store, OTHER);
      await history.publish([file('root', 1), file('targets', 1)]);
      await other.publish([file('root', 1), file('targets', 1)]);
      expect(await store.delete(GUN, second(5))).toBe(true);
      expect((await store.current(GUN)).files.size).toBe(0);
      expect(await store.byVersion(GUN, 'root', 1)).toBeUndefined();
      expect((await store.current(OTHER)).files.size).toBe(4);
      expect(await store.delete(GUN, second(6))).toBe(false);
    });

    test('keeps the newest versions of a role, and every root', async () => {
      for (let version = 1; version <= 8; version++)
        await history.publish([file('root', version), file('targets', version)]);
      expect(await versionsOf(store, 'root', 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      for (const role of ['targets', 'snapshot', 'timestamp'] as const) {
        expect(await versionsOf(store, role, 8)).toEqual([6, 7, 8]);
      }
    });

    test('keeps an old version for as long as a kept snapshot lists it', async () => {
      await history.publish([file('root', 1), file('targets', 1), file(RELEASES, 1)]);
      history.pinned.set(RELEASES, history.listed.get(RELEASES) ?? Buffer.alloc(0));
      for (let version = 2; version <= 6; version++) await history.publish([file(RELEASES, version)]);
      expect(await versionsOf(store, RELEASES, 6)).toEqual([1, 4, 5, 6]);
      expect((await store.current(GUN)).files.get(RELEASES)?.version).toBe(1);
      history.pinned.clear();
      for (let version = 7; version <= 9; version++) await history.publish([file(RELEASES, version)]);
      expect(await versionsOf(store, RELEASES, 9)).toEqual([7, 8, 9]);
      expect((await store.current(GUN)).files.get('targets')?.version).toBe(1);
    });

    test('records publishes and deletions of all GUNs in one order', async () => {
      const other = new History(store, OTHER);
      await history.publish([file('root', 1), file('targets', 1)], second(10));
      await other.publish([file('root', 1), file('targets', 1)], second(20));
      await history.publish([file('targets', 2)], second(30));
      await store.delete(OTHER, second(40));
      const changes = await store.changes({ direction: 'after', id: 0, limit: 10 });
      expect(changes.map(({ at, gun, category, version }) => [at, gun, category, version])).toEqual([
        [second(10), GUN, 'update', 1],
        [second(20), OTHER, 'update', 1],
        [second(30), GUN, 'update', 2],
        [second(40), OTHER, 'deletion', 0],
      ]);
      expect(changes[2]?.sha256).toBe((await store.current(GUN)).files.get('timestamp')?.sha256 ?? '');
      expect(changes[3]?.sha256).toBe('');
      const ids = changes.map(({ id }) => id);
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    });

    test('an import stores a history whole, with one change for its newest timestamp', async () => {
      const files = imported();
      expect(await store.import({ gun: GUN, files, at: second(50) })).toBe('stored');
      const { files: current } = await store.current(GUN);
      expect([...current.values()].map(({ role, version }) => `${role} ${version}`).sort()).toEqual(
        ['root 3', 'snapshot 9', 'targets 4', 'timestamp 107'].sort(),
      );
      for (const file of files) {
        const stored = await store.byVersion(GUN, file.role, file.version);
        expect(stored).toEqual({ ...file, sha256: sha256(file), createdAt: second(50) });
      }
      expect(await store.changes({ direction: 'after', id: 0, limit: 10 })).toEqual([
        {
          id: expect.any(Number),
          at: second(50),
          gun: GUN,
          category: 'update',
          version: 107,
          sha256: current.get('timestamp')?.sha256 ?? '',
        },
      ]);
    });

    test('an import prunes nothing, and the publish after it goes on with its versions', async () => {
      const roots = Array.from({ length: 12 }, (_, at) => file('root', at + 1));
      const files = [...roots, ...imported().filter(({ role }) => role !== 'root')];
      expect(await store.import({ gun: GUN, files, at: second(50) })).toBe('stored');
      expect(await versionsOf(store, 'root', 20)).toEqual(roots.map(({ version }) => version));
      const publication = { gun: GUN, expected: await store.revision(GUN), at: second(60) };
      const behind = [file('targets', 5), file('snapshot', 10), file('timestamp', 107)];
      expect(await store.publish({ ...publication, files: behind })).toBe('version-exists');
      const ahead = [file('targets', 5), file('snapshot', 10), file('timestamp', 108)];
      expect(await store.publish({ ...publication, files: ahead })).toBe('stored');
    });

    test('an import onto anything of the GUN changes nothing', async () => {
      await history.publish([file('root', 1), file('targets', 1)]);
      const before = await everything(store);
      expect(await store.import({ gun: GUN, files: imported(), at: second(50) })).toBe('taken');
      expect(await everything(store)).toEqual(before);
      expect(await store.import({ gun: OTHER, files: imported(), at: second(50) })).toBe('stored');
    });

    test('of imports of one GUN at the same time, through any connection, one is stored', async () => {
      const files = imported();
      const stores = [store, connect(), connect()];
      const results = await Promise.all(stores.map((each) => each.import({ gun: GUN, files, at: second(50) })));
      expect(results.sort()).toEqual(['stored', 'taken', 'taken']);
      expect(await store.changes({ direction: 'after', id: 0, limit: 10 })).toHaveLength(1);
    });

    test('an import may follow a deletion, whose revision never comes back', async () => {
      await history.publish([file('root', 1), file('targets', 1)]);
      await store.delete(GUN, second(40));
      const deleted = await store.revision(GUN);
      expect(await store.import({ gun: GUN, files: imported(), at: second(50) })).toBe('stored');
      expect(await store.revision(GUN)).not.toBe(deleted);
    });

    test('an import without a timestamp is refused whole', async () => {
      const files = imported().filter(({ role }) => role !== 'timestamp');
      expect(await codeOf(store.import({ gun: GUN, files, at: second(50) }))).toBe('publication-incomplete');
      expect(await store.current(GUN)).toEqual({ revision: 0, files: new Map() });
    });

    test('pages through changes in both directions', async () => {
      const other = new History(store, OTHER);
      for (let version = 1; version <= 3; version++) {
        await history.publish([file('targets', version)], second(version * 10));
        await other.publish([file('targets', version)], second(version * 10 + 1));
      }
      const all = await store.changes({ direction: 'after', id: 0, limit: 100 });
      const idAt = (index: number) => all[index]?.id ?? -1;
      expect(await store.changes({ direction: 'after', id: 0, limit: 2 })).toEqual(all.slice(0, 2));
      expect(await store.changes({ direction: 'after', id: idAt(1), limit: 3 })).toEqual(all.slice(2, 5));
      expect(await store.changes({ direction: 'after', id: idAt(5), limit: 3 })).toEqual([]);
      expect(await store.changes({ direction: 'before', id: 0, limit: 2 })).toEqual(all.slice(4));
      expect(await store.changes({ direction: 'before', id: idAt(4), limit: 2 })).toEqual(all.slice(2, 4));
      expect(await store.changes({ direction: 'before', id: idAt(0), limit: 2 })).toEqual([]);
      const own = all.filter(({ gun }) => gun === OTHER);
      expect(await store.changes({ gun: OTHER, direction: 'after', id: 0, limit: 100 })).toEqual(own);
      expect(await store.changes({ gun: OTHER, direction: 'before', id: 0, limit: 1 })).toEqual(own.slice(2));
    });

    test('bytes come back as they were given', async () => {
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256));
      await history.publish([{ role: 'root', version: 1, bytes }, file('targets', 1)]);
      expect((await store.byVersion(GUN, 'root', 1))?.bytes.equals(bytes)).toBe(true);
    });
  });
}

/** A time: what some stores keep has no parts of a second. */
function second(seconds: number): Instant {
  return START + seconds * SECOND;
}

/** A collection with a history: three roots, and an older and a newer snapshot and timestamp, the newer ones last. */
function imported(): StoredFile[] {
  const [root, targets] = [file('root', 3), file('targets', 4)];
  const online = (snapshotVersion: number, version: number): StoredFile[] => {
    const meta = new Map([root, targets].map(({ role, bytes }) => [role as string, fileInfoOf(bytes)] as const));
    const snapshot = writeEnvelope(snapshotJson({ version: snapshotVersion, expires: LATER, meta }), []);
    const timestamp = timestampJson({ version, expires: LATER, snapshot: fileInfoOf(snapshot) });
    return [
      { role: 'snapshot', version: snapshotVersion, bytes: snapshot },
      { role: 'timestamp', version, bytes: writeEnvelope(timestamp, []) },
    ];
  };
  return [file('root', 1), file('root', 2), root, targets, ...online(8, 7), ...online(9, 107)];
}

/** Publishes one state after the other, each with a snapshot and a timestamp that hold together. */
class History {
  expected = 0;
  /** What the next snapshot lists. */
  listed = new Map<RoleName, Buffer>();
  /** What snapshots list instead, whatever is published. */
  readonly pinned = new Map<RoleName, Buffer>();
  private readonly metadata: MetadataStore;
  private readonly gun: Gun;
  private version = 0;

  constructor(metadata: MetadataStore, gun: Gun = GUN) {
    this.metadata = metadata;
    this.gun = gun;
  }

  /** The files of the next publish; asking again gives the same versions until one is stored. */
  next(files: readonly StoredFile[]): StoredFile[] {
    for (const { role, bytes } of files) this.listed.set(role, bytes);
    const version = this.version + 1;
    const meta = new Map([
      ['root', fileInfoOf(Buffer.from('root'))],
      ['targets', fileInfoOf(Buffer.from('targets'))],
      ...[...this.listed, ...this.pinned].map(([role, bytes]) => [role as string, fileInfoOf(bytes)] as const),
    ]);
    const snapshot = writeEnvelope(snapshotJson({ version, expires: LATER, meta }), []);
    const timestamp = timestampJson({ version, expires: LATER, snapshot: fileInfoOf(snapshot) });
    return [
      ...files,
      { role: 'snapshot', version, bytes: snapshot },
      { role: 'timestamp', version, bytes: writeEnvelope(timestamp, []) },
    ];
  }

  async store(files: readonly StoredFile[], at = second(1)): Promise<PublicationResult> {
    const result = await this.metadata.publish({ gun: this.gun, files, expected: this.expected, at });
    if (result !== 'stored') return result;
    this.version++;
    this.expected = await this.metadata.revision(this.gun);
    return result;
  }

  async publish(files: readonly StoredFile[], at = second(1)): Promise<void> {
    expect(await this.store(this.next(files), at)).toBe('stored');
  }
}

function file(role: RoleName, version: number, note = ''): StoredFile {
  return { role, version, bytes: Buffer.from(`${role} ${version} ${note}`) };
}

function sha256({ bytes }: StoredFile): string {
  return digestHex(digestOf(bytes));
}

async function versionsOf(store: MetadataStore, role: RoleName, upTo: number): Promise<number[]> {
  const versions: number[] = [];
  for (let version = 1; version <= upTo; version++) {
    if ((await store.byVersion(GUN, role, version)) !== undefined) versions.push(version);
  }
  return versions;
}

async function everything(store: MetadataStore): Promise<object> {
  return {
    files: [...(await store.current(GUN)).files.values()].map(({ role, version, sha256 }) => [role, version, sha256]),
    changes: await store.changes({ direction: 'after', id: 0, limit: 100 }),
  };
}
