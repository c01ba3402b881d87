import type { UnusableFile } from '../core/editor.ts';
import { type ErrorCode, isSignetError, SignetError } from '../core/errors/index.ts';
import { expiryWarnings } from '../core/expiry-warnings.ts';
import { LIMITS } from '../core/limits.ts';
import { parseEnvelope } from '../core/metadata/envelope.ts';
import { checkFile, type FileInfo } from '../core/metadata/file-info.ts';
import { readTargets } from '../core/metadata/targets.ts';
import type { Gun } from '../core/names/gun.ts';
import type { RoleName, TargetsRole } from '../core/names/role.ts';
import { checkRootCurrent, type TrustedRoot, trustCachedRoot } from '../core/root-trust.ts';
import { UNEXPIRED } from '../core/time.ts';
import { TrustedSet } from '../core/trusted-set.ts';
import { type RemoteFile, remoteName, type TrustServer } from '../remote/trust-server.ts';
import type { CollectionSource } from './collection-source.ts';
import { firstRoot, newestRoot } from './root-update.ts';

/** A collection as it stands. */
export interface Collection {
  readonly set: TrustedSet;
  /** Published delegation files that are passed over because they expired or lost their signatures. */
  readonly unusable: ReadonlyMap<TargetsRole, UnusableFile>;
}

/** Faults of the way to the server, not of what it says: the cache may serve until it expires (protocol C.6.2). */
const UNREACHABLE: readonly ErrorCode[] = [
  'network-unreachable',
  'network-timeout',
  'server-error',
  'trust-data-missing',
];
/** What a changed root would explain (protocol C.6.2): then the root is brought up to date, and all is tried once more. */
const ROOT_MAY_BE_OLD: readonly ErrorCode[] = [
  'root-outdated',
  'threshold-not-met',
  'signatures-missing',
  'metadata-expired',
  'root-untrusted',
  'root-pin-mismatch',
];
/** What makes a delegation unusable without making the collection so (protocol C.6.2, Targets). */
const PASSED_OVER: readonly ErrorCode[] = ['metadata-expired', 'threshold-not-met', 'signatures-missing'];

/**
 * Brings a collection up to date and returns what of it is trusted (protocol C.6). The cache changes only when all of it
 * verified, the timestamp last; on any error it is byte for byte as before.
 *
 * Throws `trust-data-missing` for a repository that has none, and the error of the first check that fails.
 */
export async function updateCollection(source: CollectionSource): Promise<Collection> {
  const update = new Update(source);
  const collection = await update.run();
  await update.commit();
  for (const message of expiryWarnings(collection.set, source.now)) source.warn(message);
  return collection;
}

/**
 * The collection with all that has expired in it: to show and to mend, never to trust. Every other check holds, and the
 * cache stays as it is. Throws like `updateCollection`, except for `metadata-expired`.
 */
export function inspectExpired(source: CollectionSource): Promise<Collection> {
  return new Update({ ...source, now: UNEXPIRED }).run();
}

class Update {
  private readonly source: CollectionSource;
  private readonly fresh = new Map<RoleName, Buffer>();
  /** Under way from the first moment, while the cached root is read and verified. */
  private timestampFile: Promise<Buffer> | undefined;

  constructor(source: CollectionSource) {
    this.source = source;
    this.timestampFile = this.fetchTimestamp();
    // Whoever awaits it sees its failure; a root that fails first leaves it unseen.
    this.timestampFile.catch(() => undefined);
  }

  async run(): Promise<Collection> {
    const { gun, cache } = this.source;
    const cached = await cache.read(gun, 'root');
    // The request for the timestamp leaves before the root's signatures take this thread.
    await new Promise((resume) => setImmediate(resume));
    const root = cached === undefined ? this.keepRoot(await firstRoot(this.source)) : trustCachedRoot(gun, cached);
    const kept = cached === undefined ? undefined : await this.keptCollection(root);
    if (kept !== undefined) return kept;
    try {
      return await this.load(root);
    } catch (error) {
      if (!isSignetError(error, ...ROOT_MAY_BE_OLD)) throw error;
      // Nothing that was verified with the keys of an old root may reach the cache beside the new one.
      this.fresh.clear();
      return await this.load(this.keepRoot(await newestRoot(this.source, root, error)));
    }
  }

  /**
   * The collection as the cache has it, if the server's timestamp is the cached one: then nothing is newer. It passes
   * the same checks as any other, while the request is on its way.
   */
  private async keptCollection(root: TrustedRoot): Promise<Collection | undefined> {
    const warnings: string[] = [];
    const server = new CachedTimestamp(this.source);
    const offline = new Update({ ...this.source, server, warn: (message) => warnings.push(message) });
    try {
      const kept = await offline.load(root);
      const newest = await this.timestampFile;
      if (!newest?.equals(kept.set.timestamp.envelope.bytes)) return undefined;
      for (const message of warnings) this.source.warn(message);
      return kept;
    } catch (error) {
      // Whatever is wrong with the cache or the way to the server, the update proper finds it and knows what to do.
      if (isSignetError(error)) return undefined;
      throw error;
    }
  }

  /** Writes what changed. A crash in between leaves old files with new ones, which the next update sorts out. */
  async commit(): Promise<void> {
    const { gun, cache } = this.source;
    const timestamp = this.fresh.get('timestamp');
    for (const [role, bytes] of this.fresh) if (role !== 'timestamp') await cache.write(gun, role, bytes);
    if (timestamp !== undefined) await cache.write(gun, 'timestamp', timestamp);
  }

