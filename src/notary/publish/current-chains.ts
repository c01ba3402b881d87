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

/**
 * The current files of every GUN, kept in memory for those that were read lately. What is kept is compared with the
 * store's revision at each read, so it stays right when another process publishes to the same store.
 */
export class CurrentChains {
  private readonly store: MetadataStore;
  private readonly kept: LruCache<Gun, CurrentChain>;
  private readonly onUnreadable: (gun: Gun, error: SignetError) => void;

  /**
   * `capacity` is in bytes of metadata. `onUnreadable` is told of a timestamp or snapshot, put there by another server, that
   * is served as it is and not renewed.
   */
  constructor(store: MetadataStore, capacity: number, onUnreadable: (gun: Gun, error: SignetError) => void) {
    this.store = store;
    this.onUnreadable = onUnreadable;
    this.kept = new LruCache(capacity);
  }

  async get(gun: Gun): Promise<CurrentChain> {
    const kept = this.kept.get(gun);
    return kept !== undefined && kept.revision === (await this.store.revision(gun)) ? kept : this.load(gun);
  }

  private async load(gun: Gun): Promise<CurrentChain> {
    const current = await this.store.current(gun);
    const chain = { ...current, freshUntil: this.freshUntil(gun, current) };
    // Names that do not exist are free for anyone to ask for; they must not push out those that do.
    if (chain.files.size > 0) this.kept.set(gun, chain, weightOf(chain));
    else this.kept.delete(gun);
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
