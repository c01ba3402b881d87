import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import { expiredFiles, type VerifiedCopy, verifyCopy } from '../../core/copy/verify-copy.ts';
import { SignetError } from '../../core/errors/index.ts';
import { formatTime, type Instant } from '../../core/time.ts';
import { type Pinning, type RootPin, TRUST_ON_FIRST_USE } from '../../core/verify/pinning.ts';
import type { MetadataCache } from '../../store/metadata-cache.ts';
import { CopiedServer } from '../copy/copied-server.ts';
import { type CopySource, readCopy, trustIn } from '../copy/read-copy.ts';
import { inspectExpired } from '../update/collection.ts';
import type { FileServer } from '../update/served-files.ts';

/** A collection to be adopted, and where it is read from. */
interface OldSource extends Omit<CopySource, 'server'> {
  /** A live trust server, or a copy. */
  readonly from: { readonly server: FileServer; readonly address: URL } | CollectionCopy;
  /** Metadata verified by earlier adoptions, separate from the cache of collections in use. */
  readonly known: MetadataCache;
  /** The root keys that it may have, as given to this command. */
  readonly pins: readonly RootPin[];
  /** Whether a root cached under its name belongs to the user's own collection that has replaced it. */
  readonly isOwn: (root: Buffer) => Promise<boolean>;
}

/** A verified collection with tags that can be adopted. */
export interface OldCollection {
  readonly copy: CollectionCopy;
  readonly verified: VerifiedCopy;
}

/**
 * Reads and verifies a collection to be adopted. Its root must be the one of the last adoption, otherwise one of the
 * given ones, otherwise the one trusted under its name, otherwise one that the pins allow, including first use. Throws
 * what `readCopy` throws, and `copy-untrusted`.
 */
export async function readOld(source: OldSource): Promise<OldCollection> {
  const { from, gun, cache } = source;
  const memory = await memoryOf(source);
  const pinning = pinningOf(source, memory !== undefined);
  const reading = { ...source, pinning, cache: memory ?? new NoCache(cache.pathOf(gun, 'root')) };
  if (!('files' in from)) {
    const copy = await readCopy({ ...reading, server: from.server }, from.address);
    return { copy, verified: verifyCopy(copy) };
  }
  const verified = verifyCopy(from);
  const copied = { ...reading, server: new CopiedServer(from) };
  const root = await trustIn(copied);
  // Apply the same checks as for a live server, against pins and known versions.
  await inspectExpired({ ...copied, purpose: 'publish', whenUnreachable: 'refuse' });
  return { copy: { ...from, verification: { ...from.verification, root } }, verified };
}

/** The cache that knows its root: that of earlier adoptions, or the one from its use under its own name. */
async function memoryOf({ gun, known, cache, pins, isOwn }: OldSource): Promise<MetadataCache | undefined> {
  if ((await known.read(gun, 'root')) !== undefined) return known;
  const used = pins.length > 0 ? undefined : await cache.read(gun, 'root');
  return used === undefined || (await isOwn(used)) ? undefined : cache;
}

function pinningOf({ gun, pinning, pins }: OldSource, isKnown: boolean): Pinning {
  if (pins.length > 0) return { certs: new Map([[gun, pins]]), ca: new Map(), tofu: 'off' };
  return isKnown ? TRUST_ON_FIRST_USE : pinning;
}

/**
 * Refuses expired files, because no one can tell whether they are the newest. With `accepted`, the collection is
 * checked as of that day: only files that had expired before are refused. Throws `metadata-expired`.
 */
export function checkFresh({ verified, copy }: OldCollection, now: Instant, accepted: Instant | undefined): void {
  const expired = expiredFiles(verified.set, now);
  const refused = expired.filter((file) => accepted === undefined || file.expired < accepted);
  if (refused.length === 0) return;
  const first = day(Math.min(...expired.map((file) => file.expired)));
  const list = refused.map((file) => `${file.role} on ${day(file.expired)}`).join(', ');
  throw new SignetError(
    'metadata-expired',
    `the signatures of ${copy.gun} hold, but no one can say whether it is still the newest: ${list} expired`,
    {
      detail: { gun: copy.gun, roles: refused.map(({ role }) => role) },
      next: `If you vouch for it as it stood on ${first}: --accept-expired ${first}`,
    },
  );
}

/** Stores the verified collection, so that no older one and no other root is accepted the next time. */
export async function rememberOld(known: MetadataCache, { copy, verified }: OldCollection): Promise<void> {
  const { gun } = copy;
  await known.write(gun, 'root', verified.set.root.envelope.bytes);
  for (const [role, bytes] of copy.files) await known.write(gun, role, bytes);
}

function day(instant: Instant): string {
  return formatTime(instant).slice(0, 10);
}

/** An empty cache. */
class NoCache implements MetadataCache {
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async read(): Promise<undefined> {
    return undefined;
  }

  pathOf(): string {
    return this.path;
  }

  async write(): Promise<void> {
    // The caller stores what it read elsewhere.
  }

  async remove(): Promise<void> {
    // Nothing is stored.
  }

  async guns(): Promise<readonly []> {
    return [];
  }

  async names(): Promise<readonly []> {
    return [];
  }
}
