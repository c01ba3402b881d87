import { describe, expect, test } from 'bun:test';
import { parseGun } from '../../src/core/names/gun.ts';
import { parseDelegation } from '../../src/core/names/role.ts';
import type { MetadataCache } from '../../src/store/metadata-cache.ts';

const APP = parseGun('reg.example:5000/team/app');
const OTHER = parseGun('reg.example:5000/team/app2');
const BELOW = parseGun('reg.example:5000/team/app/metadata/targets');
const RELEASES = parseDelegation('targets/releases');
const DEEP = parseDelegation('targets/releases/deep');

/** What every cache of trust data does. `make` gives an empty one. */
export function metadataCacheSuite(name: string, make: () => MetadataCache): void {
  describe(name, () => {
    test('reads nothing if nothing was written', async () => {
      const cache = make();
      expect(await cache.read(APP, 'root')).toBeUndefined();
      expect(await cache.read(APP, DEEP)).toBeUndefined();
      expect(await cache.guns()).toEqual([]);
    });

    test('gives back the very bytes, of each collection and role', async () => {
      const cache = make();
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      await cache.write(APP, 'root', bytes);
      await cache.write(APP, RELEASES, Buffer.from('releases'));
      await cache.write(APP, DEEP, Buffer.from('deep'));
      await cache.write(OTHER, 'root', Buffer.from('other'));
      await cache.write(APP, 'snapshot', Buffer.alloc(0));
      expect((await cache.read(APP, 'root'))?.equals(bytes)).toBe(true);
      expect((await cache.read(APP, RELEASES))?.toString()).toBe('releases');
      expect((await cache.read(APP, DEEP))?.toString()).toBe('deep');
      expect((await cache.read(OTHER, 'root'))?.toString()).toBe('other');
      expect((await cache.read(APP, 'snapshot'))?.length).toBe(0);
      expect(await cache.read(OTHER, RELEASES)).toBeUndefined();
      expect(await cache.read(APP, 'targets')).toBeUndefined();
    });

    test('replaces, by a longer and by a shorter file', async () => {
      const cache = make();
      for (const text of ['one', 'the second one', '3']) {
        await cache.write(APP, 'timestamp', Buffer.from(text));
        expect((await cache.read(APP, 'timestamp'))?.toString()).toBe(text);
      }
    });

    test('is not changed through the bytes that it took or gave', async () => {
      const cache = make();
      const bytes = Buffer.from('abc');
      await cache.write(APP, 'root', bytes);
      bytes.fill(0);
      (await cache.read(APP, 'root'))?.fill(0);
      expect((await cache.read(APP, 'root'))?.toString()).toBe('abc');
    });

    test('removes one file and leaves the others', async () => {
      const cache = make();
      for (const role of ['root', 'targets', RELEASES, DEEP] as const) await cache.write(APP, role, Buffer.from(role));
      await cache.remove(APP, RELEASES);
      await cache.remove(APP, RELEASES);
      expect(await cache.read(APP, RELEASES)).toBeUndefined();
      for (const role of ['root', 'targets', DEEP] as const) {
        expect((await cache.read(APP, role))?.toString()).toBe(role);
      }
    });

    test('removes a collection and leaves the others, also one whose name continues its own', async () => {
      const cache = make();
      for (const gun of [APP, OTHER, BELOW]) {
        for (const role of ['root', 'targets', 'snapshot', 'timestamp', RELEASES, DEEP] as const) {
          await cache.write(gun, role, Buffer.from(`${gun} ${role}`));
        }
      }
      await cache.remove(APP);
      for (const role of ['root', 'targets', 'snapshot', 'timestamp', RELEASES, DEEP] as const) {
        expect(await cache.read(APP, role)).toBeUndefined();
        expect((await cache.read(OTHER, role))?.toString()).toBe(`${OTHER} ${role}`);
        expect((await cache.read(BELOW, role))?.toString()).toBe(`${BELOW} ${role}`);
      }
      expect(await cache.guns()).toEqual([BELOW, OTHER]);
    });

    test('lists the collections that have a root', async () => {
      const cache = make();
      await cache.write(OTHER, 'root', Buffer.from('x'));
      await cache.write(APP, 'root', Buffer.from('x'));
      await cache.write(parseGun('docker.io/library/alpine'), 'targets', Buffer.from('x'));
      expect(await cache.guns()).toEqual([APP, OTHER]);
    });
  });
}
