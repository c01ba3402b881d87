import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { SignetError } from '../../../core/errors/index.ts';

/** How much of a stream tells an archive from a Dockerfile, in bytes: two blocks of a tar file. */
export const HEAD_SIZE = 1024;

const BLOCK = 512;
const CHECKSUM = { from: 148, to: 156 };
const MAX_COMPLAINT = 4096;
/** The compressions that docker knows by their first bytes, and the option of tar for each. */
const COMPRESSIONS: readonly { readonly magic: RegExp; readonly option: string }[] = [
  { magic: /^425a68/, option: '--bzip2' },
  { magic: /^1f8b08/, option: '--gzip' },
  { magic: /^fd377a585a00/, option: '--xz' },
  { magic: /^(?:28b52ffd|5[0-9a-f]2a4d18)/, option: '--zstd' },
];

/** Whether docker would take a stream with this head for an archive instead of a Dockerfile. */
export function isArchive(head: Uint8Array): boolean {
  return compressionOf(head) !== undefined || hasTarHeader(head);
}

/**
 * Unpacks an archive, whose head was read already, into a new folder. The system's tar does it, which takes no absolute
 * names and does not write through links that lead outside. Throws `build-context-invalid`.
 */
export async function unpack(head: Uint8Array, rest: AsyncIterable<Uint8Array>, folder: string): Promise<void> {
  mkdirSync(folder, { mode: 0o700 });
  const option = compressionOf(head)?.option;
  const options = ['--extract', '--no-same-owner', '--same-permissions', ...(option === undefined ? [] : [option])];
  const child = spawn('tar', [...options, '--file', '-', '--directory', folder], {
    stdio: ['pipe', 'ignore', 'pipe'],
    // Without what changes tar's mind, such as TAR_OPTIONS.
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint = (complaint + String(chunk)).slice(0, MAX_COMPLAINT);
  });
  child.stdin.write(head);
  // tar may stop reading at the end of the archive; its exit code tells whether that was right.
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

function compressionOf(head: Uint8Array) {
  const hex = Buffer.from(head.subarray(0, 8)).toString('hex');
  return COMPRESSIONS.find(({ magic }) => magic.test(hex));
}

/** Whether the first block is a tar header: its checksum counts all its bytes, the checksum itself as spaces. */
function hasTarHeader(head: Uint8Array): boolean {
  if (head.length < BLOCK) return false;
  const header = Buffer.from(head.subarray(0, BLOCK));
  const written = /^ *([0-7]{1,8})[ \0]*$/.exec(header.toString('latin1', CHECKSUM.from, CHECKSUM.to))?.[1];
  header.fill(' ', CHECKSUM.from, CHECKSUM.to);
  const sum = header.reduce((total, byte) => total + byte, 0);
  const signed = header.reduce((total, byte) => total + ((byte << 24) >> 24), 0);
  return written !== undefined && [sum, signed].includes(Number.parseInt(written, 8));
}
