import type { Subject } from './engine.ts';
import { bytes, words } from './mutate.ts';

const sample = [Buffer.from('a sample that is long enough to be made smaller')];

/** Subjects with faults that must be found. */
export const SUBJECTS: ReadonlyMap<string, () => Subject> = new Map<string, () => Subject>([
  ['sound', () => ({ seeds: sample, mutate: bytes, refusals: [], check: () => {} })],
  [
    'wrong',
    () => ({
      seeds: sample,
      mutate: words(['!', '?', 'x']),
      refusals: [],
      check: (input) => {
        if (input.includes('!') && input.includes('?')) throw new Error('it holds both');
      },
    }),
  ],
  [
    'endless',
    () => ({
      seeds: sample,
      mutate: words(['loop']),
      refusals: [],
      check: (input) => {
        while (input.includes('loop'));
      },
    }),
  ],
]);
