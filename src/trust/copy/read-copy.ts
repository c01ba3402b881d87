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

/** What a copy is read from: a collection's source without what reading for use is about. */
export type CopySource = Omit<CollectionSource, 'purpose' | 'whenUnreachable'>;

/**
 * Reads a whole collection from a live trust server and verifies it as a client does: pins and the root of earlier visits
 * are respected, nothing may be older than what the cache has, and every file must be the one that its predecessor
 * promises. What has expired is recorded, not refused. The cache stays as it is.
 *
 * All roots are read that the server has and that lead to the current one; `warn` is told from which version on, if it is
 * not the first. Throws what `updateCollection` throws, but for `metadata-expired`.
 */
export async function readCopy(source: CopySource, server: URL): Promise<CollectionCopy> {
  const trust = await trustIn(source);
  const collection = await inspectExpired({ ...source, purpose: 'publish', whenUnreachable: 'refuse' });
  const older = await olderRoots(source, collection.set.root);
  return copyOf(source, collection, { server, older, trust });
}

/**
 * The same from the cache alone, as it stands, without asking a server. It has one root, so that clients who know only an
 * older one cannot follow. Throws `trust-data-missing` for a collection that is not cached, or not whole.
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
      // Without it, or with one that does not lead on, the older ones are of use to no one.
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

/** The root in a file, if it vouches for the one after it; otherwise why it does not. */
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
  // What is handed out is what any reader of it will accept.
  verifyCopy(copy);
  return copy;
}
