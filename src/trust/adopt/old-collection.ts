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

/** The collection that is to be adopted, and where it is read from. */
interface OldSource extends Omit<CopySource, 'server'> {
  /** A live trust server, or a copy that was made of one. */
  readonly from: { readonly server: FileServer; readonly address: URL } | CollectionCopy;
  /** What was verified of it before, apart from the cache of collections that are used. */
  readonly known: MetadataCache;
  /** Root keys that it may have, as given for this command. */
  readonly pins: readonly RootPin[];
  /** Whether a root that is cached under its name is that of one's own collection, which has taken its place. */
  readonly isOwn: (root: Buffer) => Promise<boolean>;
}

/** A verified collection whose tags can be vouched for. */
export interface OldCollection {
  readonly copy: CollectionCopy;
  readonly verified: VerifiedCopy;
}

/**
 * Reads and verifies a collection that is to be adopted. Its root is the one of the last time; else one of those given; else
 * the one that was trusted here under its name; else what the pins say, first use included. Throws as `readCopy`, and
 * `copy-untrusted`.
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
  // The same checks against pins and what was seen before as of a live server.
  await inspectExpired({ ...copied, purpose: 'publish', whenUnreachable: 'refuse' });
  return { copy: { ...from, verification: { ...from.verification, root } }, verified };
}

/** The cache that remembers its root: of earlier adoptions, or of the time when it was used under its own name. */
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
 * Refuses what has expired, as no one can say whether it is the newest. With `accepted` it is taken as it stood on that day:
 * only what had expired before is refused. Throws `metadata-expired`.
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

/** Remembers the collection as it was verified, so that no older one and no other root is taken the next time. */
export async function rememberOld(known: MetadataCache, { copy, verified }: OldCollection): Promise<void> {
  const { gun } = copy;
  await known.write(gun, 'root', verified.set.root.envelope.bytes);
  for (const [role, bytes] of copy.files) await known.write(gun, role, bytes);
}

function day(instant: Instant): string {
  return formatTime(instant).slice(0, 10);
}

/** A cache in which nothing is. */
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
    // The caller remembers elsewhere what it read.
  }

  async remove(): Promise<void> {
    // There is nothing.
  }

  async guns(): Promise<readonly []> {
    return [];
  }

  async names(): Promise<readonly []> {
    return [];
  }
}
