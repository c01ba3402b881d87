import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parseGun } from '../../src/core/names/gun.ts';
import { parseDelegation } from '../../src/core/names/role.ts';
import { writePrivateFile } from '../../src/store/files.ts';
import { MetadataFolder } from '../../src/store/trust-folder.ts';
import { failure } from '../support/failure.ts';
import { MemoryCache } from '../support/memory-cache.ts';
import { temporaryFolder } from '../support/temp.ts';
import { metadataCacheSuite } from './metadata-cache.suite.ts';

const APP = parseGun('reg.example:5000/team/app');
const METADATA = 'tuf/reg.example:5000/team/app/metadata';
const RELEASES = parseDelegation('targets/releases');

metadataCacheSuite('MetadataFolder', () => new MetadataFolder(join(temporaryFolder(), 'trust')));
metadataCacheSuite('MemoryCache', () => new MemoryCache());

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** Every file and folder below, by path. */
function tree(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort();
}

describe('the folder', () => {
  test("has docker's layout, for no one but the user", async () => {
    const base = join(temporaryFolder(), 'trust');
    const cache = new MetadataFolder(base);
    await cache.write(APP, 'root', Buffer.from('root'));
    await cache.write(APP, RELEASES, Buffer.from('releases'));
    expect(readFileSync(join(base, METADATA, 'root.json'), 'utf8')).toBe('root');
    expect(readFileSync(join(base, METADATA, 'targets/releases.json'), 'utf8')).toBe('releases');
    expect(modeOf(join(base, METADATA, 'root.json'))).toBe('600');
    for (let folder = join(base, METADATA, 'targets'); folder !== dirname(base); folder = dirname(folder)) {
      expect(modeOf(folder)).toBe('700');
    }
    expect(tree(base).filter((path) => path.endsWith('.tmp'))).toEqual([]);
  });

  test('is not made by reading', async () => {
    const base = join(temporaryFolder(), 'trust');
    const cache = new MetadataFolder(base);
    await cache.read(APP, 'root');
    await cache.read(APP, RELEASES);
    await cache.guns();
    await cache.remove(APP);
    await cache.remove(APP, 'root');
    expect(existsSync(base)).toBe(false);
  });

  test('keeps nothing of a collection that is removed', async () => {
    const base = temporaryFolder();
    const cache = new MetadataFolder(base);
    await cache.write(APP, 'root', Buffer.from('x'));
    await cache.write(APP, parseDelegation('targets/a/b'), Buffer.from('x'));
    await cache.remove(APP);
    expect(tree(base)).toEqual([]);
  });

  test('leaves what is not its own', async () => {
    const base = temporaryFolder();
    const cache = new MetadataFolder(base);
    await cache.write(APP, 'root', Buffer.from('x'));
    writeFileSync(join(base, METADATA, 'notes.txt'), 'mine');
    await cache.remove(APP);
    expect(readFileSync(join(base, METADATA, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('may itself be reached through a link', async () => {
    const real = temporaryFolder();
    const link = join(temporaryFolder(), 'link');
    symlinkSync(real, link);
    const cache = new MetadataFolder(link);
    await cache.write(APP, 'root', Buffer.from('x'));
    expect((await cache.read(APP, 'root'))?.toString()).toBe('x');
    expect(existsSync(join(real, METADATA, 'root.json'))).toBe(true);
  });

  test('does not go through links below itself, to read or to write', async () => {
    for (const name of ['tuf', 'tuf/reg.example:5000', 'tuf/reg.example:5000/team/app', METADATA]) {
      const base = temporaryFolder();
      const elsewhere = temporaryFolder();
      mkdirSync(join(base, dirname(name)), { recursive: true });
      symlinkSync(elsewhere, join(base, name));
      const cache = new MetadataFolder(base);
      await failure(cache.read(APP, 'root'), 'file-unsafe');
      await failure(cache.write(APP, 'root', Buffer.from('x')), 'file-unsafe');
      await failure(cache.remove(APP, 'root'), 'file-unsafe');
      expect(tree(elsewhere)).toEqual([]);
    }
  });

  test('does not read a link, and replaces it without touching its target', async () => {
    const base = temporaryFolder();
    const target = join(temporaryFolder(), 'target');
    writeFileSync(target, 'kept');
    mkdirSync(join(base, METADATA), { recursive: true });
    symlinkSync(target, join(base, METADATA, 'root.json'));
    const cache = new MetadataFolder(base);
    await failure(cache.read(APP, 'root'), 'file-unsafe');
    expect(await cache.guns()).toEqual([]);
    await cache.write(APP, 'root', Buffer.from('new'));
    expect(readFileSync(target, 'utf8')).toBe('kept');
    expect((await cache.read(APP, 'root'))?.toString()).toBe('new');
  });

  test('does not read what is not a file', async () => {
    const base = temporaryFolder();
    mkdirSync(join(base, METADATA, 'root.json'), { recursive: true });
    await Bun.$`mkfifo ${join(base, METADATA, 'targets.json')}`.quiet();
    const cache = new MetadataFolder(base);
    await failure(cache.read(APP, 'root'), 'file-unsafe');
    await failure(cache.write(APP, 'root', Buffer.from('x')), 'file-unsafe');
    await failure(cache.read(APP, 'targets'), 'file-unsafe');
  });

  test('does not read more than a metadata file can hold', async () => {
    const base = temporaryFolder();
    mkdirSync(join(base, METADATA), { recursive: true });
    writeFileSync(join(base, METADATA, 'root.json'), Buffer.alloc(33 * 1024 * 1024));
    await failure(new MetadataFolder(base).read(APP, 'root'), 'too-large');
  });

  test('has no place for a role that would lie in another collection', async () => {
    const cache = new MetadataFolder(temporaryFolder());
    const role = parseDelegation('targets/metadata/root');
    await failure(cache.write(parseGun('reg/a'), role, Buffer.from('x')), 'role-invalid');
    await failure(cache.read(parseGun('reg/a'), role), 'role-invalid');
    await cache.write(parseGun('reg/a'), parseDelegation('targets/metadata'), Buffer.from('x'));
  });

  test('takes the longest names', async () => {
    const cache = new MetadataFolder(temporaryFolder());
    const gun = parseGun(`reg/${'a'.repeat(250)}`);
    const role = parseDelegation(`targets/${'r'.repeat(247)}`);
    await cache.write(gun, role, Buffer.from('x'));
    expect((await cache.read(gun, role))?.toString()).toBe('x');
  });

  test('that cannot be written to says so', async () => {
    const base = temporaryFolder();
    writeFileSync(join(base, 'tuf'), 'a file in the way');
    const cache = new MetadataFolder(base);
    await failure(cache.write(APP, 'root', Buffer.from('x')), 'file-unsafe');
    await failure(
      new MetadataFolder(join(base, 'tuf', 'below')).write(APP, 'root', Buffer.from('x')),
      'file-unwritable',
    );
  });

  test('if not even a draft can be made says what was to be written, and why', async () => {
    const path = join(temporaryFolder(), 'x'.repeat(300), 'file');
    const error = await failure(() => writePrivateFile(path, Buffer.from('x')), 'file-unwritable');
    expect(error.message).toBe(`cannot write ${path}: ENAMETOOLONG`);
  });

  test('of a name that is no GUN is named, so that no one takes the others for all', async () => {
    const base = temporaryFolder();
    const names = ['reg.example/Ünïcode app', 'reg.example/a b/c', 'reg.example/app', 'reg.example/x\\y'];
    for (const name of names) {
      mkdirSync(join(base, 'tuf', name, 'metadata'), { recursive: true });
      writeFileSync(join(base, 'tuf', name, 'metadata/root.json'), '{}');
    }
    mkdirSync(join(base, 'tuf/reg.example/no root/metadata'), { recursive: true });
    const cache = new MetadataFolder(base);
    expect(await cache.names()).toEqual([...names].sort());
    expect(await cache.guns()).toEqual([parseGun('reg.example/app')]);
  });

  test('that was written by docker is read', async () => {
    const vectors = join(import.meta.dir, '../vectors/acme-app');
    const base = temporaryFolder();
    const gun = parseGun('docker.io/acme/app');
    mkdirSync(join(base, 'tuf', gun), { recursive: true });
    await Bun.$`cp -r ${vectors} ${join(base, 'tuf', gun, 'metadata')}`.quiet();
    chmodSync(join(base, 'tuf', gun, 'metadata'), 0o755);
    const cache = new MetadataFolder(base);
    expect(await cache.guns()).toEqual([gun]);
    for (const role of ['root', 'timestamp', parseDelegation('targets/jeff')] as const) {
      expect((await cache.read(gun, role))?.equals(readFileSync(join(vectors, `${role}.json`)))).toBe(true);
    }
  });
});
