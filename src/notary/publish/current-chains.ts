import { isSignetError, type SignetError } from '../../core/errors/index.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { readSnapshot } from '../../core/metadata/snapshot.ts';
import { readTimestamp } from '../../core/metadata/timestamp.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Instant } from '../../core/time.ts';
import type { CurrentFiles, MetadataStore } from '../store/metadata-store.ts';
import { LruCache } from './lru.ts';

/** The current files of a GUN, and until when they need no refresh (protocol B.7.3). */
export interface CurrentChain extends CurrentFiles {
  /** The earlier expiry of timestamp and snapshot; the end of time if there are none, or Signet cannot read them. */
  readonly freshUntil: Instant;
}

interface CurrentChainsOptions {
  readonly store: MetadataStore;
  /** Bytes of metadata to keep in memory. */
  readonly capacity: number;
  /** Whether no other process changes the store. */
  readonly isExclusive: boolean;
  /** Told of a timestamp or snapshot, put there by another server, that is served as it is and not renewed. */
  readonly onUnreadable: (gun: Gun, error: SignetError) => void;
}

/**
 * The current files of every GUN, kept in memory for those that were read lately. Who changes a GUN in the store says so.
 * If other processes may change it too, what is kept is compared with the store's revision at each read; that takes more
 * time than all the rest of a read.
 */
export class CurrentChains {
  private readonly store: MetadataStore;
  private readonly isExclusive: boolean;
  private readonly onUnreadable: CurrentChainsOptions['onUnreadable'];
  private readonly cache: LruCache<Gun, CurrentChain>;
  /** How many changes there were: what was read before one may be from before it. */
  private changes = 0;

  constructor({ store, capacity, isExclusive, onUnreadable }: CurrentChainsOptions) {
    this.store = store;
    this.isExclusive = isExclusive;
    this.onUnreadable = onUnreadable;
    this.cache = new LruCache(capacity);
  }

  async get(gun: Gun): Promise<CurrentChain> {
    const kept = this.cache.get(gun);
    if (kept === undefined) return this.load(gun);
    const isCurrent = this.isExclusive || kept.revision === (await this.store.revision(gun));
    return isCurrent ? kept : this.load(gun);
  }

  /** What is in memory, if it is known to be current. */
  kept(gun: Gun): CurrentChain | undefined {
    return this.isExclusive ? this.cache.get(gun) : undefined;
  }

  /** The GUN has changed in the store, or may have. */
  changed(gun: Gun): void {
    this.changes++;
    this.cache.delete(gun);
  }

  private async load(gun: Gun): Promise<CurrentChain> {
    const { changes } = this;
    const current = await this.store.current(gun);
    const chain = { ...current, freshUntil: this.freshUntil(gun, current) };
    // Names that do not exist are free for anyone to ask for; they must not push out those that do.
    if (chain.files.size > 0 && changes === this.changes) this.cache.set(gun, chain, weightOf(chain));
    else this.cache.delete(gun);
    return chain;
  }

  private freshUntil(gun: Gun, current: CurrentFiles): Instant {
    try {
      return freshUntil(current);
    } catch (error) {
      if (!isSignetError(error)) throw error;
      this.onUnreadable(gun, error);
      return Number.POSITIVE_INFINITY;
    }
  }
}

/** What a chain costs beside its bytes: maps, strings, objects. */
const OVERHEAD = 1024;

function weightOf({ files }: CurrentFiles): number {
  return [...files.values()].reduce((sum, { bytes }) => sum + bytes.length + OVERHEAD, OVERHEAD);
}

function freshUntil({ files }: CurrentFiles): Instant {
  const timestamp = files.get('timestamp');
  const snapshot = files.get('snapshot');
  if (timestamp === undefined || snapshot === undefined) return Number.POSITIVE_INFINITY;
  return Math.min(
    readTimestamp(parseEnvelope('timestamp', timestamp.bytes).signed).expires.at,
    readSnapshot(parseEnvelope('snapshot', snapshot.bytes).signed).expires.at,
  );
}
