import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSignetError } from '../../src/core/errors/index.ts';
import { findImageUses, SYNTAX } from '../../src/dockerfile/index.ts';
import { settings } from './support.ts';

interface Reading {
  readonly source: string;
  /** What the builder would fetch, in its order, each with what asks for it; undefined for a file that it refuses. */
  readonly old: readonly string[] | undefined;
  readonly recent: readonly string[] | undefined;
}

/**
 * Dockerfiles made at random with what the parsers of BuildKit 0.8.3 (in Docker Engine 20.10, the classic builder's as well)
 * and of BuildKit 0.27.1 said of them. The old one does not look for `# syntax=` itself.
 */
const READINGS: readonly Reading[] = readFileSync(join(import.meta.dir, 'readings.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const [source, old, recent] = JSON.parse(line);
    return { source, old: old ?? undefined, recent: recent ?? undefined };
  });

/** The same in Signet's reading; undefined for a file that it refuses. */
function ownReading(source: string): readonly string[] | undefined {
  try {
    return findImageUses(source, settings({ buildArgs: { X: 'b' } })).flatMap(({ by, span, name }) => {
      if (by === 'AS' || by.startsWith('ONBUILD')) return [];
      if (by === 'FROM') return [`FROM ${source.slice(span.from, span.to)}`];
      return [`${by === SYNTAX ? 'SYNTAX' : by.startsWith('COPY') ? 'COPY' : 'MOUNT'} ${name}`];
    });
  } catch (error) {
    if (isSignetError(error, 'dockerfile-invalid', 'dockerfile-uncertain')) return undefined;
    throw error;
  }
}

/** A stage by its number is no image, and stages go by any case. Which builders take `# syntax=` where, they differ on. */
function comparable(reading: readonly string[]): readonly string[] {
  return reading.filter((use) => !/^COPY \d+$|^SYNTAX /.test(use)).map((use) => use.toLowerCase());
}

describe('a Dockerfile that is read', () => {
  const read = READINGS.flatMap((reading) => {
    const own = ownReading(reading.source);
    return own === undefined ? [] : [{ ...reading, own }];
  });

  test.each(['old', 'recent'] as const)(
    'means to the %s builder what it means here, or is refused there',
    (builder) => {
      for (const { source, own, ...theirs } of read) {
        const reading = theirs[builder];
        if (reading === undefined) continue;
        expect({ source, uses: comparable(own) }).toEqual({ source, uses: comparable(reading) });
      }
    },
  );

  test('is given to no image but those that are resolved', () => {
    const given = read.flatMap(({ source, own, recent = [] }) =>
      recent.filter((use) => use.startsWith('SYNTAX ')).map((use) => ({ source, use, own })),
    );
    for (const { source, use, own } of given)
      expect({ source, own }).toEqual({ source, own: expect.arrayContaining([use]) });
    expect(given.length).toBeGreaterThan(10);
  });

  test('is no rarity among the recorded ones, nor is one that the two builders read differently', () => {
    expect(read.length).toBeGreaterThan(150);
    const differing = READINGS.filter(({ old, recent }) => JSON.stringify(old) !== JSON.stringify(recent));
    expect(differing.length).toBeGreaterThan(150);
  });
});
