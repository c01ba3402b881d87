import { createReadStream } from 'node:fs';
import { SignetError } from '../../../core/errors/index.ts';
import type { Flag } from '../../line/declaration.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** Where a new password comes from. */
export type PasswordSource = 'prompt' | 'stdin' | { readonly file: string };

/** The flags that give the source. Without them, the password is asked for. */
export const PASSWORD_FLAGS: readonly Flag[] = [
  {
    name: 'password-file',
    type: 'value',
    word: 'FILE',
    takes: 'file',
    about: 'Take the password from the first line of a file',
  },
  { name: 'password-stdin', type: 'switch', about: 'Take the password from the standard input' },
];

/** Longest input in bytes: a password, its line end, and a margin to detect a password that is too long. */
const MAX_PASSWORD_INPUT = 4096;

/**
 * Reads a new password, twice if it is typed. Throws `password-mismatch`, `password-unfit` or
 * `password-file-unreadable`.
 */
export async function newPassword(source: PasswordSource, terminal: Terminal): Promise<Buffer> {
  if (source === 'stdin') return firstLine(await readAll(terminal.input()));
  if (source !== 'prompt') return firstLine(await readPasswordFile(source.file));
  const password = await terminal.askHidden('Password: ');
  const again = await terminal.askHidden('Repeat password: ');
  const isSame = password.equals(again);
  again.fill(0);
  if (isSame) return password;
  password.fill(0);
  throw new SignetError('password-mismatch', 'the passwords are not the same');
}

async function readPasswordFile(path: string): Promise<Buffer> {
  try {
    return await readAll(createReadStream(path, { end: MAX_PASSWORD_INPUT }));
  } catch (cause) {
    if (cause instanceof SignetError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignetError('password-file-unreadable', `cannot read the password file: ${why}`, { cause });
  }
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_PASSWORD_INPUT) {
      throw new SignetError('password-unfit', `the password is longer than ${MAX_PASSWORD_INPUT} bytes`);
    }
    chunks.push(chunk);
  }
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return whole;
}

function firstLine(bytes: Buffer): Buffer {
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  const line = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end));
  bytes.fill(0);
  return line;
}
