import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveCommand } from '../../src/cli/commands/serve/serve.ts';
import { dataFolder } from '../../src/serve/data/data-folder.ts';
import { atEnd } from '../support/cleanup.ts';
import { failure } from '../support/failure.ts';
import { temporaryFolder } from '../support/temp.ts';
import { fingerprintOf, peerCertificate } from './fixture.ts';

const MAIN = join(import.meta.dir, '../../src/cli/main.ts');
const COMMAND = join(import.meta.dir, '../../src/cli/commands/serve/serve.ts');

/** `signet serve` in a process of its own, once it has said where it is. */
async function spawnServe(...args: readonly string[]) {
  const script = `
    import { serveCommand } from ${JSON.stringify(COMMAND)};
    process.exit(await serveCommand(${JSON.stringify(args)}));`;
  const child = Bun.spawn([process.execPath, '-e', script], {
    env: { PATH: process.env.PATH, HOME: temporaryFolder() },
    stdout: 'pipe',
    stderr: 'pipe',
  });
  atEnd(() => child.kill('SIGKILL'));
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const announcement = Buffer.from(value ?? []).toString();
  const url = /^Signet serves (https:\S+)$/m.exec(announcement)?.[1];
  if (url === undefined) throw new Error(`signet serve did not start: ${await child.stderr.text()}`);
  return { child, announcement, url };
}

describe('signet serve', () => {
  test('prints its help without starting anything', async () => {
    const child = Bun.spawn([process.execPath, MAIN, 'serve', '--data', '/dev/null/x', '--help'], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    const [help, errors, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([errors, exitCode]).toEqual(['', 0]);
    expect(help).toStartWith('\nUsage:  signet serve [OPTIONS]\n\nServe trust data and images');
  });

  test('refuses what it does not know before it touches anything', async () => {
    await failure(serveCommand(['--listen', 'x']), 'setting-invalid');
    await failure(serveCommand(['--config', join(temporaryFolder(), 'missing')]), 'settings-unreadable');
  });

  test.each([
    ['unknown flag: --lisen', 125, ['--lisen', 'x']],
    ["unknown shorthand flag: 'x' in -x", 125, ['-x']],
    ['flag needs an argument: --listen', 125, ['--listen']],
    ['invalid argument "x" for "--yes" flag: strconv.ParseBool: parsing "x": invalid syntax', 125, ['--yes=x']],
    ["signet: 'signet serve' accepts no arguments", 1, ['now']],
  ])('%s: exit code %p, as docker has it', async (complaint, exitCode, args) => {
    const usage = "\n\nUsage:  signet serve [OPTIONS]\n\nRun 'signet serve --help' for more information\n";
    await expect(serveCommand(args)).rejects.toMatchObject({ message: `${complaint}${usage}`, exitCode });
  });

  test.each([
    ['conflicting options: --trust-here and --untrust-here', ['--trust-here', '--untrust-here']],
    ['--yes is for --trust-here and --untrust-here', ['--yes']],
  ])('%s: exit code 125', async (message, args) => {
    expect(await failure(serveCommand(args), 'usage')).toMatchObject({ message, exitCode: 125 });
  });

  test.each(['', ' ', '\t'])('takes no data folder named %p, and makes none', async (name) => {
    const error = await failure(serveCommand(['--data', name]), 'setting-invalid');
    expect([error.exitCode, error.message]).toEqual([
      125,
      `the data folder (--data) must be a folder, got ${JSON.stringify(name)}`,
    ]);
    expect(existsSync(name)).toBe(false);
  });

  test('reads the settings file of its data folder, takes a new certificate on SIGHUP, and ends with 0 on SIGTERM', async () => {
    const data = temporaryFolder();
    writeFileSync(join(data, 'signet.json'), '{"listen": "127.0.0.1:0", "service": "from-file"}');
    const { child, announcement, url } = await spawnServe('--data', data);
    const { authorityCertificate, serverCertificate, serverKey } = dataFolder(data);
    const password = readFileSync(dataFolder(data).firstPassword, 'utf8').trim();
    expect(announcement).toContain(`Log in as admin with the password in ${data}/admin-password\n`);
    expect(announcement).not.toContain(password);
    const ca = readFileSync(authorityCertificate, 'utf8');
    const challenge = await fetch(`${url}/v2/`, { tls: { ca } });
    expect(challenge.headers.get('www-authenticate')).toContain('service="from-file"');
    const before = readFileSync(serverCertificate, 'utf8');
    writeFileSync(serverKey, '');
    child.kill('SIGHUP');
    while (readFileSync(serverCertificate, 'utf8') === before) await Bun.sleep(5);
    const after = fingerprintOf(readFileSync(serverCertificate, 'utf8'));
    const port = Number(new URL(url).port);
    // Whoever connects in the very moment of the change is reset.
    while ((await peerCertificate({ port }).catch(() => '')) !== after) await Bun.sleep(5);
    expect((await fetch(`${url}/_signet/health`, { tls: { ca } })).status).toBe(200);
    child.kill('SIGTERM');
    expect(await child.exited).toBe(0);
    const log = await child.stderr.text();
    expect(log).toContain('"msg":"the certificate was replaced"');
    expect(log).toContain('"msg":"stopped"');
    expect(log).not.toContain(password);
  }, 20_000);

  test('shows the first password on a terminal, and keeps no file of it', async () => {
    const data = join(temporaryFolder(), 'data');
    let shown = '';
    const child = Bun.spawn([process.execPath, MAIN, 'serve', '--data', data, '--listen', '127.0.0.1:0'], {
      env: { PATH: process.env.PATH, HOME: temporaryFolder() },
      terminal: {
        cols: 200,
        rows: 50,
        data: (_, bytes) => {
          shown += Buffer.from(bytes).toString();
          if (shown.includes('--name HOST')) child.kill('SIGTERM');
        },
      },
    });
    atEnd(() => child.kill('SIGKILL'));
    expect(await child.exited).toBe(0);
    expect(shown).toMatch(/Log in as admin with the password [a-z2-9]{6}(-[a-z2-9]{6}){3}\r\n/);
    expect(existsSync(dataFolder(data).firstPassword)).toBe(false);
  }, 20_000);

  test('ends at once on a second signal', async () => {
    const data = temporaryFolder();
    const { child, url } = await spawnServe('--data', data, '--listen', '127.0.0.1:0', '--shutdown-grace', '1h');
    const ca = readFileSync(dataFolder(data).authorityCertificate, 'utf8');
    const endless = new ReadableStream({ pull: () => new Promise(() => {}) });
    const upload = fetch(`${url}/auth/token`, {
      method: 'POST',
      body: endless,
      tls: { ca },
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    const outcome = upload.then(
      ({ status }) => status,
      () => 'cut off',
    );
    const running = async () =>
      (await (await fetch(`${url}/metrics`, { tls: { ca } })).text()).includes('in_flight 2\n');
    while (!(await running())) await Bun.sleep(5);
    child.kill('SIGINT');
    let refused = false;
    while (!refused)
      refused = await fetch(`${url}/metrics`, { tls: { ca }, keepalive: false }).then(
        () => false,
        () => true,
      );
    child.kill('SIGINT');
    expect(await child.exited).toBe(130);
    expect(await outcome).toBe('cut off');
  }, 20_000);
});
