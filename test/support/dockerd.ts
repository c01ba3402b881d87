import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { busyboxArchive } from './busybox.ts';
import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';
import { run } from './run.ts';
import { sweep } from './sweep.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 60_000;

/** A separate Docker Engine: its own images and containers, no network, nothing shared with another engine. */
export interface Engine {
  /** For DOCKER_HOST. */
  readonly host: string;
  readonly socket: string;
  /** The daemon's log so far. */
  log(): string;
  /** Stops the daemon, its containers and their mounts, and removes its folders. */
  stop(): Promise<void>;
}

/**
 * Starts `dockerd` as root and waits until it responds. It stops after the tests of this process at the latest, or when
 * the process dies. Throws with the daemon's log if it does not start. `within` is a command prefix that runs it on a
 * machine of the test's own.
 */
export async function startEngine(
  options: { readonly args?: readonly string[]; readonly within?: readonly string[] } = {},
): Promise<Engine> {
  const folder = temporaryFolder();
  const socket = join(folder, 'docker.sock');
  const logFile = join(folder, 'log');
  const log = () => readFileSync(logFile, 'utf8');
  writeFileSync(join(folder, 'daemon.json'), '{}');
  const output = openSync(logFile, 'a');
  const command = [...(options.within ?? []), ...commandLine(folder, socket, options.args ?? [])];
  const child = Bun.spawn(command, { stdio: ['ignore', output, output] });
  closeSync(output);
  const stop = once(async () => {
    await killContainers(socket);
    await endChild(child);
    await sweep(folder);
  });
  atEnd(stop);
  if (!(await becomesReady(child, socket))) {
    const message = `dockerd did not start (exit ${child.exitCode}):\n${log().slice(-4000)}`;
    await stop();
    throw new Error(message);
  }
  return { host: `unix://${socket}`, socket, log, stop };
}

/**
 * Loads Debian's static busybox into an engine as the image `name`, whose command is a shell, and returns the image's
 * ID. Tests without a registry build everything else on it.
 */
export async function importBusybox(engine: Engine, docker: string, name = 'busybox:latest'): Promise<string> {
  const outcome = await run([docker, '--host', engine.host, 'import', '--change', 'CMD ["sh"]', '-', name], {
    stdin: await busyboxArchive(),
  });
  if (outcome.exitCode !== 0) throw new Error(`${outcome.command}: ${outcome.stderr}`);
  return outcome.stdout.trim();
}

function commandLine(folder: string, socket: string, args: readonly string[]): string[] {
  return [
    // The kernel kills the daemon when this process ends, for whatever reason.
    ...[findProgram('setpriv'), '--pdeathsig', 'TERM', findProgram('dockerd')],
    ...['--config-file', join(folder, 'daemon.json')],
    ...['--data-root', join(folder, 'data'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
    // Separates it from a system engine if dockerd finds and uses the system's containerd.
    ...['--containerd-namespace', folder.slice(1).replaceAll('/', '-')],
    ...['--host', `unix://${socket}`, '--bridge=none', '--iptables=false', '--ip6tables=false'],
    ...['--shutdown-timeout', '2', ...args],
  ];
}

async function becomesReady(child: Bun.Subprocess, socket: string): Promise<boolean> {
  const deadline = performance.now() + READY_MS;
  while (child.exitCode === null && performance.now() < deadline) {
    if (await answers(socket)) return true;
    await Bun.sleep(50);
  }
  return false;
}

async function answers(socket: string): Promise<boolean> {
  try {
    return (await fetch('http://engine/_ping', { unix: socket })).ok;
  } catch {
    return false;
  }
}

/** Saves the ten seconds that the daemon gives to containers that ignore SIGTERM. */
async function killContainers(socket: string): Promise<void> {
  if (!(await answers(socket))) return;
  const containers = (await (await fetch('http://engine/containers/json', { unix: socket })).json()) as {
    Id: string;
  }[];
  for (const { Id } of containers) {
    await fetch(`http://engine/containers/${Id}/kill`, { method: 'POST', unix: socket });
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= action();
    return running;
  };
}
