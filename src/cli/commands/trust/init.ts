import { SignetError } from '../../../core/errors/index.ts';
import { issueRootCertificate } from '../../../core/keys/certificate.ts';
import { parseKeyFile } from '../../../core/keys/key-file.ts';
import { canonicalKeyId, type PublicKey } from '../../../core/keys/public-key.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { KeyId } from '../../../core/names/key-id.ts';
import { checkRootKey } from '../../../trust/changes/roles.ts';
import type { KeyRing } from '../../../trust/keys/key-ring.ts';
import { type CreateOptions, unpublished } from '../../../trust/publish/create.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { checkPrivate, explainingOldForms, readPrivateFile } from './key/private-file.ts';
import { PLACE_FLAGS, placeOf } from './place-flags.ts';
import { readPublicKey } from './public-keys.ts';

export const INIT: Command<Session> = {
  program: 'signet',
  path: 'trust init',
  summary: 'Found a repository: publish its keys, and nothing signed yet',
  args: [{ name: 'REPOSITORY', takes: 'repository' }],
  flags: [
    {
      name: 'root-cert',
      type: 'value',
      takes: 'file',
      about: 'PEM certificate for the repository, whose key is here or in the file of --root-key',
    },
    { name: 'root-key', type: 'value', takes: 'file', about: 'File of the root key, which is imported' },
    {
      name: 'snapshot',
      type: 'value',
      takes: ['client', 'server'],
      about: 'Who signs snapshots: client or server',
      default: 'server',
    },
    { name: 'stage', type: 'switch', about: 'Prepare it here only, until "signet trust publish"' },
    ...PLACE_FLAGS,
  ],
  examples: [
    { about: 'Publish the keys of a repository, before anyone signs in a script', line: 'trust init alice/app' },
  ],
  run: init,
};

/** `signet trust init [--root-key FILE] [--root-cert FILE] [--snapshot client|server] [--stage] REPOSITORY`. */
async function init(session: Session, parsed: ParsedCommand): Promise<number> {
  const snapshotBy = readSnapshot(parsed.value('snapshot'));
  const place = await placeOf(session, parsed);
  const { repository, gun } = place.collection(parsed.args[0] ?? '', ['pull', 'push']);
  await refuseExisting(repository);
  const root = await rootOf(session, parsed, repository, place.keys);
  const options: CreateOptions = { snapshotBy, ...(root === undefined ? {} : { root: [root] }) };
  if (parsed.has('stage')) {
    await repository.prepare(options);
    session.print(`Prepared ${gun} here. Publish it with: signet trust publish ${gun}\n`);
    return 0;
  }
  await repository.initialize(() => undefined, options);
  session.print(`Successfully initialized "${gun}"\n`);
  return 0;
}

function readSnapshot(text = 'server'): 'client' | 'server' {
  if (text === 'client' || text === 'server') return text;
  throw new SignetError('usage', `--snapshot is client or server, not ${JSON.stringify(text.slice(0, 40))}`);
}

async function refuseExisting(repository: Repository): Promise<void> {
  const { gun, host } = repository;
  if ((await repository.current()) !== undefined) {
    throw new SignetError('trust-data-exists', `${host} has trust data for ${gun} already`, {
      next: `See who signs it: signet trust status ${gun}`,
    });
  }
  if ((await unpublished(repository.source)) === undefined) return;
  throw new SignetError('trust-data-exists', `${gun} is prepared here already`, {
    next: `Publish it: signet trust publish ${gun}\nOr forget it: signet trust delete ${gun}`,
  });
}

/** The certificate of the requested root key. Undefined if none was requested. */
async function rootOf(
  session: Session,
  parsed: ParsedCommand,
  repository: Repository,
  keys: KeyRing,
): Promise<PublicKey | undefined> {
  const [keyFile, certificateFile] = [parsed.value('root-key'), parsed.value('root-cert')];
  const certificate = certificateFile === undefined ? undefined : await readPublicKey(certificateFile, session.now());
  if (certificate !== undefined) checkRootKey(repository, certificate);
  const imported = keyFile === undefined ? undefined : await importRootKey(keyFile, keys);
  if (certificate === undefined) {
    const key = imported === undefined ? undefined : await keys.find(imported, 'root');
    return key === undefined ? undefined : await issueRootCertificate(key, repository.gun, session.now());
  }
  const id = canonicalKeyId(certificate);
  if (imported !== undefined ? imported === id : await keys.has(id)) return certificate;
  throw new SignetError(
    'signing-key-missing',
    `the key of ${certificateFile} is ${imported === undefined ? 'not here' : `not the one in ${keyFile}`}: ${id}`,
    {
      detail: { id },
      next: 'Give the file of its key: --root-key FILE',
    },
  );
}

/**
 * Imports a key as a root key, whatever role its file gives. Throws `file-missing`, `key-unsupported` or
 * `key-role-conflict`.
 */
async function importRootKey(path: string, keys: KeyRing): Promise<KeyId> {
  const source = readPrivateFile(path, LIMITS.keyFile);
  const { bytes } = source;
  try {
    const files = parseKeyFile(bytes);
    const [file] = files;
    if (file === undefined || files.length > 1) {
      throw new SignetError('key-unsupported', `${path} holds ${files.length} private keys, and one is needed`);
    }
    if (!file.encrypted) checkPrivate(source);
    const own = { file: { ...file, role: 'root', gun: undefined }, id: undefined };
    return (await explainingOldForms(path, () => keys.import(own, { name: 'root', alias: 'root' }))).id;
  } finally {
    bytes.fill(0);
  }
}
