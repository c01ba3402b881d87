import { random } from '../support/random.ts';

/** Chances that fall the same way each time for the same seed. */
export class Dice {
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = random(seed);
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error('there is nothing to pick from');
    return items[this.below(items.length)] as T;
  }

  /** Up to, not including, `limit` things. */
  some<T>(limit: number, make: () => T): T[] {
    return Array.from({ length: this.below(limit) }, make);
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** A seed for one of many sequences that must not depend on each other, such as one for each subject. */
export function seedFor(name: string, seed: number): number {
  let mixed = seed | 0;
  for (const byte of Buffer.from(name)) mixed = Math.imul(mixed ^ byte, 0x01000193);
  return mixed;
}
