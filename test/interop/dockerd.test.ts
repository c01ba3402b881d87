import { expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { trustingClis } from '../support/clis.ts';
import { importBusybox, startEngine } from '../support/dockerd.ts';
import { run } from '../support/run.ts';

test('an engine of its own runs the imported base image for every docker CLI, and leaves nothing', async () => {
  const engine = await startEngine();
  const folder = dirname(engine.socket);
  for (const { path, version } of await trustingClis()) {
    const docker = [path, '--host', engine.host];
    expect(await importBusybox(engine, path)).toMatch(/^sha256:[0-9a-f]{64}$/);
    const { stdout, exitCode } = await run([...docker, 'run', '--rm', 'busybox', 'echo', `made by ${version}`]);
    expect({ stdout, exitCode }).toEqual({ stdout: `made by ${version}\n`, exitCode: 0 });
  }
  const [cli] = await trustingClis();
  const left = await run([`${cli?.path}`, '--host', engine.host, 'run', '--detach', 'busybox', 'sleep', '1000']);
  expect(left.exitCode).toBe(0);
  await engine.stop();
  expect(existsSync(folder)).toBe(false);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(folder);
}, 120_000);

test('an engine that cannot start throws with its log', async () => {
  await expect(startEngine({ args: ['--storage-driver', 'nothing'] })).rejects.toThrow(/did not start.*nothing/s);
}, 60_000);
