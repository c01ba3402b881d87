import { nodeCrypto } from '../../core/crypto.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { type FileInfo, matchesFile } from '../../core/metadata/file-info.ts';
import { isDelegation, type RoleName, type TargetsRole } from '../../core/names/role.ts';
import { UNEXPIRED } from '../../core/time.ts';
import { expiryWarnings } from '../../core/verify/expiry-warnings.ts';
import { checkRootCurrent, type TrustedRoot, trustCachedRoot } from '../../core/verify/root-trust.ts';
import { trustOrPassOver, type UnusableFile } from '../../core/verify/tolerated.ts';
import { TrustedSet } from '../../core/verify/trusted-set.ts';
import { isUnwritablePlace } from '../../store/files.ts';
import { CachedTimestamp } from './cached-timestamp.ts';
import type { CollectionSource } from './collection-source.ts';
import { explainingHost } from './mistaken-host.ts';
import { firstRoot, newestRoot } from './root-update.ts';
import { knownFiles, ServedFiles } from './served-files.ts';
import { ROOT_MAY_BE_OLD, UNREACHABLE } from './update-faults.ts';
import { yieldToOthers } from './yield.ts';

/** A collection in its current state. */
export interface Collection {
  readonly set: TrustedSet;
  /** Published delegation files that are not used because they have expired or lost their signatures. */
  readonly unusable: ReadonlyMap<TargetsRole, UnusableFile>;
}

/**
 * Updates a collection and returns the trusted part of it (protocol C.6). The cache changes only once everything has
 * verified, the timestamp last; on any error it stays byte for byte the same. Reading warns if the cache is not
 * writable.
 *
 * Throws `trust-data-missing` for a repository without trust data, and the error of the first check that fails.
 */
export async function updateCollection(source: CollectionSource): Promise<Collection> {
  const update = new Update(source);
  const collection = await explainingHost(source, () => update.run());
  await update.commit();
  for (const message of expiryWarnings(collection.set, source.now)) source.warn(message);
  return collection;
}

/**
 * The collection including everything that has expired: for displaying and renewing it, never for trusting it. All
 * other checks apply, and the cache does not change. Throws the errors of `updateCollection` except `metadata-expired`.
 */
export function inspectExpired(source: CollectionSource): Promise<Collection> {
  return explainingHost(source, () => new Update({ ...source, now: UNEXPIRED }).run());
}

class Update {
  private readonly source: CollectionSource;
  private readonly files: ServedFiles;
  private readonly fresh = new Map<RoleName, Buffer>();

  constructor(source: CollectionSource) {
    this.files = new ServedFiles(source.gun, source.server);
    this.source = source;
  }

  async run(): Promise<Collection> {
    const { gun, cache } = this.source;
    const cached = await cache.read(gun, 'root');
    void this.files.ask(await knownFiles(cached, await cache.read(gun, 'timestamp')));
    await yieldToOthers();
    nodeCrypto();
    await yieldToOthers();
    const root = cached === undefined ? await this.firstRoot() : this.cachedRoot(cached);
    const kept = cached === undefined ? undefined : await this.keptCollection(root);
    if (kept !== undefined) return kept;
    try {
      return await this.load(root);
    } catch (error) {
      if (!isSignetError(error, ...ROOT_MAY_BE_OLD)) throw error;
      // Nothing verified with the keys of an old root may be cached together with the new one.
      this.fresh.clear();
      // A root that has to be fetched may be newer than the cached timestamp; one that came with it is not.
      if (!this.files.hasRoot) this.files.forgetTimestamp();
      return await this.load(this.keepRoot(await newestRoot({ ...this.source, server: this.files }, root, error)));
    }
  }

  /** Other damaged files are fetched again; a trusted root must not be replaced by whatever the server has. */
  private cachedRoot(bytes: Buffer): TrustedRoot {
    const { gun, cache } = this.source;
    try {
      return trustCachedRoot(gun, bytes);
    } catch (cause) {
      if (!isSignetError(cause)) throw cause;
      throw cause.reworded(`the trusted root of ${gun} is damaged, in ${cache.pathOf(gun, 'root')}: ${cause.message}`, {
        next: `Restore the file from a copy. Or forget it, and decide again whether to trust the root that the server has: signet trust delete ${gun}`,
      });
    }
  }

