import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, makeAuthority } from '../remote/certificates.ts';
import { atEnd } from './cleanup.ts';
import { endChild } from './end.ts';
import type { NotarySigner } from './notary-server.ts';
import { freePort, signetCommand } from './signet-server.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 20_000;

/** A running `signet signer`, in the place of a notary-signer. */
export interface SignetSigner extends NotarySigner {
  readonly data: string;
  /** The authority of its clients. */
  readonly clients: Authority;
}

export interface SignetSignerOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts `signet signer` with the certificate of its own authority on a free port of localhost, and waits until it has said
 * so. It stops at the latest when the tests of this process have ended. Throws with its log if it does not start.
 */
export async function startSignetSigner(options: SignetSignerOptions = {}): Promise<SignetSigner> {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const logFile = join(folder, 'log');
  const port = await freePort();
  const clients = makeAuthority('The authority of the servers');
  const client = clients.issue(['notary-server']);
  const files = { ca: join(folder, 'clients.crt'), cert: join(folder, 'client.crt'), key: join(folder, 'client.key') };
  writeFileSync(files.ca, clients.cert);
  writeFileSync(files.cert, client.cert);
  writeFileSync(files.key, client.key);
  const own = ['--data', data, '--listen', `127.0.0.1:${port}`, '--client-ca', files.ca];
  const words = ['signer', ...own, ...(options.args ?? [])];
  const log = () => readFileSync(logFile, 'utf8');
  let child: Bun.Subprocess | undefined;
  const stop = async () => {
    const stopping = child;
    child = undefined;
    if (stopping !== undefined && !(await endChild(stopping))) throw new Error(`signet signer did not stop:\n${log()}`);
  };
  const start = async () => {
    writeFileSync(logFile, '');
    const output = openSync(logFile, 'a');
    child = Bun.spawn([...signetCommand(), ...words], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const deadline = performance.now() + READY_MS;
    while (!log().includes('Signet signs for Notary servers')) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`signet signer did not start (exit ${child.exitCode}):\n${log()}`);
      }
      await Bun.sleep(20);
    }
  };
  atEnd(stop);
  await start();
  const tls = { authority: join(data, 'tls/ca.crt'), cert: files.cert, key: files.key };
  return { port, tls, data, clients, log, stop, start };
}
