import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { SignetError } from '../../../../core/errors/index.ts';
import { compressionOf } from './stream-kind.ts';

const MAX_COMPLAINT = 4096;

/**
 * Unpacks an archive, whose head has been read already, into a new folder. Uses the system's tar, which refuses
 * absolute names and does not write through links that lead outside. Throws `build-context-invalid`.
 */
export async function unpack(head: Uint8Array, rest: AsyncIterable<Uint8Array>, folder: string): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  const compression = compressionOf(head);
  const unpacking = compression === undefined ? [] : [`--${compression}`];
  const options = ['--extract', '--no-same-owner', '--same-permissions', ...unpacking];
  const child = spawn('tar', [...options, '--file', '-', '--directory', folder], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // Without variables that change tar's behaviour, such as TAR_OPTIONS.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + String(chunk)).slice(0, MAX_COMPLAINT);
  });
  child.stdin.write(head);
  // tar may stop reading at the end of the archive; its exit code says whether it succeeded.
  pipeline(rest, child.stdin).catch(() => undefined);
  if ((await exitCodeOf(child)) === 0) return;
  const [reason = ''] = complaint.split('\n');
  throw new SignetError('build-context-invalid', `the build context on standard input cannot be unpacked: ${reason}`, {
    next: 'Unpack it into a folder, and build that.',
  });
}

function exitCodeOf(child: ChildProcess): Promise<number | null> {
  return new Promise((settle, fail) => {
    child.once('close', settle);
    child.once('error', (cause) => {
      const message = 'the build context on standard input needs tar, which cannot be started';
      const next = 'Install tar, or unpack the context into a folder and build that.';
      fail(new SignetError('build-context-invalid', message, { cause, next }));
    });
  });
}
