import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dataFolder, defaultDataFolder, openDataFolder } from '../../src/serve/data-folder.ts';
import { lockFolder } from '../../src/serve/folder-lock.ts';
import { loadMasterKey } from '../../src/serve/master-key.ts';
import { atEnd } from '../support/cleanup.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/** A folder of another user: one given away by root, for others one of root's own. */
function foreignFolder(): string {
  if (process.getuid?.() !== 0) return '/usr';
  const path = join(temporaryFolder(), 'foreign');
  mkdirSync(path, { mode: 0o755 });
  chownSync(path, 12_345, 12_345);
  return path;
}

describe('the default data folder', () => {
  test('is what SIGNET_DATA says, before everything else', () => {
    expect(defaultDataFolder({ SIGNET_DATA: '/srv/signet', XDG_DATA_HOME: '/x' }, true)).toBe('/srv/signet');
    expect(defaultDataFolder({ SIGNET_DATA: '' }, true)).toBe('/var/lib/signet');
  });

  test('is below /var/lib for root, and below the home of others', () => {
    expect(defaultDataFolder({ XDG_DATA_HOME: '/x' }, true)).toBe('/var/lib/signet');
    expect(defaultDataFolder({ XDG_DATA_HOME: '/x' }, false)).toBe('/x/signet');
    expect(defaultDataFolder({ XDG_DATA_HOME: 'relative' }, false)).toBe(join(homedir(), '.local/share/signet'));
    expect(defaultDataFolder({}, false)).toBe(join(homedir(), '.local/share/signet'));
  });
});

describe('a data folder', () => {
  test('is made with its parents, and shut to others', () => {
    const path = join(temporaryFolder(), 'a', 'b');
    expect(openDataFolder(path)).toEqual(dataFolder(path));
    expect(modeOf(path)).toBe(0o700);
  });

  test('that is open to others is shut', () => {
    const path = join(temporaryFolder(), 'open');
    mkdirSync(path);
    chmodSync(path, 0o755);
    openDataFolder(path);
    expect(modeOf(path)).toBe(0o700);
  });

  test('that is a file, or lies below one, is refused', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await failure(() => openDataFolder(file), 'data-folder-unusable');
    await failure(() => openDataFolder(join(file, 'x')), 'data-folder-unusable');
  });

  test('that belongs to another user is refused and left as it is', async () => {
    const path = foreignFolder();
    const mode = modeOf(path);
    await failure(() => openDataFolder(path), 'data-folder-unusable');
    expect(modeOf(path)).toBe(mode);
  });
});

describe('the lock', () => {
  test('is held by one at a time, and says by whom', async () => {
    const folder = openDataFolder(temporaryFolder());
    const lock = lockFolder(folder);
    const error = await failure(() => lockFolder(folder), 'data-folder-locked');
    expect(error.message).toBe(`process ${process.pid} serves from ${folder.path}`);
    expect(modeOf(folder.lock)).toBe(0o600);
    lock.release();
    lockFolder(folder).release();
  });

  test('of a process that was killed is free', async () => {
    const folder = openDataFolder(temporaryFolder());
    const modules = ['folder-lock', 'data-folder'].map((name) => join(import.meta.dir, `../../src/serve/${name}.ts`));
    const script = `
      const [{ lockFolder }, { dataFolder }] = await Promise.all(${JSON.stringify(modules)}.map((path) => import(path)));
      lockFolder(dataFolder(${JSON.stringify(folder.path)}));
      Bun.gc(true);
      console.log('locked');
      setInterval(() => {}, 1000);`;
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'ignore' });
    atEnd(() => child.kill('SIGKILL'));
    const { value } = await child.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe('locked\n');
    const error = await failure(() => lockFolder(folder), 'data-folder-locked');
    expect(error.message).toStartWith(`process ${child.pid} `);
    child.kill('SIGKILL');
    await child.exited;
    lockFolder(folder).release();
  });
});

describe('the master key', () => {
  const KEY = Buffer.from('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'hex');
  const none = { file: undefined, environment: {}, isInUse: false };

  test('is made once, and is the same at the next start', () => {
    const folder = openDataFolder(temporaryFolder());
    const key = loadMasterKey({ ...none, folder });
    expect(key).toHaveLength(32);
    expect(loadMasterKey({ ...none, folder, isInUse: true })).toEqual(key);
    expect(modeOf(folder.masterKey)).toBe(0o600);
    expect(loadMasterKey({ ...none, folder: openDataFolder(temporaryFolder()) })).not.toEqual(key);
  });

  test('that is lost is not replaced while anything is sealed with it', async () => {
    const folder = openDataFolder(temporaryFolder());
    await failure(() => loadMasterKey({ ...none, folder, isInUse: true }), 'master-key-unreadable');
    expect(existsSync(folder.masterKey)).toBe(false);
  });

  test('comes from the environment or from a file, in hexadecimal or base64, and is not written down then', () => {
    const folder = openDataFolder(temporaryFolder());
    const file = join(temporaryFolder(), 'key');
    for (const text of [
      KEY.toString('hex'),
      KEY.toString('hex').toUpperCase(),
      KEY.toString('base64'),
      `${KEY.toString('base64')}\n`,
    ]) {
      expect(loadMasterKey({ ...none, folder, environment: { SIGNET_MASTER_KEY: text } })).toEqual(KEY);
      writeFileSync(file, text);
      expect(loadMasterKey({ ...none, folder, file })).toEqual(KEY);
    }
    expect(existsSync(folder.masterKey)).toBe(false);
  });

  test('of another length or form is refused, without being named in the error', async () => {
    const folder = openDataFolder(temporaryFolder());
    const short = KEY.subarray(1).toString('base64');
    for (const text of [
      short,
      KEY.toString('hex').slice(2),
      `${KEY.toString('base64')}AAAA`,
      'passphrase',
      `${'!'.repeat(43)}=`,
    ]) {
      const error = await failure(
        () => loadMasterKey({ ...none, folder, environment: { SIGNET_MASTER_KEY: text } }),
        'master-key-unreadable',
      );
      expect(`${error.message} ${JSON.stringify(error.detail)}`).not.toContain(text);
    }
    await failure(
      () => loadMasterKey({ ...none, folder, file: join(folder.path, 'missing') }),
      'master-key-unreadable',
    );
  });
});