  private async load(root: TrustedRoot): Promise<Collection> {
    const { gun, cache, pinning, now } = this.source;
    checkRootCurrent(root, pinning, now);
    const set = new TrustedSet(root, now);
    await this.loadTimestamp(set);
    const knownSnapshot = await cache.read(gun, 'snapshot');
    const snapshot = await this.promised('snapshot', set.timestamp.payload.snapshot, knownSnapshot);
    set.updateSnapshot(snapshot, knownSnapshot);
    this.keep('snapshot', snapshot, knownSnapshot);
    return { set, unusable: await this.loadTargets(set) };
  }

  private async loadTimestamp(set: TrustedSet): Promise<void> {
    const { gun, cache, purpose } = this.source;
    const known = await cache.read(gun, 'timestamp');
    try {
      const request = this.timestampFile ?? this.fetchTimestamp();
      this.timestampFile = undefined;
      const bytes = await request;
      set.updateTimestamp(bytes, known);
      this.keep('timestamp', bytes, known);
    } catch (error) {
      if (known === undefined || purpose === 'publish' || !isSignetError(error, ...UNREACHABLE)) throw error;
      set.updateTimestamp(known);
      this.source.warn(
        'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely',
      );
    }
  }

  private fetchTimestamp(): Promise<Buffer> {
    return this.source.server.read(this.source.gun, { role: 'timestamp' }, LIMITS.timestamp);
  }

  /** Loads `targets` and then the delegations, a level of the tree at a time, the files of one level at once. */
  private async loadTargets(set: TrustedSet): Promise<ReadonlyMap<TargetsRole, UnusableFile>> {
    const unusable = new Map<TargetsRole, UnusableFile>();
    let level: readonly TargetsRole[] = ['targets'];
    let visited = 0;
    let bytes = 0;
    while (level.length > 0) {
      visited += level.length;
      bytes += level.reduce((sum, role) => sum + (set.promised(role)?.length ?? 0), 0);
      if (visited > LIMITS.delegations)
        throw new SignetError('too-large', `the repository has more than ${LIMITS.delegations} delegations`);
      if (bytes > LIMITS.collection)
        throw new SignetError('too-large', `the repository's trust data is larger than ${LIMITS.collection} bytes`);
      const files = await Promise.all(level.map((role) => this.fetchTargets(set, role)));
      for (const file of files) if (file !== undefined) this.trustTargets(set, file, unusable);
      level = level.flatMap((role) => set.delegationsOf(role).map(({ name }) => name));
    }
    if (!set.targets.has('targets')) throw new SignetError('role-unknown', 'role does not exist: targets');
    return unusable;
  }

  /** Undefined for a delegation that was never published. */
  private async fetchTargets(set: TrustedSet, role: TargetsRole): Promise<FetchedFile | undefined> {
    const promise = set.promised(role);
    if (promise === undefined) return undefined;
    const known = await this.source.cache.read(this.source.gun, role);
    return { role, known, bytes: await this.promised(role, promise, known) };
  }

  private trustTargets(
    set: TrustedSet,
    { role, bytes, known }: FetchedFile,
    unusable: Map<TargetsRole, UnusableFile>,
  ): void {
    try {
      set.updateTargets(role, bytes, known);
      this.keep(role, bytes, known);
    } catch (error) {
      if (role === 'targets' || !isSignetError(error, ...PASSED_OVER)) throw error;
      const envelope = parseEnvelope(role, bytes);
      const why = error.code === 'metadata-expired' ? 'expired' : 'unsigned';
      unusable.set(role, { payload: readTargets(role, envelope.signed), envelope, why });
      this.source.warn(`Error getting ${role}: ${error.message}`);
    }
  }

  /** The file that was promised: from the cache if it has it, from the server by checksum otherwise. */
  private async promised(
    role: Exclude<RoleName, 'root' | 'timestamp'>,
    promise: FileInfo,
    known: Buffer | undefined,
  ): Promise<Buffer> {
    if (known !== undefined && isPromised(role, known, promise)) return known;
    const sha256 = promise.hashes.get('sha256');
    if (sha256 === undefined)
      throw new SignetError('checksum-missing', `no checksums for supported algorithms were provided for ${role}`);
    const { gun, server } = this.source;
    return server.read(gun, { role, sha256: sha256.toString('hex') }, Math.min(promise.length, LIMITS.metadata));
  }

  private keepRoot(root: TrustedRoot): TrustedRoot {
    this.fresh.set('root', root.envelope.bytes);
    return root;
  }

  private keep(role: RoleName, bytes: Buffer, known: Buffer | undefined): void {
    if (known === undefined || !known.equals(bytes)) this.fresh.set(role, bytes);
  }
}

/** A server that has nothing but the timestamp that is cached. */
class CachedTimestamp implements Pick<TrustServer, 'read'> {
  private readonly source: CollectionSource;

  constructor(source: CollectionSource) {
    this.source = source;
  }

  async read(gun: Gun, file: RemoteFile): Promise<Buffer> {
    const cached = file.role === 'timestamp' ? await this.source.cache.read(gun, 'timestamp') : undefined;
    if (cached !== undefined) return cached;
    throw new SignetError('trust-data-missing', `${remoteName(file)} is not cached`);
  }
}

interface FetchedFile {
  readonly role: TargetsRole;
  readonly bytes: Buffer;
  readonly known: Buffer | undefined;
}

function isPromised(role: RoleName, bytes: Buffer, promise: FileInfo): boolean {
  try {
    checkFile(role, bytes, promise);
    return true;
  } catch (error) {
    if (isSignetError(error)) return false;
    throw error;
  }
}
