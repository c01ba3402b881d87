import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import { type VerifiedCopy, verifyCopy } from '../../core/copy/verify-copy.ts';
import { checkOwnRoot } from '../../core/edit/own-root.ts';
import type { ProposalStore } from '../../core/edit/proposal-store.ts';
import type { SigningKeys } from '../../core/edit/signing.ts';
import { type ErrorCode, isSignetError, SignetError } from '../../core/errors/index.ts';
import { rootCertificateOf } from '../../core/keys/certificate.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { isDelegation, isTargetsRole, type RoleName, type TargetsRole } from '../../core/names/role.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { ImportService } from '../../remote/notary/import-service.ts';
import type { TrustServer } from '../../remote/notary/trust-server.ts';
import { type CopySource, readCopy } from '../copy/read-copy.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { countHere } from '../keys/signer-roles.ts';
import { type Collection, inspectExpired } from '../update/collection.ts';
import { CopyCache } from './copy-cache.ts';
import type { InTurn } from './in-turn.ts';
import { type NewRoot, type OnlineKeys, signNewRoot } from './new-root.ts';

/** One repository to migrate, and both servers. */
export interface Migration {
  readonly gun: Gun;
  readonly from: { readonly address: URL; readonly source: CopySource };
  readonly to: {
    readonly host: string;
    readonly server: TrustServer;
    readonly imports: Pick<ImportService, 'isFree' | 'import'>;
  };
  readonly keys: SigningKeys & Pick<KeyRing, 'has'>;
  /** Serialises opening keys: two at once could both ask for their passphrase. */
  readonly signing: InTurn;
  readonly drafts: ProposalStore & { pathOf(gun: Gun): string };
}

/** What is migrated, or was. */
interface MovedParts {
  /** Version of the old server's last root. The new root follows it. */
  readonly root: number;
  /**
   * Version of the oldest root that leads to it. Clients that know only an older one cannot follow, on either server.
   */
  readonly oldestRoot: number;
  readonly targets: number;
  readonly delegations: number;
  /** Roles whose files had expired on the old server, and so are expired on the new one. */
  readonly expired: readonly TargetsRole[];
}

/** The result for one repository. */
export type Outcome =
  | { readonly kind: 'moved' | 'present'; readonly parts: MovedParts; readonly timestamp: number }
  /** Nothing prevents the migration. The result of a dry run. */
  | { readonly kind: 'ready'; readonly parts: MovedParts; readonly newCertificates: boolean }
  /** The old server has no trust data for it. */
  | { readonly kind: 'unsigned' }
  /** This many of the keys still have to sign. */
  | {
      readonly kind: 'waiting';
      readonly parts: MovedParts;
      readonly missing: readonly KeyId[];
      readonly needed: number;
      /** The file with the unfinished root. Undefined if no key that could begin to sign it is available here. */
      readonly draft: string | undefined;
    }
  | { readonly kind: 'failed'; readonly error: SignetError }
  /** It was not begun, because the command ended first. */
  | { readonly kind: 'skipped' };

/** If the new server cannot be reached, these errors say nothing about its content. */
const UNREACHABLE: readonly ErrorCode[] = ['network-unreachable', 'network-timeout', 'server-error', 'unauthorized'];
/** How many times a collection is read again if it changes on the old server meanwhile. */
const ATTEMPTS = 5;

/**
 * Migrates one repository: reads all of it from the old server and verifies it, makes the one new root version that
 * gives its online roles to the new server (`signNewRoot`), and imports all of it there. Then checks that a client that
 * knows any old root can read the result on its first try. Recognises a repository that has already been migrated.
 * Throws what its parts throw, `import-unsupported`, and `migration-conflict` if the new server has something else
 * under the name.
 */
export async function migrate(migration: Migration): Promise<Outcome> {
  const { gun, to } = migration;
  for (let attempt = 1; ; attempt++) {
    const copy = await read(migration);
    if (copy === undefined) return { kind: 'unsigned' };
    const parts = partsOf(copy);
    if (!(await to.imports.isFree(gun))) return present(migration, copy);
    const signed = await migration.signing.run(async () => newRoot(migration, copy.verified));
    if (signed.kind === 'keyless') return { ...signed, kind: 'waiting', parts, draft: undefined };
    if (signed.kind === 'waiting') return { ...signed, parts, draft: migration.drafts.pathOf(gun) };
    const files = await importedFiles(migration, copy, signed);
    if (!(await isCurrent(migration, copy.copy))) {
      if (attempt < ATTEMPTS) continue;
      throw new SignetError('publish-conflict', `others publish ${gun} on the old server all the time`);
    }
    if (!(await to.imports.import(gun, files))) return present(migration, copy);
    if (signed.draft) await forgetDraft(migration);
    return { kind: 'moved', parts, timestamp: await checkThere(migration, copy) };
  }
}

