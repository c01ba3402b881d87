import { describe, expect, test } from 'bun:test';
import type { JobTimes } from '../../../src/serve/storage/job-times.ts';

/** What everything that remembers jobs must do. `open` gives one that knows of none. */
export function jobTimesSuite(name: string, open: () => Promise<JobTimes>): void {
  describe(name, () => {
    test('knows each job by its name, and its last end', async () => {
      const times = await open();
      expect(await times.last('tidy')).toBeUndefined();
      await times.ended('tidy', 1_790_000_000_000);
      await times.ended('Tidy', 2);
      expect(await times.last('tidy')).toBe(1_790_000_000_000);
      await times.ended('tidy', 3);
      expect([await times.last('tidy'), await times.last('Tidy')]).toEqual([3, 2]);
    });

    test('takes the end of one job from many at once', async () => {
      const times = await open();
      await Promise.all([1, 2, 3, 4, 5].map((at) => times.ended('tidy', at)));
      expect([1, 2, 3, 4, 5]).toContain((await times.last('tidy')) ?? 0);
    });
  });
}
