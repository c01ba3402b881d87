import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { run } from './run.ts';

/**
 * Removes a folder that engines have lived in: kills the processes that carry its path in their command lines, such as
 * a dead daemon's containerd and shims, and unmounts what is mounted below it.
 */
export async function sweep(folder: string): Promise<void> {
  const users = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLineOf(pid).includes(`${folder}/`));
  for (const pid of users) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  while (users.some((pid) => commandLineOf(pid) !== '')) await Bun.sleep(20);
  for (const path of mountsBelow(folder).toReversed()) await run(['umount', '--lazy', path]);
  rmSync(folder, { recursive: true, force: true });
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
}
