import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { parseKeyFile } from '../../core/keys/key-file.ts';
import { formatPublicKeyFile } from '../../core/keys/public-key-file.ts';
import { LIMITS } from '../../core/limits.ts';
import { writePrivateFile } from '../../store/files.ts';
import { checkName, parseCommand } from '../command.ts';
import { goFileError } from '../go-errors.ts';
import type { Session } from '../session.ts';
import { KEY_GENERATE, KEY_LOAD } from './specs.ts';

/** `docker trust key generate NAME [--dir DIR]` (protocol D.10). */
export async function generateKey(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(KEY_GENERATE, words);
  const name = parsed.args[0] ?? '';
  checkName('key', name);
  const folder = parsed.value('dir') || process.cwd();
  if (!existsSync(folder)) throw new SignetError('file-missing', `public key path does not exist: "${folder}"`);
  const path = join(folder, `${name}.pub`);
  if (existsSync(path)) throw new SignetError('file-exists', `public key file already exists: "${path}"`);
  session.print(`Generating key for ${name}...\n`);
  const { publicKey } = await prefixed(`failed to generate key for ${name}`, () => session.keys.create(name));
  try {
    writePrivateFile(path, Buffer.from(formatPublicKeyFile(publicKey, name)));
  } catch (cause) {
    const why = goFileError(cause instanceof SignetError ? cause.cause : cause, path);
    throw new SignetError('file-unwritable', `failed to write public key to ${path}: ${why}`, { cause });
  }
  session.print(`Successfully generated and loaded private key. Corresponding public key available: ${path}\n`);
  return 0;
}

/** `docker trust key load [--name NAME] KEYFILE` (protocol D.11); unlike docker, it does import an encrypted key (G-29). */
export async function loadKey(session: Session, words: readonly string[]): Promise<number> {
  const parsed = parseCommand(KEY_LOAD, words);
  const path = parsed.args[0] ?? '';
  const name = parsed.value('name') ?? 'signer';
  checkName('key', name);
  session.print(`Loading key from "${path}"...\n`);
  const bytes = await readKeyFile(path);
  try {
    await importKey(session, bytes, path, name);
  } finally {
    bytes.fill(0);
  }
  session.print(`Successfully imported key from ${path}\n`);
  return 0;
}

async function importKey(session: Session, bytes: Buffer, path: string, name: string): Promise<void> {
  const unsupported = (cause?: unknown) =>
    new SignetError(
      'key-unsupported',
      `error importing key from ${path}: provided file ${path} is not a supported private key - to add a signer's public key use docker trust signer add`,
      { cause },
    );
  const files = parseOr(bytes, unsupported);
  for (const file of files) {
    try {
      await session.keys.import(file, name);
    } catch (cause) {
      if (!isSignetError(cause, 'key-passphrase-wrong')) throw cause;
      throw new SignetError(
        cause.code,
        `error importing key from ${path}: cannot load key from provided file ${path}: could not decrypt key`,
        { cause },
      );
    }
  }
  if (files.length === 0) throw unsupported();
}

async function readKeyFile(path: string): Promise<Buffer> {
  const refuse = (why: string, cause?: unknown) =>
    new SignetError('file-unsafe', `refusing to load key from ${path}: ${why}`, { cause });
  try {
    const stat = statSync(path);
    if ((stat.mode & 0o077) !== 0) throw refuse(`private key file ${path} must not be readable or writable by others`);
    if (stat.size > LIMITS.keyFile) throw refuse(`${path} is larger than ${LIMITS.keyFile} bytes`);
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof SignetError) throw cause;
    throw refuse(goFileError(cause, path, 'stat'), cause);
  }
}

function parseOr(bytes: Buffer, error: (cause: unknown) => SignetError): ReturnType<typeof parseKeyFile> {
  try {
    return parseKeyFile(bytes);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw error(cause);
  }
}

/** Runs `work`; what is wrong with it is said with these words before. */
async function prefixed<T>(words: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isSignetError(cause) || cause.code === 'cancelled') throw cause;
    throw new SignetError(cause.code, `${words}: ${cause.message}`, { cause });
  }
}
