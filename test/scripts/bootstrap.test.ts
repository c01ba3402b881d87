import { expect, test } from 'bun:test';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from '../support/clis.ts';
import { type Outcome, run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const LOCK = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/bun': { version: '1.0.0' },
    'node_modules/elsewhere': { version: '1.0.0', optional: true },
  },
};
const INSTALLED = { packages: { 'node_modules/bun': { version: '1.0.0' } } };
const UNPACKED = 'node_modules/.peers/golang-docker-credential-helpers';
const BUN = '[ "$1" = --version ] && exit 0; note bun "$@"; exit 5';

/** A checkout of nothing but the entrance script, on a machine whose programs only note how they were called. */
class Machine {
  readonly root = temporaryFolder();

  constructor(programs: Readonly<Record<string, string>> = {}) {
    mkdirSync(join(this.root, 'scripts'));
    copyFileSync(join(import.meta.dir, '../../scripts/bootstrap.mjs'), join(this.root, 'scripts/bootstrap.mjs'));
    this.write('package-lock.json', JSON.stringify(LOCK));
    this.write('node_modules/.package-lock.json', JSON.stringify(INSTALLED));
    this.write(`${UNPACKED}/usr/bin/docker-credential-pass`, '');
    this.program('node_modules/.bin/bun', BUN);
    for (const [name, script] of Object.entries(programs)) this.program(`bin/${name}`, script);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  program(path: string, script: string): void {
    const note = `note() { (IFS=' '; echo "$*" >> '${this.root}/calls'); }`;
    this.write(path, `#!/bin/sh\n${note}\n${script}\n`);
    chmodSync(join(this.root, path), 0o755);
  }

  bootstrap(args: readonly string[], folders = '/usr/bin:/bin'): Promise<Outcome> {
    const env = { PATH: `${join(this.root, 'bin')}:${folders}` };
    return run([findProgram('node'), join(this.root, 'scripts/bootstrap.mjs'), ...args], { env });
  }

  calls(): string[] {
    const path = join(this.root, 'calls');
    return existsSync(path) ? readFileSync(path, 'utf8').replaceAll(this.root, '').trim().split('\n') : [];
  }
}

/** dpkg-query of a machine where `missing` were removed or never installed, and everything else is installed. */
function packagesWithout(...missing: readonly string[]): string {
  return `shift; for name in "$@"; do
    case " ${missing.join(' ')} " in *" $name "*) state=config-files ;; *) state=installed ;; esac
    printf 'Package: %s\nStatus: install ok %s\n\n' "$name" $state
  done`;
}

test('with all installed, the script runs with its arguments and its exit code passes through', async () => {
  const machine = new Machine();
  const { exitCode, stderr } = await machine.bootstrap(['check', 'one', 'two']);
  expect({ exitCode, stderr, calls: machine.calls() }).toEqual({
    exitCode: 5,
    stderr: '',
    calls: ['bun /scripts/check.ts one two'],
  });
});

test('an unknown word prints the usage', async () => {
  const machine = new Machine();
  const { exitCode, stderr } = await machine.bootstrap(['destroy']);
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    'signet: usage: node scripts/bootstrap.mjs build|check|demo|fuzz|test|test:interop|test:unit [arguments]\n',
  );
});

test('npm ci runs where a package is missing or of another version, and only there', async () => {
  const machine = new Machine({ npm: 'note npm "$@"' });
  machine.write('node_modules/.package-lock.json', '{"packages":{"node_modules/bun":{"version":"0.9.0"}}}');
  const { stderr } = await machine.bootstrap(['build']);
  expect(stderr).toContain('npm ci');
  expect(machine.calls()).toEqual(['npm ci --no-audit --no-fund', 'bun /scripts/build.ts']);
});

