import { describe, expect, test } from 'bun:test';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findDocker } from '../../../src/engine/cli/cli.ts';
import { dockerClis } from '../../support/clis.ts';
import { temporaryFolder } from '../../support/temp.ts';

const MISSING = { code: 'docker-missing' };

/** A program that prints `answer`, in a folder of its own. */
function program(name: string, answer: string): { folder: string; path: string; calls: () => number } {
  const folder = temporaryFolder();
  const path = join(folder, name);
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  writeFileSync(path, `#!/bin/sh\necho called >> ${log}\n${answer}\n`);
  chmodSync(path, 0o755);
  return { folder, path, calls: () => readFileSync(log, 'utf8').split('\n').length - 1 };
}

const docker = (version = '28.2.2') => program('docker', `echo 'Docker version ${version}, build e6534b4'`);
const find = (variables: NodeJS.ProcessEnv) => findDocker({ XDG_CACHE_HOME: temporaryFolder(), ...variables });
const onPath = (...folders: string[]) => [...folders, '/usr/bin', '/bin'].join(':');

describe('findDocker', () => {
  test('finds every docker command of this machine by asking it', async () => {
    for (const { path, version } of await dockerClis()) {
      expect(await find({ SIGNET_DOCKER: path })).toMatchObject({ path, kind: 'docker', version });
    }
  });

  test('takes the first on PATH', async () => {
    const [first, second] = [docker('1.0'), docker('2.0')];
    expect(await find({ PATH: onPath(first.folder, second.folder) })).toMatchObject({
      path: first.path,
      version: '1.0',
    });
  });

  test('takes the one that SIGNET_DOCKER names, as path or as name on PATH', async () => {
    const [first, second] = [docker('1.0'), docker('2.0')];
    const other = program('moby', "echo 'Docker version 3.0-dev, build unknown'");
    const PATH = onPath(first.folder, other.folder);
    expect((await find({ PATH, SIGNET_DOCKER: second.path })).version).toBe('2.0');
    expect((await find({ PATH, SIGNET_DOCKER: 'moby' })).version).toBe('3.0-dev');
    await expect(find({ PATH, SIGNET_DOCKER: '/nonexistent/docker' })).rejects.toMatchObject(MISSING);
    await expect(find({ PATH, SIGNET_DOCKER: 'nonexistent' })).rejects.toMatchObject(MISSING);
    await expect(find({ PATH, SIGNET_DOCKER: second.folder })).rejects.toMatchObject(MISSING);
  });

  test('passes over itself under the name of docker, linked in any way', async () => {
    const real = docker();
    for (const link of [symlinkSync, linkSync]) {
      const own = join(temporaryFolder(), 'docker');
      try {
        link(process.execPath, own);
      } catch {
        // A hard link across file systems is not possible; a copy of the link's target would not be the same file.
        symlinkSync(process.execPath, own);
      }
      const PATH = onPath(join(own, '..'), real.folder);
      expect((await find({ PATH })).path).toBe(real.path);
      await expect(find({ PATH, SIGNET_DOCKER: own })).rejects.toMatchObject(MISSING);
    }
  });

  test('passes over a script that calls signet, without calling it', async () => {
    const shim = program('docker', 'exec signet "$@"');
    const real = docker();
    expect((await find({ PATH: onPath(shim.folder, real.folder) })).path).toBe(real.path);
    expect(shim.calls()).toBe(0);
  });

  test('passes over a signet that it cannot recognise, because that one refuses to be asked', async () => {
    const engine = join(import.meta.dir, '../../../src/engine/cli/cli.ts');
    const folder = temporaryFolder();
    const main = join(folder, 'main.ts');
    writeFileSync(
      main,
      `const { findDocker } = await import(${JSON.stringify(engine)});\nconsole.log('Docker version', (await findDocker()).version);\n`,
    );
    const hidden = program('docker', `exec ${process.execPath} ${main} "$@"`);
    const real = docker();
    const PATH = onPath(hidden.folder, real.folder);
    expect((await find({ PATH })).path).toBe(real.path);
    expect(hidden.calls()).toBe(1);
  });

  test('passes over what is broken, not executable, or something else', async () => {
    const real = docker();
    const broken = temporaryFolder();
    writeFileSync(join(broken, 'docker'), 'not a program');
    chmodSync(join(broken, 'docker'), 0o755);
    const plain = temporaryFolder();
    copyFileSync(real.path, join(plain, 'docker'));
    chmodSync(join(plain, 'docker'), 0o644);
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'docker'));
    const dangling = temporaryFolder();
    symlinkSync('/nonexistent', join(dangling, 'docker'));
    const other = program('docker', 'echo docker is a dock application');
    const PATH = onPath(broken, plain, folder, dangling, other.folder, real.folder);
    expect((await find({ PATH })).path).toBe(real.path);
  });

  test('never looks into folders that PATH names relative to the current one', async () => {
    const real = docker();
    const here = program('docker', "echo 'Docker version 6.6.6, build evil'");
    const before = process.cwd();
    process.chdir(here.folder);
    try {
      expect((await find({ PATH: `.::${onPath(real.folder)}` })).path).toBe(real.path);
    } finally {
      process.chdir(before);
    }
    expect(here.calls()).toBe(0);
  });

  test('takes podman if there is no docker, and knows podman under the name of docker', async () => {
    const podman = program('podman', "echo 'podman version 4.3.1'");
    expect(await find({ PATH: podman.folder })).toMatchObject({ path: podman.path, kind: 'podman', version: '4.3.1' });
    const emulation = program('docker', "echo Emulate >&2; echo 'podman version 5.0.0'");
    const found = await find({ PATH: `${podman.folder}:${emulation.folder}:/bin` });
    expect(found).toMatchObject({ path: emulation.path, kind: 'podman', version: '5.0.0' });
  });

  test('refuses if there is nothing', async () => {
    await expect(find({ PATH: temporaryFolder() })).rejects.toMatchObject(MISSING);
    await expect(find({})).rejects.toMatchObject(MISSING);
  });

  test('asks again only when the file has changed', async () => {
    const real = docker('1.0');
    const variables = { PATH: onPath(real.folder), XDG_CACHE_HOME: temporaryFolder() };
    const first = await find(variables);
    expect(await find(variables)).toEqual(first);
    expect(real.calls()).toBe(1);
    utimesSync(real.path, 1, 1);
    expect((await find(variables)).stamp).not.toBe(first.stamp);
    expect(real.calls()).toBe(2);
    writeFileSync(real.path, "#!/bin/sh\necho 'Docker version 29.0.0, build x'\n");
    expect((await find(variables)).version).toBe('29.0.0');
  });
});
