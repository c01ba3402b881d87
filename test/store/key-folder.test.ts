import { describe, expect, test } from 'bun:test';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { openKeyFile, sealKey } from '../../src/core/keys/key-file.ts';
import { generatePrivateKey } from '../../src/core/keys/private-key.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import { type KeyId, parseKeyId } from '../../src/core/names/key-id.ts';
import { KeyFolder } from '../../src/store/key-folder.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';
import { keyStoreSuite } from './key-store.suite.ts';

const VECTORS = join(import.meta.dir, '../vectors/client-private');
const NONE = Buffer.alloc(0);

keyStoreSuite('KeyFolder', () => new KeyFolder(join(temporaryFolder(), 'trust')));

/** A key as old Notary kept it: at this path below `private`, without headers. */
function putOldKey(base: string, path: (id: KeyId) => string, text?: string): KeyId {
  const key = generatePrivateKey('ecdsa');
  const file = join(base, 'private', path(key.id));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text ?? sealKey(key, { role: '', passphrase: NONE }));
  return key.id;
}

function tree(base: string): string[] {
  return (readdirSync(join(base, 'private'), { recursive: true }) as string[]).sort();
}

describe('the folder', () => {
  test("has docker's layout, for no one but the user", async () => {
    const base = join(temporaryFolder(), 'trust');
    const key = generatePrivateKey('ecdsa');
    const sealed = sealKey(key, { role: 'root', passphrase: NONE });
    await new KeyFolder(base).add(key.id, sealed);
    const path = join(base, 'private', `${key.id}.key`);
    expect(readFileSync(path).equals(sealed)).toBe(true);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    expect((statSync(dirname(path)).mode & 0o777).toString(8)).toBe('700');
  });

  test('is not made by reading', async () => {
    const base = join(temporaryFolder(), 'trust');
    const keys = new KeyFolder(base);
    expect(await keys.list()).toEqual([]);
    expect(await keys.load(generatePrivateKey('ecdsa').id)).toBeUndefined();
    expect(existsSync(base)).toBe(false);
  });

  test('that docker filled is read', async () => {
    const base = temporaryFolder();
    cpSync(VECTORS, join(base, 'private'), { recursive: true });
    const keys = new KeyFolder(base);
    const list = await keys.list();
    expect(list.map(({ role }) => role).sort()).toEqual(['jeff', 'root', 'root', 'root', 'targets']);
    expect(list.find(({ role }) => role === 'targets')?.gun).toBe(parseGun('docker.io/acme/app'));
    for (const { id } of list) {
      const file = await keys.load(id);
      if (file === undefined) throw new Error('listed, but not there');
      expect(openKeyFile(file, Buffer.from('passw0rd')).id).toBe(id);
    }
  });

  test('lists keys only: no links, no other files, nothing malformed', async () => {
    const base = temporaryFolder();
    const id = putOldKey(base, (name) => `${name}.key`);
    const folder = join(base, 'private');
    writeFileSync(join(folder, `${'a'.repeat(64)}.key`), 'no key');
    writeFileSync(join(folder, `${'b'.repeat(64)}.key`), '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n');
    writeFileSync(join(folder, `${'c'.repeat(64)}.key`), Buffer.alloc(2_000_000));
    writeFileSync(join(folder, 'my.key'), readFileSync(join(folder, `${id}.key`)));
    writeFileSync(join(folder, `${'d'.repeat(64)}.pem`), readFileSync(join(folder, `${id}.key`)));
    mkdirSync(join(folder, `${'e'.repeat(64)}.key`));
    symlinkSync(join(folder, `${id}.key`), join(folder, `${'f'.repeat(64)}.key`));
    const keys = new KeyFolder(base);
    expect((await keys.list()).map((key) => key.id)).toEqual([id]);
    await failure(keys.load(parseKeyId('a'.repeat(64))), 'key-malformed');
    await failure(keys.load(parseKeyId('f'.repeat(64))), 'file-unsafe');
  });
});

