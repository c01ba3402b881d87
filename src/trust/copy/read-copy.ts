import type { CollectionCopy, CopiedRole, RootFile, RootTrust } from '../../core/copy/collection-copy.ts';
import { expiredFiles, unsignedRoles, verifyCopy } from '../../core/copy/verify-copy.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { SECOND, UNEXPIRED } from '../../core/time.ts';
import { pinFor, TRUST_ON_FIRST_USE } from '../../core/verify/pinning.ts';
import { type TrustedRoot, trustCachedRoot, trustNextRoot } from '../../core/verify/root-trust.ts';
import { CachedTimestamp } from '../update/cached-timestamp.ts';
import { type Collection, inspectExpired } from '../update/collection.ts';
import type { CollectionSource } from '../update/collection-source.ts';

/** The source of a copy: that of a collection, without the options that are only about its use. */
export type CopySource = Omit<CollectionSource, 'purpose' | 'whenUnreachable'>;

/**
 * Reads a whole collection from a live trust server and verifies it as a client does: pins and the root of earlier
 * visits apply, no file may be older than the cached one, and every file must be the one listed by its predecessor.
 * Expired files are recorded, not refused. The cache is not changed.
 *
 * Reads all roots of the server that lead to the current one. If the first one is not among them, calls `warn` with the
 * version at which they begin. Throws what `updateCollection` throws, except `metadata-expired`.
 */
export async function readCopy(source: CopySource, server: URL): Promise<CollectionCopy> {
  const trust = await trustIn(source);
  const collection = await inspectExpired({ ...source, purpose: 'publish', whenUnreachable: 'refuse' });
  const older = await olderRoots(source, collection.set.root);
  return copyOf(source, collection, { server, older, trust });
}

/**
 * Copies the cached collection without contacting a server. The copy has only one root, so clients that know only an
 * older one cannot follow. Throws `trust-data-missing` if the collection is not cached completely.
 */
export async function copyCached(source: Omit<CopySource, 'server'>): Promise<CollectionCopy> {
  const { gun, cache } = source;
  if ((await cache.read(gun, 'root')) === undefined) {
    throw new SignetError('trust-data-missing', `nothing of ${gun} is cached`, { detail: { gun } });
  }
  const trust = await trustIn(source);
  const server = new CachedTimestamp(cache);
  const collection = await inspectExpired({ ...source, server, purpose: 'read', whenUnreachable: 'refuse' });
  return copyOf(source, collection, { server: undefined, older: [], trust });
}

/** Why the reader of a collection trusts its root. */
export async function trustIn({ gun, cache, pinning }: Omit<CopySource, 'server'>): Promise<RootTrust> {
  const pin = pinFor(pinning, gun);
  if (pin !== undefined) return { how: 'pinned', pattern: pin.pattern };
  return (await cache.read(gun, 'root')) === undefined ? { how: 'first-use' } : { how: 'known' };
}

/** The older roots that lead to `current`, oldest first. */
async function olderRoots({ gun, server, warn }: CopySource, current: TrustedRoot): Promise<readonly RootFile[]> {
  const older: RootFile[] = [];
  let next = current;
  const first = Math.max(1, current.root.version - LIMITS.rootChain);
  for (let version = current.root.version - 1; version >= first; version--) {
    const found = await server.read(gun, { role: 'root', version }, LIMITS.metadata).catch(unlessMissing);
    const root = found instanceof SignetError ? found : leadingTo(next, found);
    if (root instanceof SignetError) {
      // If this root is missing or does not lead on, clients cannot use the older ones.
      warn(
        `WARNING: the roots of ${gun} can be followed from version ${version + 1} on, not from version 1: ${root.message}. Clients that know only an older root have to decide again whether to trust it.`,
      );
      break;
    }
    next = root;
    older.unshift({ version, bytes: root.envelope.bytes });
  }
  return older;
}

function unlessMissing(error: unknown): SignetError {
  if (isSignetError(error, 'trust-data-missing')) return error;
  throw error;
}

/** The root in a file, if it leads to the one after it. Otherwise the reason why it does not. */
function leadingTo({ gun, envelope }: TrustedRoot, bytes: Buffer): TrustedRoot | SignetError {
  try {
    const root = trustCachedRoot(gun, bytes);
    trustNextRoot(root, envelope.bytes, TRUST_ON_FIRST_USE, UNEXPIRED, 'intermediate');
    return root;
  } catch (error) {
    if (isSignetError(error)) return error;
    throw error;
  }
}

function copyOf(
  { gun, now }: Pick<CopySource, 'gun' | 'now'>,
  { set, unusable }: Collection,
  { server, older, trust }: { server: URL | undefined; older: readonly RootFile[]; trust: RootTrust },
): CollectionCopy {
  const readAt = Math.floor(now / SECOND) * SECOND;
  const targets = [...set.targets, ...unusable].map(([role, { envelope }]) => [role, envelope.bytes] as const);
  const copy: CollectionCopy = {
    gun,
    server,
    readAt,
    roots: [...older, { version: set.root.root.version, bytes: set.root.envelope.bytes }],
    files: new Map<CopiedRole, Buffer>([
      ['timestamp', set.timestamp.envelope.bytes],
      ['snapshot', set.snapshot.envelope.bytes],
      ...targets,
    ]),
    verification: { root: trust, expired: expiredFiles(set, readAt), unsigned: unsignedRoles(unusable) },
  };
  // Make sure that every reader will accept the copy.
  verifyCopy(copy);
  return copy;
}
