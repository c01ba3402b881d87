import { symlinkSync } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './clis.ts';
import { run } from './run.ts';
import { temporaryFolder } from './temp.ts';

const APPLETS = ['sh', 'echo', 'cat', 'ls', 'sleep', 'true', 'false', 'env', 'mkdir', 'rm', 'id'];

/** The files of a minimal system as a tar archive: Debian's static busybox under the names of its commands. */
export async function busyboxArchive(): Promise<Buffer> {
  const folder = temporaryFolder();
  await mkdir(join(folder, 'bin'));
  await copyFile(await staticBusybox(), join(folder, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(folder, 'bin', applet));
  const { stdout } = await Bun.$`tar --create --owner=0 --group=0 --directory ${folder} bin`.quiet();
  return stdout;
}

async function staticBusybox(): Promise<string> {
  const path = findProgram('busybox');
  const { exitCode } = await run(['ldd', path]);
  if (exitCode === 0) throw new Error(`${path} is not static; install the package busybox-static`);
  return path;
}
