import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { formatPublicKeyFile } from '../../../../core/keys/public-key-file.ts';
import { writePrivateFile } from '../../../../store/files.ts';
import { checkName } from '../../../line/command.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { goFileError } from '../../../wording/go-errors.ts';

export const KEY_GENERATE: Command<Session> = {
  path: 'trust key generate',
  summary: 'Generate and load a signing key-pair',
  args: [{ name: 'NAME', takes: 'text' }],
  usage: 'NAME',
  flags: [
    {
      name: 'dir',
      type: 'value',
      takes: 'folder',
      about: 'Directory to generate key in, defaults to current directory',
    },
  ],
  examples: [
    { about: 'Make the key of a signer; alice.pub is for the owner of a repository', line: 'trust key generate alice' },
  ],
  run: generateKey,
};

/** `docker trust key generate NAME [--dir DIR]` (protocol D.10). */
async function generateKey(session: Session, parsed: ParsedCommand): Promise<number> {
  const name = parsed.args[0] ?? '';
  checkName('key', name);
  const folder = parsed.value('dir') || process.cwd();
  if (!existsSync(folder)) throw new SignetError('file-missing', `public key path does not exist: "${folder}"`);
  const path = join(folder, `${name}.pub`);
  if (existsSync(path)) throw new SignetError('file-exists', `public key file already exists: "${path}"`);
  session.print(`Generating key for ${name}...\n`);
  await session.keys.undoing(async () => {
    const { publicKey } = await prefixed(`failed to generate key for ${name}`, () => session.keys.create(name));
    try {
      writePrivateFile(path, Buffer.from(formatPublicKeyFile(publicKey, name)));
    } catch (cause) {
      const why = goFileError(cause instanceof SignetError ? cause.cause : cause, path);
      const message = `failed to write public key to ${path}: ${why}`;
      throw new SignetError('file-unwritable', message, { cause, isDockers: true });
    }
  });
  session.print(`Successfully generated and loaded private key. Corresponding public key available: ${path}\n`);
  return 0;
}

/** Runs `work` and prefixes its error with `words`. */
async function prefixed<T>(words: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isSignetError(cause) || cause.code === 'cancelled') throw cause;
    throw cause.reworded(`${words}: ${cause.message}`);
  }
}
