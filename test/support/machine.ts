import { rmSync } from 'node:fs';
import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';
import { temporaryFolder } from './temp.ts';

/** A machine to the eyes of what runs on it: every port of `localhost` is free, no other host is there, `/var/lib` is empty. */
export interface Machine {
  /** The words before a command that run it there. */
  readonly within: readonly string[];
  stop(): Promise<void>;
}

/**
 * Makes a network and a view of the file system of their own, as root; the files are those of this machine otherwise. It
 * stops when the tests of this process have ended; what runs there has to be ended before. Throws if the system forbids it.
 */
export async function startMachine(): Promise<Machine> {
  const folder = temporaryFolder();
  const script = [
    `'${findProgram('busybox')}' ip link set lo up`,
    `mount --bind '${folder}' /var/lib`,
    'echo ready',
    'exec sleep infinity',
  ].join(' && ');
  const child = Bun.spawn(
    [
      ...[findProgram('setpriv'), '--pdeathsig', 'TERM'],
      ...[findProgram('unshare'), '--net', '--mount', '--propagation', 'private', '/bin/sh', '-c', script],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const stop = async () => {
    await endChild(child);
    rmSync(folder, { recursive: true, force: true });
  };
  atEnd(stop);
  const { value } = await child.stdout.getReader().read();
  if (!Buffer.from(value ?? []).includes('ready')) throw new Error('the system lets no one make namespaces');
  return { within: [findProgram('nsenter'), '--target', `${child.pid}`, '--net', '--mount'], stop };
}
