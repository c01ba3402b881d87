import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { dataFolder, defaultDataFolder, openDataFolder } from '../../../src/serve/data/data-folder.ts';
import { lockFolder } from '../../../src/serve/data/folder-lock.ts';
import { loadMasterKey } from '../../../src/serve/data/master-key.ts';
import { atEnd } from '../../support/cleanup.ts';
import { failure } from '../../support/failure.ts';
import { run } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temp.ts';

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

  describe('that belongs to another user', () => {
    const OPEN = `
      const folder = openDataFolder(path);
      lockFolder(folder);
      loadMasterKey({ folder, file: undefined, environment: {}, isInUse: false });
      const modes = [folder.lock, folder.masterKey].map((file) => (statSync(file).mode & 0o777).toString(8));
      console.log('used', ...modes);`;
    /** Starts a server, twice, and says which files others could read. */
    const SERVE = `
      const listen = { host: '127.0.0.1', port: 0 };
      for (let start = 0; start < 2; start++) {
        const settings = { ...readSettings({ folder: '/' }), listen, data: path };
        const server = await startServer(settings, { environment: {}, log: () => {} });
        const { status } = await fetch(server.url + '/_signet/health', { tls: { ca: server.caCertificate } });
        const names = readdirSync(path, { recursive: true }).filter((name) => statSync(path + '/' + name).isFile());
        const open = names.filter((name) => (statSync(path + '/' + name).mode & 0o077) !== 0);
        console.log(status, names.includes('signet.db'), open.join());
        await server.stop();
      }`;
    const [stranger, group] = [12_345, 23_456];
    /** Runs as another user of that group, over a folder that a volume would be; what it printed, and the folder. */
    const useAs = async (mode: number, owner = 0, gid = group, work = OPEN) => {
      const place = temporaryFolder();
      chmodSync(place, 0o755);
      const path = join(place, 'volume');
      mkdirSync(path);
      chownSync(path, owner, gid);
      chmodSync(path, mode);
      const modules = join(import.meta.dir, '../../../src/serve');
      const script = `
        import { readdirSync, statSync } from 'node:fs';
        import { lockFolder } from '${modules}/data/folder-lock.ts';
        import { loadMasterKey } from '${modules}/data/master-key.ts';
        import { dataFolder, openDataFolder } from '${modules}/data/data-folder.ts';
        import { readSettings } from '${modules}/settings/read-settings.ts';
        import { startServer } from '${modules}/start.ts';
        process.setgroups([]); process.setgid(${group}); process.setuid(${stranger});
        const path = ${JSON.stringify(path)};
        try {
          ${work}
        } catch (error) { console.log(error.code, error.message); }`;
      const { stdout, stderr } = await run([process.execPath, '-e', script]);
      expect(stderr).toBe('');
      return { said: stdout.trim().replace(path, 'VOLUME'), path };
    };

    test('is used where it is writable through its group, and secrets in it stay private', async () => {
      for (const mode of [0o2775, 0o2770, 0o775]) {
        const { said, path } = await useAs(mode);
        expect(said).toBe('used 600 600');
        expect(statSync(path).mode & 0o7777).toBe(mode);
      }
      expect((await useAs(0o2770, 54_321)).said).toBe('used 600 600');
    });

    test('is enough for a whole server', async () => {
      expect((await useAs(0o2775, 0, group, SERVE)).said).toBe('200 true \n200 true');
    });

    test.each([
      [0o2777, group, 'and everybody may write to it (chmod o-w)'],
      [0o1777, group, 'and everybody may write to it (chmod o-w)'],
      [0o2755, group, `and its group ${group} may not write to it (chmod g+rwx)`],
    ])('is refused with mode %o', async (mode, gid, why) => {
      const { said, path } = await useAs(mode, 0, gid);
      expect(said).toBe(
        `data-folder-unusable cannot use the data folder VOLUME: it belongs to user 0, this process runs as user ${stranger}, ${why}`,
      );
      expect(statSync(path).mode & 0o7777).toBe(mode);
    });

    test('is refused where its group is not one of this process', async () => {
      const { said } = await useAs(0o2775, 0, 34_567);
      expect(said).toBe(
        `data-folder-unusable cannot use the data folder VOLUME: it belongs to user 0, this process runs as user ${stranger}`,
      );
    });
  });

  test('has its secrets shut again after an orchestrator opened them to a group', () => {
    const folder = openDataFolder(temporaryFolder());
    mkdirSync(folder.tls);
    const secrets = [
      folder.database,
      `${folder.database}-wal`,
      folder.masterKey,
      folder.tokenKey,
      folder.firstPassword,
    ];
    const all = [...secrets, folder.authorityKey, folder.serverKey];
    for (const path of all) {
      writeFileSync(path, '');
      chmodSync(path, 0o660);
    }
    openDataFolder(folder.path);
    expect(all.map(modeOf)).toEqual(all.map(() => 0o600));
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

  test('keeps its file empty, and needs no room to be taken', () => {
    const folder = openDataFolder(temporaryFolder());
    const lock = lockFolder(folder);
    expect(statSync(folder.lock).size).toBe(0);
    lock.release();
    lock.release();
    expect([statSync(folder.lock).size, existsSync(folder.holder)]).toEqual([0, false]);
  });

  test.each([
    ['empty', ''],
    ['one byte', 'S'],
    ['no database', 'x'.repeat(5000)],
    ['the beginning of one', `SQLite format 3\0${'\0'.repeat(30)}`],
    ['a whole one of before', undefined],
  ])('that a crash left behind is taken: %s', async (_, content) => {
    const folder = openDataFolder(temporaryFolder());
    if (content === undefined) {
      const before = new Database(folder.lock, { create: true });
      before.run('CREATE TABLE holder (pid INTEGER NOT NULL)');
      before.run('INSERT INTO holder VALUES (999999)');
      before.close();
    } else {
      writeFileSync(folder.lock, content);
    }
    writeFileSync(folder.holder, `${process.pid}`);
    const lock = lockFolder(folder);
    expect((await failure(() => lockFolder(folder), 'data-folder-locked')).message).toStartWith(
      `process ${process.pid} `,
    );
    lock.release();
  });

  test('names no one who does not run, or is another process of the same number', async () => {
    const folder = openDataFolder(temporaryFolder());
    const lock = lockFolder(folder);
    const dead = Bun.spawn(['true']);
    await dead.exited;
    const texts = [`${dead.pid} 12345\n`, `${process.pid} 1\n`, `${process.pid} \n`, '1', '', 'x'.repeat(100_000)];
    for (const text of texts) {
      writeFileSync(folder.holder, text);
      const error = await failure(() => lockFolder(folder), 'data-folder-locked');
      expect([text, error.message]).toEqual([text, `another process serves from ${folder.path}`]);
    }
    lock.release();
  });

  test('on a full disk is taken, and the next one is refused', async () => {
    const isRoot = process.getuid?.() === 0;
    const script = `
      const { openDataFolder } = await import(${JSON.stringify(join(import.meta.dir, '../../../src/serve/data/data-folder.ts'))});
      const { lockFolder } = await import(${JSON.stringify(join(import.meta.dir, '../../../src/serve/data/folder-lock.ts'))});
      const folder = openDataFolder('DATA');
      const lock = lockFolder(folder);
      try { lockFolder(folder); } catch (error) { console.log(error.code, '|', error.message); }`;
    const mount = temporaryFolder();
    const file = join(mount, '.script.ts');
    writeFileSync(file, script.replace('DATA', join(mount, 'full', 'data')));
    // Room for the folder and one empty file: a crash has left the name of a process that ended.
    const shell = `set -e
      mkdir ${mount}/full && mount -t tmpfs -o size=64k none ${mount}/full && mkdir -m 700 ${mount}/full/data
      echo '999999 12345' > ${mount}/full/data/serve.pid
      dd if=/dev/zero of=${mount}/full/filling bs=4k 2>/dev/null || true
      exec ${process.execPath} ${file}`;
    const words = isRoot ? ['unshare', '-m'] : ['unshare', '-rm'];
    const { stdout, stderr } = await run([...words, 'sh', '-c', shell]);
    expect([stdout, stderr]).toEqual([`data-folder-locked | another process serves from ${mount}/full/data\n`, '']);
  });

  test('of a process that was killed is free', async () => {
    const folder = openDataFolder(temporaryFolder());
    const modules = ['folder-lock', 'data-folder'].map((name) =>
      join(import.meta.dir, `../../../src/serve/data/${name}.ts`),
    );
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
