import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { PublicKey } from '../../../core/keys/public-key.ts';
import { isBaseRole } from '../../../core/names/role.ts';
import { canonicalKeyIds } from '../../../core/verify/signers.ts';
import { planOn, publishChanges } from '../../../trust/changes/changes.ts';
import { addSigner, isLastSigner, signerRemoval, unvouchedTags } from '../../../trust/changes/sign.ts';
import { signersOf } from '../../../trust/keys/signer-roles.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { shown } from '../../../trust/report/describe.ts';
import { naturalCompare } from '../../../trust/report/natural-order.ts';
import type { Collection } from '../../../trust/update/collection.ts';
import { checkName } from '../../line/command.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { wordedAs } from '../../wording/docker-texts.ts';
import { inForce, PENDING_EXIT } from '../../wording/pending.ts';
import { checkCreation, INIT_FLAG, isCreatedHere } from './creation.ts';
import { decideKept, KEEPING } from './keeping.ts';
import { readPublicKey } from './public-keys.ts';

interface Failure {
  readonly repository: string;
  readonly error: SignetError;
}

export const SIGNER_ADD: Command<Session> = {
  path: 'trust signer add',
  summary: 'Add a signer',
  args: [
    { name: 'NAME', takes: 'text' },
    { name: 'REPOSITORY', takes: 'repository', isRepeated: true },
  ],
  usage: 'OPTIONS NAME REPOSITORY [REPOSITORY...] ',
  flags: [INIT_FLAG, { name: 'key', type: 'list', takes: 'file', about: "Path to the signer's public key file" }],
  exitCodes: PENDING_EXIT,
  run: addSigners,
};

/** `docker trust signer add --key FILE… NAME REPOSITORY…` (protocol D.12). */
async function addSigners(session: Session, parsed: ParsedCommand): Promise<number> {
  const [name = '', ...repositories] = parsed.args;
  checkName('signer', name);
  // Docker reserves only the first of these. A signer named like a base role would look like an administrator's key.
  if (name === 'releases' || isBaseRole(name))
    throw new SignetError('name-invalid', `${name} is a reserved keyword, use a different signer name`);
  const paths = parsed.values('key');
  if (paths.length === 0)
    throw new SignetError('usage', 'path to a public key must be provided using the `--key` flag');
  const keys: PublicKey[] = [];
  for (const path of paths) keys.push(await readPublicKey(path, session.now()));
  const failed = await forEachRepository(session, repositories, (repository) =>
    add(session, { name, keys, mayCreate: parsed.has('init') }, repository),
  );
  if (failed.length > 0) throw incomplete('failed to add signer to', failed);
  return 0;
}

export const SIGNER_REMOVE: Command<Session> = {
  path: 'trust signer remove',
  summary: 'Remove a signer',
  args: [
    { name: 'NAME', takes: 'signer' },
    { name: 'REPOSITORY', takes: 'repository', isRepeated: true },
  ],
  flags: [
    ...KEEPING,
    {
      name: 'force',
      short: 'f',
      type: 'switch',
      about: 'Do not prompt for confirmation before removing the most recent signer',
    },
  ],
  exitCodes: PENDING_EXIT,
  run: removeSigners,
};

/**
 * `docker trust signer remove [--force] NAME REPOSITORY…` (protocol D.13). Unlike docker since 26, it does remove the
 * signer (G-35).
 */
async function removeSigners(session: Session, parsed: ParsedCommand): Promise<number> {
  const [name = '', ...repositories] = parsed.args;
  const failed = await forEachRepository(session, repositories, (repository) =>
    remove(session, parsed, name, repository),
  );
  if (failed.length > 0) throw incomplete('error removing signer from', failed);
  return 0;
}

interface NewSigner {
  readonly name: string;
  readonly keys: readonly PublicKey[];
  /** Whether the command line allows creating a new repository. */
  readonly mayCreate: boolean;
}

