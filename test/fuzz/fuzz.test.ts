import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { CORPUS, corpusOf } from './corpus.ts';
import { seedFor } from './dice.ts';
import { attempt, Fuzzer } from './engine.ts';
import { SUBJECTS } from './subjects/index.ts';

const SEED = 20_261_123;
const ROUNDS = 8000;
/** Milliseconds after which a subject has had enough, however slow the machine is. */
const ENOUGH = 1200;
const ONE_SUBJECT_MS = 60_000;
/** What takes everything, and must only do so without harm. */
const NEVER_REFUSE: readonly string[] = ['public-key'];

/** Names the input in the error, so that it can be tried again. */
function broken(input: Buffer, cause: Error): Error {
  return new Error(`${cause.message}\ninput: ${JSON.stringify(input.toString('latin1').slice(0, 2000))}`, { cause });
}

describe.each([...SUBJECTS])('%s', (name, make) => {
  test(
    `holds for what once broke it, and for mutations (seed ${SEED})`,
    async () => {
      const subject = await make();
      for (const input of corpusOf(CORPUS, name).values()) await attempt(subject, input);
      const fuzzer = new Fuzzer(subject, seedFor(name, SEED));
      const end = performance.now() + ENOUGH;
      while (fuzzer.rounds < ROUNDS && (performance.now() < end || fuzzer.rounds <= 2 * subject.seeds.length)) {
        const failure = await fuzzer.round();
        if (failure !== undefined) throw broken(failure.input, failure.error);
      }
      expect(fuzzer.accepted).toBeGreaterThanOrEqual(subject.seeds.length);
      expect(fuzzer.refused > 0).toBe(!NEVER_REFUSE.includes(name));
    },
    ONE_SUBJECT_MS,
  );
});

test('every folder of the corpus is that of a subject', () => {
  for (const name of readdirSync(CORPUS)) expect([...SUBJECTS.keys()]).toContain(name);
});
