// Runs every npm script. Works on plain Node with nothing installed, and installs what the script needs.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUN = join(ROOT, 'node_modules/.bin/bun');

/** Debian packages of the programs that the tests and the demo run. */
const PEERS = [
  'busybox-static',
  'ca-certificates',
  'docker-registry',
  'docker.io',
  'fish',
  'gnupg',
  'iptables',
  'mandoc',
  'mariadb-client-core',
  'mariadb-server-core',
  'notary',
  'openssl',
  'pass',
  'podman',
  'postgresql',
  'skopeo',
  'util-linux',
  'zsh',
];

/** Packages that are unpacked and not installed: docker takes up a credential helper that it finds on PATH by itself. */
const UNPACKED = ['golang-docker-credential-helpers'];
const PEERS_FOLDER = join(ROOT, 'node_modules/.peers');

const TASKS = new Map([
  ['build', { script: 'scripts/build.ts', packages: [] }],
  ['check', { script: 'scripts/check.ts', packages: [] }],
  ['demo', { script: 'scripts/demo.ts', packages: PEERS }],
  ['fuzz', { script: 'scripts/fuzz.ts', packages: [] }],
  ['test', { script: 'scripts/test.ts', packages: PEERS, unpacked: UNPACKED }],
  ['test:interop', { script: 'scripts/test.ts', words: ['--interop'], packages: PEERS, unpacked: UNPACKED }],
  ['test:unit', { script: 'scripts/test.ts', words: ['--unit'], packages: [] }],
]);

async function main([name, ...args]) {
  const task = TASKS.get(name);
  if (task === undefined) fail(`usage: node scripts/bootstrap.mjs ${[...TASKS.keys()].join('|')} [arguments]`);
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    fail(`this is Node ${process.versions.node}; Signet is built with Node ${OLDEST_NODE} or later`);
  }
  installModules();
  installBun();
  installPackages(task.packages);
  for (const name of task.unpacked ?? []) unpackPackage(name);
  process.exitCode = await run(BUN, [join(ROOT, task.script), ...(task.words ?? []), ...args]);
}

function installModules() {
  if (modulesAreCurrent()) return;
  say('installing the npm packages of package-lock.json (npm ci)');
  must('npm', ['ci', '--no-audit', '--no-fund'], 'npm ci failed; see its message above');
}

/** npm writes what it installed into its hidden lock file; packages for other platforms are missing there. */
function modulesAreCurrent() {
  const hidden = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(hidden)) return false;
  const installed = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || installed[path]?.version === version || (optional && installed[path] === undefined),
  );
}

/** npm can be told not to run install scripts; without its own, the package `bun` holds only a stand-in. */
function installBun() {
  if (bunWorks()) return;
  say('setting up the Bun runtime (the install script of the npm package bun)');
  must(process.execPath, [join(ROOT, 'node_modules/bun/install.js')], 'the Bun runtime could not be set up');
  if (!bunWorks()) fail(`${BUN} does not run on this machine`);
}

function bunWorks() {
  return spawnSync(BUN, ['--version'], { stdio: 'ignore' }).status === 0;
}

function installPackages(packages) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const byHand = `Install by hand: ${missing.join(' ')}`;
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) {
    fail(`this is not Debian: the programs of these Debian packages are needed.\n${byHand}`);
  }
  const root = asRoot();
  if (root === undefined) fail(`Debian packages are missing, and neither root nor sudo is at hand.\n${byHand}`);
  say(`installing Debian packages: ${missing.join(' ')}`);
  const install = ['install', '--yes', '--no-install-recommends', ...missing];
  if (hasPackageLists() && aptGet(root, install)) return;
  if (!aptGet(root, ['update']) || !aptGet(root, install)) fail(`apt-get failed; see its message above.\n${byHand}`);
}

function unpackPackage(name) {
  const folder = join(PEERS_FOLDER, name);
  if (existsSync(folder)) return;
  say(`unpacking the Debian package ${name}`);
  const draft = mkdtempSync(join(tmpdir(), 'signet-peer-'));
  const download = ['apt-get', ['download', name], { cwd: draft, stdio: 'inherit' }];
  if (spawnSync(...download).status !== 0) {
    const root = asRoot();
    if (root === undefined || !aptGet(root, ['update']) || spawnSync(...download).status !== 0)
      fail(`apt-get download ${name} failed; see its message above`);
  }
  const [file] = readdirSync(draft).filter((entry) => entry.endsWith('.deb'));
  must('dpkg-deb', ['-x', join(draft, file ?? ''), join(draft, 'content')], `${name} could not be unpacked`);
  mkdirSync(PEERS_FOLDER, { recursive: true });
  cpSync(join(draft, 'content'), `${folder}.draft`, { recursive: true });
  renameSync(`${folder}.draft`, folder);
  rmSync(draft, { recursive: true, force: true });
}

function missingPackages(packages) {
  if (packages.length === 0) return [];
  const query = spawnSync('dpkg-query', ['--status', ...packages], { encoding: 'utf8' });
  if (query.error !== undefined) return packages;
  const installed = query.stdout.split('\n\n').filter((entry) => /^Status: \S+ ok installed$/m.test(entry));
  return packages.filter((name) => !installed.some((entry) => entry.includes(`Package: ${name}\n`)));
}

/** The words to put before a command that needs root, undefined if there is no way. */
function asRoot() {
  if (process.getuid?.() === 0) return [];
  const sudo = process.stdin.isTTY ? ['sudo'] : ['sudo', '--non-interactive'];
  return spawnSync(sudo[0], [...sudo.slice(1), 'true'], { stdio: 'inherit' }).status === 0 ? sudo : undefined;
}

function hasPackageLists() {
  const lists = '/var/lib/apt/lists';
  return existsSync(lists) && readdirSync(lists).some((name) => /_Packages(\.[a-z0-9]+)?$/.test(name));
}

function aptGet(root, args) {
  const [command, ...rest] = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '--quiet', ...args];
  return spawnSync(command, rest, { stdio: 'inherit' }).status === 0;
}

function must(command, args, message) {
  if (spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' }).status !== 0) fail(message);
}

/** Runs a command to its end, passes signals on to it, and returns its exit code (128 + n after signal n). */
function run(command, args) {
  // Listening first: a signal that comes while the child starts must not leave it behind.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

function say(message) {
  console.error(`signet: ${message}`);
}

function fail(message) {
  say(message);
  process.exit(1);
}

await main(process.argv.slice(2));