test('a failing npm ci ends the run', async () => {
  const machine = new Machine({ npm: 'exit 3' });
  machine.write('node_modules/.package-lock.json', '{"packages":{}}');
  const { exitCode, stderr } = await machine.bootstrap(['build']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('npm ci failed');
  expect(machine.calls()).toEqual([]);
});

test('where npm did not run install scripts, the one of bun is run', async () => {
  const machine = new Machine();
  machine.program('node_modules/.bin/bun', 'exit 1');
  machine.program('real-bun', BUN);
  const copy = "require('fs').copyFileSync(__dirname + '/../../real-bun', __dirname + '/../.bin/bun')";
  machine.write('node_modules/bun/install.js', copy);
  expect((await machine.bootstrap(['build'])).exitCode).toBe(5);
  expect(machine.calls()).toEqual(['bun /scripts/build.ts']);
});

test('only missing Debian packages are installed, after an update where the first try fails', async () => {
  const machine = new Machine({
    'dpkg-query': packagesWithout('notary', 'skopeo'),
    sudo: 'exec "$@"',
    'apt-get': `
      [ "$1" = --version ] && exit 0
      note apt-get "$@" as $DEBIAN_FRONTEND
      [ "$2" = update ] && touch "$0.updated"
      [ -e "$0.updated" ]`,
  });
  const { exitCode, stderr } = await machine.bootstrap(['test', 'core']);
  expect(exitCode).toBe(5);
  expect(stderr).toContain('installing Debian packages: notary skopeo');
  const install = 'apt-get --quiet install --yes --no-install-recommends notary skopeo as noninteractive';
  expect(machine.calls().slice(-3)).toEqual([
    'apt-get --quiet update as noninteractive',
    install,
    'bun /scripts/test.ts core',
  ]);
});

test('with nothing missing, apt-get is left alone', async () => {
  const machine = new Machine({
    'dpkg-query': packagesWithout(),
    'apt-get': 'note apt-get "$@"',
  });
  await machine.bootstrap(['test']);
  expect(machine.calls()).toEqual(['bun /scripts/test.ts']);
});

test('a package that must not be installed is unpacked, once', async () => {
  const machine = new Machine({
    'dpkg-query': packagesWithout(),
    'apt-get': 'note apt-get "$@" && touch "$2_1.deb"',
    'dpkg-deb': 'note dpkg-deb "$1" && mkdir -p "$3/usr/bin" && touch "$3/usr/bin/helper"',
  });
  rmSync(join(machine.root, UNPACKED), { recursive: true });
  await machine.bootstrap(['test']);
  expect(existsSync(join(machine.root, UNPACKED, 'usr/bin/helper'))).toBe(true);
  await machine.bootstrap(['test']);
  expect(machine.calls()).toEqual([
    'apt-get download golang-docker-credential-helpers',
    'dpkg-deb -x',
    'bun /scripts/test.ts',
    'bun /scripts/test.ts',
  ]);
});

test('a package that cannot be unpacked leaves nothing behind', async () => {
  const machine = new Machine({
    'dpkg-query': packagesWithout(),
    'apt-get': 'touch "$2_1.deb"',
    'dpkg-deb': 'exit 2',
  });
  rmSync(join(machine.root, UNPACKED), { recursive: true });
  const { exitCode, stderr } = await machine.bootstrap(['test']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('golang-docker-credential-helpers could not be unpacked');
  expect(existsSync(join(machine.root, UNPACKED))).toBe(false);
});

test('without apt-get, the packages to install by hand are named', async () => {
  const machine = new Machine();
  const { exitCode, stderr } = await machine.bootstrap(['test'], join(machine.root, 'none'));
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Install by hand: busybox-static ca-certificates docker-registry docker.io');
  expect(machine.calls()).toEqual([]);
});

test('a signal reaches the script, whose exit code is kept', async () => {
  const machine = new Machine();
  machine.program(
    'node_modules/.bin/bun',
    '[ "$1" = --version ] && exit 0; trap "note stopped; exit 9" TERM; kill $PPID; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; done',
  );
  expect((await machine.bootstrap(['build'])).exitCode).toBe(9);
  expect(machine.calls()).toEqual(['stopped']);
});