async function add(session: Session, signer: NewSigner, typed: string): Promise<void> {
  const { name, keys } = signer;
  session.print(`Adding signer "${name}" to ${typed}...\n`);
  const repository = await session.repository(session.resolve(typed), 'push');
  await wordedAs(typed, async () => {
    const isCreated = (await repository.current()) === undefined && (await create(session, signer, repository, typed));
    if (!isCreated) inForce(repository, await repository.publish((editor) => addSigner(editor, name, keys)));
  });
  session.print(`Successfully added signer: ${name} to ${typed}\n\n`);
}

/** Creates the repository with its first signer. Returns false if someone else has just created it. */
async function create(
  session: Session,
  { name, keys, mayCreate }: NewSigner,
  repository: Repository,
  typed: string,
): Promise<boolean> {
  checkCreation(session, repository.gun, mayCreate, '--init');
  session.print(`Initializing signed repository for ${typed}...\n`);
  const isCreated = await isCreatedHere(() => repository.initialize((editor) => addSigner(editor, name, keys)));
  if (isCreated) session.print(`Successfully initialized "${typed}"\n`);
  return isCreated;
}

async function remove(session: Session, parsed: ParsedCommand, name: string, typed: string): Promise<void> {
  session.print(`Removing signer "${name}" from ${typed}...\n`);
  if (name === 'releases')
    throw new SignetError('name-invalid', 'releases is a reserved keyword and cannot be removed');
  const repository = await session.repository(session.resolve(typed), 'push');
  const collection = await signedCollection(repository, typed);
  const signer = signersOf(collection.set).find((each) => each.name === `targets/${name}`);
  if (signer === undefined) throw new SignetError('role-unknown', `no signer ${name} for repository ${typed}`);
  const ids = canonicalKeyIds(signer);
  const isLast = isLastSigner(collection, ids);
  const changes = signerRemoval(collection.set, signer.name, ids);
  const { consequences } = await planOn(repository, collection, changes);
  if (isLast && consequences.resigned.length === 0 && !parsed.has('force')) {
    const question = `The signer "${name}" signed the last released version of ${typed}. Removing this signer will make ${typed} unpullable. Are you sure you want to continue?`;
    if (!(await session.confirm(question, '--force'))) return;
  }
  const kept = await decideKept(session, parsed, consequences.resigned);
  await wordedAs(typed, async () => inForce(repository, await publishChanges(repository, changes, consequences, kept)));
  if (!isLast) session.print(leftText(typed, unvouchedTags(collection, signer.name)));
  session.print(`Successfully removed ${name} from ${typed}\n\n`);
}

/**
 * Lists tags that stay released although no remaining signer signed them, since a user who removes a stolen key must
 * check them.
 */
function leftText(typed: string, tags: readonly string[]): string {
  if (tags.length === 0) return '';
  const names = tags.toSorted(naturalCompare).map(shown).join(', ');
  return `Still released, though no signer who stays vouches for it: ${names}\nTo take one back: signet trust revoke ${typed}:TAG\n`;
}

async function signedCollection(repository: Repository, typed: string): Promise<Collection> {
  try {
    const collection = await repository.current();
    if (collection !== undefined) return collection;
    throw new SignetError('trust-data-missing', `${repository.host} does not have trust data for ${repository.gun}`);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.reworded(`error retrieving signers for ${typed}: ${cause.message}`);
  }
}

/** Continues with the next repository if one fails. Returns the failed ones with their errors. */
async function forEachRepository(
  session: Session,
  repositories: readonly string[],
  work: (repository: string) => Promise<void>,
): Promise<readonly Failure[]> {
  const failed: Failure[] = [];
  for (const repository of repositories) {
    try {
      await work(repository);
    } catch (error) {
      if (!isSignetError(error) || error.code === 'cancelled') throw error;
      session.printError(`${error.message}\n\n`);
      failed.push({ repository, error });
    }
  }
  return failed;
}

/** The final error, after each one was printed: which repositories failed, and how to fix it. */
function incomplete(words: string, failed: readonly Failure[]): SignetError {
  const next = [...new Set(failed.map(({ error }) => error.next))].filter((step) => step !== undefined);
  return new SignetError('trust-incomplete', `${words}: ${failed.map(({ repository }) => repository).join(', ')}`, {
    ...(next.length === 0 ? {} : { next: next.join('\n') }),
  });
}
