/** Letters that may be wrong, of all letters of the name that was meant. */
const MISTAKES = 1 / 4;

/** Longer texts are like no name. */
const LONGEST = 100;

/** The one of `names` that `text` was most likely meant to be: the only one that it begins, or one almost like it. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  if (text.length > LONGEST) return undefined;
  const [begun, ...more] = names.filter((name) => name.startsWith(text));
  if (begun !== undefined && more.length === 0) return begun;
  const ranked = names
    .map((name) => ({ name, distance: distanceOf(text, name) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= best.name.length * MISTAKES ? best.name : undefined;
}

/** Letters to add, remove or replace (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let line = 1; line <= a.length; line++) {
    const next = [line];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (a[line - 1] === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
