import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority } from '../remote/certificates.ts';
import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';
import { freePort } from './signet-server.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 20_000;

/**
 * Starts Debian's docker-registry with plain HTTP on a free port of localhost and waits until it responds; returns its
 * origin. It requires tokens of a service that does not exist, so it responds to every request with a challenge. It
 * stops after the tests of this process. Throws with its log if it does not start.
 */
export async function startDockerRegistry({ realm, service }: { realm: string; service: string }): Promise<string> {
  const bundle = join(temporaryFolder(), 'tokens.crt');
  writeFileSync(bundle, makeAuthority('The token service').cert);
  const auth = { token: { realm, service, issuer: service, rootcertbundle: bundle } };
  return startRegistry(await freePort(), { auth });
}

/**
 * Starts it without access control, on a port of another machine: `within` is the command prefix that runs it there.
 */
export function startOpenRegistry(port: number, within: readonly string[]): Promise<string> {
  return startRegistry(port, {}, within);
}

async function startRegistry(
  port: number,
  settings: Readonly<Record<string, unknown>>,
  within: readonly string[] = [],
): Promise<string> {
  const folder = temporaryFolder();
  const configuration = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr: `127.0.0.1:${port}` },
    ...settings,
  };
  // JSON is valid YAML.
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(configuration));
  const logFile = join(folder, 'log');
  const output = openSync(logFile, 'a');
  const command = [...within, findProgram('docker-registry'), 'serve', join(folder, 'config.yml')];
  const child = Bun.spawn(command, { cwd: folder, stdio: ['ignore', output, output] });
  closeSync(output);
  atEnd(async () => void (await endChild(child)));
  const deadline = performance.now() + READY_MS;
  while (!readFileSync(logFile, 'utf8').includes('listening on')) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`docker-registry did not start (exit ${child.exitCode}):\n${readFileSync(logFile, 'utf8')}`);
    }
    await Bun.sleep(20);
  }
  return `http://127.0.0.1:${port}`;
}