/** Predicts what `migrate` would do. Reads from both servers, opens no key, and changes nothing. */
export async function plan(migration: Migration): Promise<Outcome> {
  const copy = await read(migration);
  if (copy === undefined) return { kind: 'unsigned' };
  if (!(await migration.to.imports.isFree(migration.gun))) return present(migration, copy);
  const { set } = copy.verified;
  const { threshold } = set.signersOf('root');
  const ids = canonicalKeyIds(set.signersOf('root'));
  const here = await countHere(migration.keys, ids);
  await checkOldRoot(migration, copy.verified);
  const parts = partsOf(copy);
  if (here >= threshold) return { kind: 'ready', parts, newCertificates: hasEndedCertificate(migration, set) };
  const missing: KeyId[] = [];
  for (const id of ids) if (!(await migration.keys.has(id))) missing.push(id);
  return { kind: 'waiting', parts, missing, needed: threshold - here, draft: undefined };
}

interface ReadCopy {
  readonly copy: CollectionCopy;
  readonly verified: VerifiedCopy;
}

async function read({ gun, from }: Migration): Promise<ReadCopy | undefined> {
  try {
    const copy = await readCopy(from.source, from.address);
    return { copy, verified: verifyCopy(copy) };
  } catch (error) {
    if (!isSignetError(error, 'trust-data-missing')) throw error;
    // A client that knows a root asks for the timestamp first.
    const root = error.detail.resource === 'root' ? undefined : await rootThere(gun, from);
    if (root === undefined) return undefined;
    throw error.reworded(`${from.address.host} has a root of ${gun} and not all of the rest: ${error.message}`);
  }
}

function rootThere(gun: Gun, { source }: Migration['from']): Promise<Buffer | undefined> {
  return source.server.read(gun, { role: 'root' }, LIMITS.metadata).catch(unlessMissing);
}

/** No key that could sign the new root is available here. */
interface Keyless {
  readonly kind: 'keyless';
  readonly missing: readonly KeyId[];
  readonly needed: number;
}

/** Throws `root-unconfirmed` if the old root is not one that a key of this machine has signed. */
function checkOldRoot({ from, keys }: Migration, { set }: VerifiedCopy): Promise<void> {
  return checkOwnRoot(set.root, from.source.pinning, (id) => keys.has(id));
}

async function newRoot(migration: Migration, old: VerifiedCopy): Promise<NewRoot | Keyless> {
  const signers = old.set.signersOf('root');
  const missing = canonicalKeyIds(signers);
  if ((await countHere(migration.keys, missing)) === 0) {
    return { kind: 'keyless', missing, needed: signers.threshold };
  }
  const { gun, to, keys, drafts, from } = migration;
  const { now } = from.source;
  await checkOldRoot(migration, old);
  const online: OnlineKeys = {
    timestamp: await to.server.publicKey(gun, 'timestamp'),
    snapshot: await to.server.publicKey(gun, 'snapshot'),
  };
  return signNewRoot({ gun, old, online, keys, drafts, now });
}

function hasEndedCertificate({ from }: Migration, set: VerifiedCopy['set']): boolean {
  const { keyIds, keys } = set.signersOf('root');
  return keyIds.some((id) => {
    const key = keys.get(id);
    const certificate = key === undefined ? undefined : rootCertificateOf(key);
    return certificate !== undefined && certificate.notAfter < from.source.now;
  });
}

/** The files by the names in protocol I.2.1. */
async function importedFiles(
  migration: Migration,
  { copy, verified }: ReadCopy,
  { root, snapshot }: Extract<NewRoot, { kind: 'signed' }>,
): Promise<ReadonlyMap<string, Buffer>> {
  const { set } = verified;
  const files = new Map<string, Buffer>(copy.roots.map(({ version, bytes }) => [`${version}.root`, bytes]));
  files.set(`${set.root.root.version + 1}.root`, root);
  for (const [role, bytes] of copy.files) files.set(role, bytes);
  for (const [role, bytes] of await undelegatedFiles(migration, copy, set)) files.set(role, bytes);
  if (snapshot !== undefined) files.set(`${set.snapshot.payload.version + 1}.snapshot`, snapshot);
  return files;
}

/**
 * The files of roles that no one delegates to any more but that the snapshot still lists (protocol G-16): a later role
 * of the same name must continue their version numbers. Leaves out files that the old server has lost.
 */
async function undelegatedFiles(
  { gun, from }: Migration,
  copy: CollectionCopy,
  set: VerifiedCopy['set'],
): Promise<ReadonlyMap<RoleName, Buffer>> {
  const files = new Map<RoleName, Buffer>();
  for (const [role, info] of set.snapshot.payload.meta) {
    const sha256 = info.hashes.get('sha256')?.toString('hex');
    if (!isDelegation(role) || copy.files.has(role) || sha256 === undefined) continue;
    const bytes = await from.source.server.read(gun, { role, sha256 }, LIMITS.metadata).catch(unlessMissing);
    if (bytes !== undefined) files.set(role, bytes);
  }
  return files;
}

