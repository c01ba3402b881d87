/** A map that holds at most `capacity` of weight, and forgets what was not used for longest. */
export class LruCache<Key, Value> {
  private readonly entries = new Map<Key, { readonly value: Value; readonly weight: number }>();
  private readonly capacity: number;
  private readonly forgotten: (value: Value) => void;
  private weight = 0;

  /** `forgotten` is called with each value that leaves the cache. */
  constructor(capacity: number, forgotten: (value: Value) => void = () => {}) {
    this.capacity = capacity;
    this.forgotten = forgotten;
  }

  get(key: Key): Value | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  /** Keeps `value` unless it alone is heavier than the cache may be. */
  set(key: Key, value: Value, weight = 1): void {
    this.delete(key);
    if (weight > this.capacity) return;
    this.entries.set(key, { value, weight });
    this.weight += weight;
    for (const oldest of this.entries.keys()) {
      if (this.weight <= this.capacity) break;
      this.delete(oldest);
    }
  }

  delete(key: Key): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.weight -= entry.weight;
    this.forgotten(entry.value);
  }
}