  private async firstRoot(): Promise<TrustedRoot> {
    await this.files.beginFirstVisit();
    return this.keepRoot(await firstRoot({ ...this.source, server: this.files }));
  }

  /**
   * The cached collection, if the server's timestamp equals the cached one: nothing is newer then. It passes the same
   * checks as any other, while the request is pending.
   */
  private async keptCollection(root: TrustedRoot): Promise<Collection | undefined> {
    const warnings: string[] = [];
    const server = new CachedTimestamp(this.source.cache);
    const offline = new Update({ ...this.source, server, warn: (message) => warnings.push(message) });
    try {
      const kept = await offline.load(root);
      const newest = await this.files.timestamp();
      if (!newest.equals(kept.set.timestamp.envelope.bytes)) return undefined;
      for (const message of warnings) this.source.warn(message);
      return kept;
    } catch (error) {
      // Problems with the cache or the connection are left to the actual update.
      if (isSignetError(error)) return undefined;
      throw error;
    }
  }

  /**
   * Writes the changes to the cache. If nothing can be written, reading continues with what was verified; publishing
   * fails, because it would build on state that is not kept.
   */
  async commit(): Promise<void> {
    const { gun, purpose, warn } = this.source;
    try {
      await this.write();
    } catch (error) {
      if (purpose !== 'read' || !isUnwritablePlace(error)) throw error;
      warn(
        `WARNING: ${error.message}. What the server has of ${gun} was verified, but it is not remembered: if the server offers older trust data next time, or another root, that may go unnoticed. DOCKER_CONFIG=FOLDER names a folder that can be written.`,
      );
    }
  }

  /** A crash in between leaves a mix of old and new files, which the next update resolves. */
  private async write(): Promise<void> {
    const { gun, cache } = this.source;
    const timestamp = this.fresh.get('timestamp');
    for (const [role, bytes] of this.fresh) if (role !== 'timestamp') await cache.write(gun, role, bytes);
    if (timestamp !== undefined) await cache.write(gun, 'timestamp', timestamp);
  }

  private async load(root: TrustedRoot): Promise<Collection> {
    const { gun, cache, pinning, now } = this.source;
    checkRootCurrent(root, pinning, now);
    const set = new TrustedSet(root, now);
    await yieldToOthers();
    await this.loadTimestamp(set);
    await yieldToOthers();
    const knownSnapshot = await cache.read(gun, 'snapshot');
    const snapshot = await this.promised('snapshot', set.timestamp.payload.snapshot, knownSnapshot);
    set.updateSnapshot(snapshot, knownSnapshot);
    this.keep('snapshot', snapshot, knownSnapshot);
    await yieldToOthers();
    return { set, unusable: await this.loadTargets(set) };
  }

  private async loadTimestamp(set: TrustedSet): Promise<void> {
    const { gun, cache, purpose, whenUnreachable } = this.source;
    const known = await cache.read(gun, 'timestamp');
    try {
      const bytes = await this.files.timestamp();
      set.updateTimestamp(bytes, known);
      this.keep('timestamp', bytes, known);
    } catch (error) {
      const cacheServes = purpose === 'read' && whenUnreachable === 'cache' && isSignetError(error, ...UNREACHABLE);
      if (known === undefined || !cacheServes) throw error;
      set.updateTimestamp(known);
      this.source.warn(
        'Error while downloading remote metadata, using cached timestamp - this might not be the latest version available remotely',
      );
      this.source.warn(error.code === 'trust-data-missing' ? this.lost() : error.message);
    }
  }

  /**
   * A server without the data is not the same as an unreachable one, although the cache is used for both (protocol
   * C.8).
   */
  private lost(): string {
    const { gun, host } = this.source;
    return `WARNING: ${host} has no trust data for ${gun} any more: it was deleted, or lost. What was seen before counts until it expires; ask the owner of ${gun}, or the operator of ${host}.`;
  }

