import type { Instant } from '../../core/time.ts';

/** Remembers over restarts, and for all replicas, when jobs ran. */
export interface JobTimes {
  /** When the job last ended; undefined if it never has. */
  last(name: string): Promise<Instant | undefined>;
  ended(name: string, at: Instant): Promise<void>;
}
