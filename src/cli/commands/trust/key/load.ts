import { isSignetError, SignetError } from '../../../../core/errors/index.ts';
import { type KeyFile, parseKeyFile } from '../../../../core/keys/key-file.ts';
import { LIMITS } from '../../../../core/limits.ts';
import { isKeyId } from '../../../../core/names/key-id.ts';
import type { KeyRing } from '../../../../trust/keys/key-ring.ts';
import { checkName } from '../../../line/command.ts';
import type { Command, ParsedCommand } from '../../../line/declaration.ts';
import type { Session } from '../../../session.ts';
import { checkPrivate, explainingOldForms, readPrivateFile } from './private-file.ts';

export const KEY_LOAD: Command<Session> = {
  path: 'trust key load',
  summary: 'Load a private key file for signing',
  args: [{ name: 'KEYFILE', takes: 'file' }],
  flags: [{ name: 'name', type: 'value', about: 'Name for the loaded key', default: 'signer' }],
  run: loadKey,
};

/** `docker trust key load [--name NAME] KEYFILE` (protocol D.11). Unlike docker, it imports encrypted keys (G-29). */
async function loadKey(session: Session, parsed: ParsedCommand): Promise<number> {
  const path = parsed.args[0] ?? '';
  const name = parsed.value('name') ?? 'signer';
  checkName('key', name);
  session.print(`Loading key from "${path}"...\n`);
  const file = readPrivateFile(path, LIMITS.keyFile);
  const { bytes } = file;
  try {
    checkPrivate(file);
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
      await explainingOldForms(path, () => load(session.keys, file, name));
    } catch (cause) {
      if (!isSignetError(cause, 'key-passphrase-wrong')) throw cause;
      throw new SignetError(
        cause.code,
        `error importing key from ${path}: cannot load key from provided file ${path}: could not decrypt key`,
        { cause, ...(cause.next === undefined ? {} : { next: cause.next }) },
      );
    }
  }
  if (files.length === 0) throw unsupported();
}

/** An exported key gives its own ID, and is stored still encrypted, so no passphrase is asked for (as in docker). */
async function load(keys: KeyRing, file: KeyFile, name: string): Promise<void> {
  const id = file.path !== undefined && isKeyId(file.path) ? file.path : undefined;
  await keys.import({ file, id }, { name });
}

function parseOr(bytes: Buffer, error: (cause: unknown) => SignetError): ReturnType<typeof parseKeyFile> {
  try {
    return parseKeyFile(bytes);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw error(cause);
  }
}