  /** Loads `targets` and then the delegations, one level of the tree at a time. */
  private async loadTargets(set: TrustedSet): Promise<ReadonlyMap<TargetsRole, UnusableFile>> {
    const unusable = new Map<TargetsRole, UnusableFile>();
    const begun = this.beginTargets(set);
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
      const files = await Promise.all(level.map((role) => begun.get(role) ?? this.fetchTargets(set, role)));
      for (const [at, role] of level.entries()) {
        const file = files[at];
        if (file === undefined) await this.checkUnlisted(set, role);
        else this.trustTargets(set, file, unusable);
        await yieldToOthers();
      }
      level = level.flatMap((role) => set.delegationsOf(role).map(({ name }) => name));
    }
    if (!set.targets.has('targets')) throw new SignetError('role-unknown', 'role does not exist: targets');
    return unusable;
  }

  /**
   * Starts fetching everything the snapshot lists, not level by level. Files that are listed but no longer delegated to
   * (protocol G-16) are fetched needlessly; their results are ignored.
   */
  private beginTargets(set: TrustedSet): ReadonlyMap<TargetsRole, Promise<FetchedFile | undefined>> {
    const { meta } = set.snapshot.payload;
    const listed = [...meta.keys()].filter((role) => role === 'targets' || isDelegation(role)) as TargetsRole[];
    const bytes = listed.reduce((sum, role) => sum + (set.promised(role)?.length ?? 0), 0);
    if (listed.length > LIMITS.delegations || bytes > LIMITS.collection) return new Map();
    return new Map(
      listed.map((role) => {
        const fetched = this.fetchTargets(set, role);
        fetched.catch(() => undefined);
        return [role, fetched];
      }),
    );
  }

  /** Undefined for a delegation that was never published. */
  private async fetchTargets(set: TrustedSet, role: TargetsRole): Promise<FetchedFile | undefined> {
    const promise = set.promised(role);
    if (promise === undefined) return undefined;
    const known = await this.source.cache.read(this.source.gun, role);
    return { role, known, bytes: await this.promised(role, promise, known) };
  }

  private async checkUnlisted(set: TrustedSet, role: TargetsRole): Promise<void> {
    const { gun, cache } = this.source;
    if (role !== 'targets') set.checkUnlisted(role, (await cache.read(gun, role)) !== undefined);
  }

  private trustTargets(
    set: TrustedSet,
    { role, bytes, known }: FetchedFile,
    unusable: Map<TargetsRole, UnusableFile>,
  ): void {
    const passedOver = trustOrPassOver(set, role, bytes, known);
    if (passedOver === undefined) {
      this.keep(role, bytes, known);
      return;
    }
    unusable.set(role, passedOver.file);
    this.source.warn(`Error getting ${role}: ${passedOver.why.message}`);
  }

  /** The listed file: from the cache if it is there, otherwise from the server by checksum. */
  private async promised(
    role: Exclude<RoleName, 'root' | 'timestamp'>,
    promise: FileInfo,
    known: Buffer | undefined,
  ): Promise<Buffer> {
    if (known !== undefined && matchesFile(role, known, promise)) return known;
    const sha256 = promise.hashes.get('sha256');
    if (sha256 === undefined)
      throw new SignetError('checksum-missing', `no checksums for supported algorithms were provided for ${role}`);
    const { gun } = this.source;
    return this.files.read(gun, { role, sha256: sha256.toString('hex') }, Math.min(promise.length, LIMITS.metadata));
  }

  private keepRoot(root: TrustedRoot): TrustedRoot {
    this.fresh.set('root', root.envelope.bytes);
    return root;
  }

  private keep(role: RoleName, bytes: Buffer, known: Buffer | undefined): void {
    if (known === undefined || !known.equals(bytes)) this.fresh.set(role, bytes);
  }
}

interface FetchedFile {
  readonly role: TargetsRole;
  readonly bytes: Buffer;
  readonly known: Buffer | undefined;
}
