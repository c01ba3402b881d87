import { rmSync } from 'node:fs';
import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';
import { temporaryFolder } from './temp.ts';

/**
 * An isolated machine for programs that run on it: every port of `localhost` is free, no other host exists, `/var/lib`
 * is empty.
 */
export interface Machine {
  /** The command prefix that runs something there. */
  readonly within: readonly string[];
  stop(): Promise<void>;
}

/**
 * Creates a network namespace and a mount namespace, as root; all other files are those of this machine. It is removed
 * after the tests of this process; end what runs there before. Throws if the system does not allow it.
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
