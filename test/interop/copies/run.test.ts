import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatCopies } from '../../../src/core/copy/copy-file.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { DAY, formatTime, YEAR } from '../../../src/core/time.ts';
import { findProgram, trustingClis } from '../../support/clis.ts';
import { copyOf } from '../../support/copies.ts';
import { type Engine, startEngine } from '../../support/dockerd.ts';
import { type Layout, writeLayout } from '../../support/oci.ts';
import { type Outcome, run } from '../../support/run.ts';
import { type SignetServer, signetCommand, startSignet } from '../../support/signet-server.ts';
import { Simulator } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';

// An image of Docker Hub, whose trust server is gone, runs on an engine: because someone has vouched for it, because its
// digest is frozen, or because its trust data were carried over an air gap.

const NAME = 'docker.io/library/busybox';
const DAY_BEFORE = formatTime(Date.now() - 31 * DAY).slice(0, 10);
const DARK = 'https://localhost:1';

let server: SignetServer;
let engine: Engine;
let layout: Layout;
let copy: string;
const operator = temporaryFolder();

beforeAll(async () => {
  server = await startSignet({ args: ['--auth', 'off'] });
  engine = await startEngine({ args: [`--registry-mirror=${server.origin}`] });
  layout = await writeLayout(['amd64', 'arm64'], 'It worked!');
  for (const tag of ['latest', 'other']) {
    const to = `docker://${server.host}/library/busybox:${tag}`;
    await succeeds(
      run([findProgram('skopeo'), 'copy', '--quiet', '--all', '--dest-tls-verify=false', layout.name, to]),
    );
  }
  const hashes = new Map([['sha256', Buffer.from(layout.index.digest.slice('sha256:'.length), 'hex')]]);
  const docker = await Simulator.start({
    gun: parseGun(NAME),
    now: Date.now() - 3 * YEAR - 30 * DAY,
    edit: (editor) => editor.addTarget('targets', 'latest', { length: layout.index.bytes.length, hashes }),
  });
  docker.now = Date.now();
  await docker.refresh();
  copy = join(temporaryFolder(), 'busybox.copy');
  writeFileSync(copy, formatCopies([await copyOf(docker)]));
  configure(operator, { registries: { 'docker.io': { trustServer: server.origin } } });
}, 60_000);

afterAll(() => engine.stop());

function configure(home: string, settings: object): void {
  const certificates = join(home, '.docker/tls', server.host);
  mkdirSync(certificates, { recursive: true });
  copyFileSync(server.authority, join(certificates, 'ca.crt'));
  writeFileSync(join(home, '.docker/signet.json'), JSON.stringify(settings));
}

function someone(settings: object): string {
  const home = temporaryFolder();
  configure(home, settings);
  return home;
}

function type(home: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const passphrases = {
    DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE: 'the root of what is vouched for',
    DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE: 'and what it is vouched for with',
  };
  return run(command, {
    env: { PATH: process.env.PATH ?? '', HOME: home, DOCKER_HOST: engine.host, ...passphrases, ...env },
  });
}

const signet = (home: string, ...words: readonly string[]) => type(home, [...signetCommand(), ...words]);
const trusting = (home: string, ...words: readonly string[]) =>
  type(home, [...signetCommand(), ...words], { DOCKER_CONTENT_TRUST: '1' });

async function succeeds(outcome: Promise<Outcome>): Promise<Outcome> {
  const ended = await outcome;
  expect(ended).toMatchObject({ exitCode: 0 });
  return ended;
}

describe('an image whose trust server is gone', () => {
  test('runs once someone has vouched for it, with signet and every docker that knows content trust', async () => {
    const reader = someone({ registries: { 'docker.io': { trustServer: server.origin } } });
    expect((await trusting(reader, 'run', '--rm', 'busybox')).exitCode).toBe(125);
    await succeeds(signet(operator, 'trust', 'adopt', '--init', '--from', copy, '--accept-expired', DAY_BEFORE));
    expect((await succeeds(trusting(reader, 'run', '--rm', 'busybox'))).stdout).toBe('It worked!\n');
    expect((await trusting(reader, 'run', '--rm', 'busybox:other')).exitCode).toBe(125);
    for (const { path } of await trustingClis()) {
      const env = { DOCKER_CONTENT_TRUST: '1', DOCKER_CONTENT_TRUST_SERVER: server.origin };
      const home = someone({});
      expect((await succeeds(type(home, [path, 'run', '--rm', 'busybox'], env))).stdout).toBe('It worked!\n');
      expect((await type(home, [path, 'run', '--rm', 'busybox:other'], env)).exitCode).toBe(125);
    }
  }, 60_000);

  test('runs while its digest is frozen, which is said each time, and no other tag does', async () => {
    const reader = someone({ frozen: 'frozen.json', registries: { 'docker.io': { trustServer: DARK } } });
    const list = join(reader, '.docker/frozen.json');
    const freeze = ['trust', 'adopt', '--from', copy, '--accept-expired', DAY_BEFORE, '--freeze', list];
    expect((await trusting(reader, 'run', '--rm', 'busybox')).stderr).toContain('frozen.json does not exist');
    await succeeds(signet(operator, ...freeze, '--until', '2099-12-31'));
    const notice = `busybox:latest is frozen until 2099-12-31T23:59:59Z: its digest comes from ${list}, not from signatures`;
    for (const words of [
      ['run', '--rm', 'busybox'],
      ['pull', 'busybox'],
    ]) {
      expect((await succeeds(trusting(reader, ...words))).stderr).toContain(notice);
    }
    expect((await trusting(reader, 'run', '--rm', 'busybox:other')).exitCode).toBe(125);
    const ended = JSON.stringify({ ...JSON.parse(await Bun.file(list).text()), until: '2026-01-01T00:00:00Z' });
    writeFileSync(list, ended);
    const refused = await trusting(reader, 'run', '--rm', 'busybox');
    expect(refused).toMatchObject({ exitCode: 125, stdout: '' });
    expect(refused.stderr).toContain(`${NAME}:latest was frozen until 2026-01-01T00:00:00Z`);
  }, 60_000);

  test('runs behind an air gap, from trust data that were carried over as a file', async () => {
    const file = join(operator, 'gap.copy');
    await succeeds(signet(operator, 'trust', 'export', '-o', file, NAME));
    const inside = someone({ registries: { 'docker.io': { trustServer: DARK } } });
    expect((await trusting(inside, 'run', '--rm', 'busybox')).exitCode).toBe(125);
    await succeeds(signet(inside, 'trust', 'import', file));
    const { stdout, stderr } = await succeeds(trusting(inside, 'run', '--rm', 'busybox'));
    expect(stdout).toBe('It worked!\n');
    expect(stderr).toContain('using cached timestamp');
    expect((await trusting(inside, 'run', '--rm', 'busybox:other')).exitCode).toBe(125);
  }, 60_000);
});
