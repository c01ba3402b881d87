import type { Dice } from './dice.ts';
import type { Mutator } from './engine.ts';

/** One of the mutators, each time another. */
export function anyOf(...mutators: readonly Mutator[]): Mutator {
  return (input, dice, others) => dice.pick(mutators)(input, dice, others);
}

/** Forgets the input and makes a new one. */
export function generated(make: (dice: Dice) => string | Buffer): Mutator {
  return (_, dice) => Buffer.from(make(dice) as string);
}

/** Changes a few bytes, whatever they mean: replaced, flipped, cut out, repeated, put in, or taken from another input. */
export const bytes: Mutator = (input, dice, others) => {
  const at = dice.below(input.length + 1);
  const length = 1 + dice.below(dice.chance(0.2) ? 200 : 8);
  const [before, after] = [input.subarray(0, at), input.subarray(at)];
  const changed = Buffer.from(input);
  switch (dice.below(7)) {
    case 0:
      if (after.length > 0) changed[at] = dice.below(256);
      return changed;
    case 1:
      if (after.length > 0) changed[at] = (changed[at] ?? 0) ^ (1 << dice.below(8));
      return changed;
    case 2:
      return Buffer.concat([before, after.subarray(length)]);
    case 3:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 4:
      return Buffer.concat([before, dice.bytes(length), after]);
    case 5:
      return dice.chance(0.3) ? before : changed.copyWithin(at, dice.below(input.length + 1));
    default: {
      const other = dice.pick(others);
      const from = dice.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + length), after.subarray(dice.below(length))]);
    }
  }
};

/** Puts words of the subject's language into the text, in the place of nothing or of a few characters. */
export function words(vocabulary: readonly string[]): Mutator {
  const pieces = vocabulary.map((word) => Buffer.from(word));
  return (input, dice) => {
    const at = dice.below(input.length + 1);
    const gone = dice.chance(0.5) ? 0 : dice.below(12);
    return Buffer.concat([input.subarray(0, at), dice.pick(pieces), input.subarray(at + gone)]);
  };
}

/** Changes a text line by line: one is left out, repeated, moved, or taken from another input. */
export const lines: Mutator = (input, dice, others) => {
  const all = input.toString('latin1').split('\n');
  const at = dice.below(all.length);
  const line = all[at] ?? '';
  const place = dice.below(all.length + 1);
  switch (dice.below(4)) {
    case 0:
      return joined(all.toSpliced(at, 1));
    case 1:
      return joined(all.toSpliced(place, 0, line));
    case 2:
      return joined(all.toSpliced(at, 1).toSpliced(place, 0, line));
    default:
      return joined(all.toSpliced(place, dice.below(2), dice.pick(dice.pick(others).toString('latin1').split('\n'))));
  }
};

function joined(all: readonly string[]): Buffer {
  return Buffer.from(all.join('\n'), 'latin1');
}
