import { compareUtf8 } from '../../core/json/canonical.ts';

/**
 * Orders as docker's tables do: runs of digits compare as numbers and come before all else, everything else by byte, so
 * that `v9` precedes `v10`.
 */
export function naturalCompare(a: string, b: string): number {
  const [left, right] = [chunks(a), chunks(b)];
  for (let index = 0; index < Math.min(left.length, right.length); index++) {
    const order = compareChunks(left[index] ?? '', right[index] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function chunks(text: string): readonly string[] {
  return text.match(/\d+|\D+/g) ?? [];
}

function compareChunks(a: string, b: string): number {
  const [isNumber, isOtherNumber] = [/^\d/.test(a), /^\d/.test(b)];
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return isNumber ? compareNumbers(a, b) : compareUtf8(a, b);
}

/** By value, whatever its size; of two spellings of one number the one with fewer zeros in front is first. */
function compareNumbers(a: string, b: string): number {
  const [left, right] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return left.length - right.length || compareUtf8(left, right) || a.length - b.length;
}
