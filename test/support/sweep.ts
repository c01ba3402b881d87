import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { run } from './run.ts';

/**
 * Removes a folder that engines used: kills the processes with its path in their command lines or environments, such as
 * a dead daemon's containerd and shims, and unmounts what is mounted below it.
 */
export async function sweep(folder: string): Promise<void> {
  const users = readdirSync('/proc').filter((pid) => isUser(pid, `${folder}/`));
  for (const pid of users) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // The process has ended meanwhile.
    }
  }
  while (users.some((pid) => commandLineOf(pid) !== '')) await Bun.sleep(20);
  for (const path of mountsBelow(folder).toReversed()) await run(['umount', '--lazy', path]);
  rmSync(folder, { recursive: true, force: true });
}

function isUser(pid: string, folder: string): boolean {
  if (!/^\d+$/.test(pid) || pid === `${process.pid}`) return false;
  return commandLineOf(pid).includes(folder) || read(`/proc/${pid}/environ`).includes(folder);
}

function commandLineOf(pid: string): string {
  return read(`/proc/${pid}/cmdline`);
}

/** Empty for a process that has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
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
