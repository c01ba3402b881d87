import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { ROOT, SIGNET } from '../../scripts/paths.ts';
import { atEnd } from './cleanup.ts';
import { endChild } from './end.ts';
import { type Outcome, run } from './run.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 20_000;
const STOP_MS = 45_000;

/** A running `signet serve` with its own data. */
export interface SignetServer {
  /** `https://localhost:40123` */
  readonly origin: string;
  /** What precedes the slash in an image's name: `localhost:40123`. */
  readonly host: string;
  readonly data: string;
  /** The authority's certificate, for clients that check. */
  readonly authority: string;
  /** The server's own certificate and key, for a stand-in. */
  readonly certificate: string;
  readonly key: string;
  /** Adds a user who owns the repositories below the name. */
  addUser(name: string, password: string, options?: { readonly admin?: boolean }): Promise<void>;
  grant(name: string, pattern: string, level: 'pull' | 'push' | 'admin'): Promise<void>;
  /** The server's log so far. */
  log(): string;
  stop(): Promise<void>;
  /** Kills it, as `kill -9` does. */
  kill(): Promise<void>;
  /** Starts it again after `stop` or `kill`, on the same port with the same data. */
  start(): Promise<void>;
}

export interface ServeOptions {
  /** The data folder; a new empty folder by default. */
  readonly data?: string;
  /** Additional flags of `signet serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The command that runs signet: the built executable within `npm test`, the sources otherwise. */
export function signetCommand(): readonly string[] {
  return process.env.TEST_SIGNET_BUILT === '1' ? [SIGNET] : [process.execPath, join(ROOT, 'src/cli/main.ts')];
}

/**
 * Starts `signet serve` on a free port of localhost and waits until it responds. It stops after the tests of this
 * process at the latest. Throws with its log if it does not start.
 */
export async function startSignet(options: ServeOptions = {}): Promise<SignetServer> {
  const folder = temporaryFolder();
  const data = options.data ?? join(folder, 'data');
  const logFile = join(folder, 'log');
  const host = `localhost:${await freePort()}`;
  const origin = `https://${host}`;
  const log = () => readFileSync(logFile, 'utf8');
  const command = [...signetCommand(), 'serve', '--data', data, '--listen', host.replace('localhost', '127.0.0.1')];
  let child: Bun.Subprocess | undefined;

  const stop = async () => {
    const stopping = child;
    child = undefined;
    if (stopping === undefined || (await endChild(stopping, STOP_MS))) return;
    throw new Error(`signet serve did not stop:\n${log()}`);
  };
  const kill = async () => {
    const killed = child;
    child = undefined;
    killed?.kill('SIGKILL');
    await killed?.exited;
  };
  const start = async () => {
    const output = openSync(logFile, 'a');
    child = Bun.spawn([...command, ...(options.args ?? [])], {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const deadline = performance.now() + READY_MS;
    while (!(await answers(origin))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`signet serve did not start (exit ${child.exitCode}):\n${log()}`);
      }
      await Bun.sleep(20);
    }
  };
  atEnd(stop);
  await start();

  const user = async (words: readonly string[], stdin?: string) => {
    const line = [...signetCommand(), 'user', ...words, '--data', data];
    mustSucceed(await run(line, stdin === undefined ? {} : { stdin }));
  };
  return {
    origin,
    host,
    data,
    authority: join(data, 'tls/ca.crt'),
    certificate: join(data, 'tls/server.crt'),
    key: join(data, 'tls/server.key'),
    addUser: (name, password, { admin = false } = {}) =>
      user(['add', name, '--password-stdin', ...(admin ? ['--admin'] : [])], `${password}\n`),
    grant: (name, pattern, level) => user(['grant', name, pattern, level]),
    log,
    stop,
    kill,
    start,
  };
}

/** A port of 127.0.0.1 on which nothing listens. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function answers(origin: string): Promise<boolean> {
  try {
    await fetch(`${origin}/v2/`, { tls: { rejectUnauthorized: false } });
    return true;
  } catch {
    return false;
  }
}

function mustSucceed({ command, exitCode, stdout, stderr }: Outcome): void {
  if (exitCode !== 0) throw new Error(`${command} (exit ${exitCode}):\n${stdout}${stderr}`);
}
