/**
 * Orders as docker's tables do: runs of digits compare as numbers, everything else by byte, so that `v9` precedes `v10`.
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
  const areNumbers = /^\d/.test(a) && /^\d/.test(b);
  return (areNumbers ? compareNumbers(a.replace(/^0+/, ''), b.replace(/^0+/, '')) : 0) || compareText(a, b);
}

/** Digits without leading zeros: the longer is the larger, whatever its size. */
function compareNumbers(a: string, b: string): number {
  return a.length - b.length || compareText(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
