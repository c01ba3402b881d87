import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeAuthority } from '../remote/certificates.ts';
import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';
import { freePort } from './signet-server.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 20_000;

/** A running notary-server of the Notary project: open to everyone, its data in memory. */
export interface NotaryServer {
  /** `https://localhost:40123` */
  readonly origin: string;
  /** What stands before the slash of an image's name: `localhost:40123`. */
  readonly host: string;
  /** The file of the authority's certificate, for clients that check. */
  readonly authority: string;
  /** What the server has logged up to now: a JSON object per line. */
  log(): string;
  /** Ends it; what it has stored and the keys it has made are gone. */
  stop(): Promise<void>;
}

/**
 * Starts Debian's notary-server with TLS on a free port of localhost and waits until it answers. It has no accounts
 * and signs snapshots and timestamps with ed25519 keys of its own. It stops at the latest when the tests of this
 * process have ended. Throws with its log if it does not start.
 */
export async function startNotaryServer(): Promise<NotaryServer> {
  const folder = temporaryFolder();
  const port = await freePort();
  const origin = `https://localhost:${port}`;
  const authority = makeAuthority('The authority of notary-server');
  const { cert, key } = authority.issue(['localhost', '127.0.0.1']);
  const server = { http_addr: `127.0.0.1:${port}`, tls_cert_file: 'server.crt', tls_key_file: 'server.key' };
  const configuration = {
    server,
    trust_service: { type: 'local' },
    storage: { backend: 'memory' },
    logging: { level: 'info' },
  };
  const files = { 'ca.crt': authority.cert, 'server.crt': cert, 'server.key': key };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configuration));

  const log = () => readFileSync(join(folder, 'log'), 'utf8');
  const output = openSync(join(folder, 'log'), 'a');
  const command = [findProgram('notary-server'), '-config', join(folder, 'config.json')];
  const child = Bun.spawn(command, { cwd: folder, stdio: ['ignore', output, output] });
  closeSync(output);
  const stop = async () => {
    await endChild(child);
  };
  atEnd(stop);
  const deadline = performance.now() + READY_MS;
  while (!(await answers(origin, authority.cert))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`notary-server did not start (exit ${child.exitCode}):\n${log()}`);
    }
    await Bun.sleep(20);
  }
  return { origin, host: `localhost:${port}`, authority: join(folder, 'ca.crt'), log, stop };
}

async function answers(origin: string, ca: string): Promise<boolean> {
  try {
    return (await fetch(`${origin}/v2/`, { tls: { ca } })).ok;
  } catch {
    return false;
  }
}