describe('keys of old', () => {
  test('move into the folder of today, with repository and role as headers', async () => {
    const base = temporaryFolder();
    const root = putOldKey(base, (id) => `root_keys/${id}_root.key`);
    const bareRoot = putOldKey(base, (id) => `root_keys/${id}.key`);
    const targets = putOldKey(base, (id) => `tuf_keys/reg.example:5000/team/app/${id}_targets.key`);
    const delegation = putOldKey(base, (id) => `tuf_keys/${id}.key`);
    const named = putOldKey(base, (id) => `tuf_keys/${id}_alice_b.key`);
    const keys = new KeyFolder(base);
    const list = new Map((await keys.list()).map(({ id, role, gun }) => [id, { role, gun }]));
    expect(list).toEqual(
      new Map([
        [root, { role: 'root', gun: undefined }],
        [bareRoot, { role: 'root', gun: undefined }],
        [targets, { role: 'targets', gun: parseGun('reg.example:5000/team/app') }],
        [delegation, { role: '', gun: undefined }],
        [named, { role: 'alice_b', gun: undefined }],
      ]),
    );
    expect(tree(base)).toEqual([root, bareRoot, targets, delegation, named].map((id) => `${id}.key`).sort());
    const file = await keys.load(targets);
    if (file === undefined) throw new Error('the key is gone');
    expect(openKeyFile(file, undefined).id).toBe(targets);
  });

  test('are found by whatever is asked first', async () => {
    const base = temporaryFolder();
    const id = putOldKey(base, (name) => `root_keys/${name}_root.key`);
    expect((await new KeyFolder(base).load(id))?.role).toBe('root');
  });

  test('that cannot be moved stay where they are, and nothing else is hurt', async () => {
    const base = temporaryFolder();
    putOldKey(base, (id) => `root_keys/${id}_root.key`, 'no key');
    putOldKey(base, () => 'root_keys/notes.txt', 'mine');
    putOldKey(base, (id) => `root_keys/deeper/${id}_root.key`);
    putOldKey(base, (id) => `tuf_keys/_trust/${id}_targets.key`);
    putOldKey(base, (id) => `trusted_certificates/reg.example/${id}.crt`, 'a certificate');
    const good = putOldKey(base, (id) => `tuf_keys/reg/a/${id}_snapshot.key`);
    const before = tree(base);
    const keys = new KeyFolder(base);
    expect((await keys.list()).map(({ id, role }) => [id, role])).toEqual([[good, 'snapshot']]);
    const moved = [`tuf_keys/reg/a/${good}_snapshot.key`, 'tuf_keys/reg/a', 'tuf_keys/reg'];
    expect(tree(base)).toEqual([...before.filter((path) => !moved.includes(path)), `${good}.key`].sort());
  });

  test('do not replace another key of today, and stay beside it', async () => {
    const base = temporaryFolder();
    const key = generatePrivateKey('ecdsa');
    const sealed = sealKey(key, { role: 'alice', passphrase: NONE });
    await new KeyFolder(base).add(key.id, sealed);
    const old = join(base, 'private/root_keys', `${key.id}_root.key`);
    mkdirSync(dirname(old));
    writeFileSync(old, sealKey(key, { role: '', passphrase: NONE }));
    expect((await new KeyFolder(base).load(key.id))?.role).toBe('alice');
    expect(existsSync(old)).toBe(true);
  });

  test('that were moved before, but not removed, are removed now', async () => {
    const base = temporaryFolder();
    const id = putOldKey(base, (name) => `root_keys/${name}_root.key`);
    const old = readFileSync(join(base, `private/root_keys/${id}_root.key`));
    await new KeyFolder(base).list();
    mkdirSync(join(base, 'private/root_keys'));
    writeFileSync(join(base, `private/root_keys/${id}_root.key`), old);
    await new KeyFolder(base).list();
    expect(tree(base)).toEqual([`${id}.key`]);
  });

  test('behind a link are left alone', async () => {
    const base = temporaryFolder();
    const elsewhere = temporaryFolder();
    const id = putOldKey(elsewhere, (name) => `root_keys/${name}_root.key`);
    mkdirSync(join(base, 'private'));
    symlinkSync(join(elsewhere, 'private/root_keys'), join(base, 'private/root_keys'));
    expect(await new KeyFolder(base).list()).toEqual([]);
    expect(tree(elsewhere)).toEqual(['root_keys', `root_keys/${id}_root.key`]);
  });
});