function unlessMissing(error: unknown): undefined {
  if (!isSignetError(error, 'trust-data-missing')) throw error;
}

/** Whether the old server has nothing newer than the copy, neither a publish nor a renewed timestamp. */
async function isCurrent({ gun, from }: Migration, copy: CollectionCopy): Promise<boolean> {
  const timestamp = await from.source.server.read(gun, { role: 'timestamp' }, LIMITS.timestamp);
  return copy.files.get('timestamp')?.equals(timestamp) === true;
}

/**
 * Handles a new server that already has trust data of that name: it must be this repository, such that clients of the
 * old server can continue with it.
 */
async function present(migration: Migration, copy: ReadCopy): Promise<Outcome> {
  return { kind: 'present', parts: partsOf(copy), timestamp: await checkThere(migration, copy) };
}

/**
 * Reads the collection from the new server as two clients would: one that has all of the old server's files, and one
 * that knows only the oldest root. No file may be older than on the old server. Returns the timestamp's version there.
 */
async function checkThere(migration: Migration, { copy, verified }: ReadCopy): Promise<number> {
  const { gun, from, to } = migration;
  const visit = (what: 'all' | 'oldest root') =>
    inspectExpired({
      ...{ gun, host: to.host, server: to.server, cache: new CopyCache(copy, what) },
      ...{ pinning: from.source.pinning, now: from.source.now, warn: () => undefined },
      ...{ purpose: 'publish', whenUnreachable: 'refuse' },
    });
  try {
    const { set } = await visit('all');
    await visit('oldest root');
    checkVersions(set, verified.set);
    return set.timestamp.payload.version;
  } catch (cause) {
    if (!isSignetError(cause) || UNREACHABLE.includes(cause.code)) throw cause;
    throw behind(migration, cause) ?? conflict(migration, cause);
  }
}

/** What the owner of a repository has to know if the old server has signed on after the move. */
function behind({ gun, from, to }: Migration, cause: SignetError): SignetError | undefined {
  const { role, found, known } = cause.detail;
  if (
    cause.code !== 'version-rollback' ||
    role === 'root' ||
    found === undefined ||
    known === undefined ||
    found === known
  )
    return undefined;
  return new SignetError(
    'migration-conflict',
    `the old server is ahead: ${from.address.host} has version ${known} of ${role} of ${gun}, and ${to.host} has ${found}`,
    {
      cause,
      detail: { gun, why: cause.code, ...cause.detail },
      next: `Publish on ${to.host} what was published on the old server since the move. Or delete it there and move it again, if nothing was published there since: DOCKER_CONTENT_TRUST_SERVER=https://${to.host} signet trust delete --remote ${gun}`,
    },
  );
}

function conflict({ gun, to }: Migration, cause: SignetError): SignetError {
  return new SignetError(
    'migration-conflict',
    `${to.host} has trust data of ${gun} that clients of the old server cannot go on with: ${cause.message}`,
    {
      cause,
      detail: { gun, why: cause.code },
      next: `If nothing of it is needed, delete it there and migrate again: DOCKER_CONTENT_TRUST_SERVER=https://${to.host} signet trust delete --remote ${gun}`,
    },
  );
}

/**
 * On a first visit to the new server, a client still requires the versions seen on the old one, even of roles with new
 * keys.
 */
function checkVersions(set: Collection['set'], old: VerifiedCopy['set']): void {
  const versions = [
    ['root', set.root.root.version, old.root.root.version + 1],
    ['timestamp', set.timestamp.payload.version, old.timestamp.payload.version],
    ['snapshot', set.snapshot.payload.version, old.snapshot.payload.version],
  ] as const;
  for (const [role, found, known] of versions) {
    if (found >= known) continue;
    throw new SignetError('version-rollback', `its ${role} is version ${found}, and the old server has ${known}`, {
      detail: { role, found, known },
    });
  }
  for (const [role, { payload, envelope }] of old.targets) {
    const there = set.targets.get(role);
    if (there?.payload.version !== payload.version || there.envelope.bytes.equals(envelope.bytes)) continue;
    throw new SignetError('version-rollback', `its ${role} of version ${payload.version} is not the old server's`, {
      detail: { role, found: payload.version, known: payload.version },
    });
  }
}

async function forgetDraft({ gun, drafts }: Migration): Promise<void> {
  const text = await drafts.read(gun);
  if (text !== undefined) await drafts.replace(gun, text, undefined);
}

function partsOf({ copy, verified }: ReadCopy): MovedParts {
  const payloads = [...verified.set.targets.values(), ...verified.unusable.values()].map(({ payload }) => payload);
  return {
    root: verified.set.root.root.version,
    oldestRoot: copy.roots[0]?.version ?? verified.set.root.root.version,
    targets: payloads.reduce((sum, { targets }) => sum + targets.size, 0),
    delegations: payloads.length - 1,
    // The other roles are signed again.
    expired: copy.verification.expired.map(({ role }) => role).filter(isTargetsRole),
  };
}
