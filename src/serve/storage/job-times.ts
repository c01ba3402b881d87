import type { Instant } from '../../core/time.ts';

/** Remembers when jobs ran, across restarts and for all replicas. */
export interface JobTimes {
  /** When the job last ended. Undefined if it never has. */
  last(name: string): Promise<Instant | undefined>;
  ended(name: string, at: Instant): Promise<void>;
}
