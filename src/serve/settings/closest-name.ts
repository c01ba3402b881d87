import { editDistance } from '../../core/edit-distance.ts';

/** Letters that may be wrong, of all letters of the name that was meant. */
const MISTAKES = 1 / 4;

/** Longer texts are like no name. */
const LONGEST = 100;

/** The one of `names` that `text` was most likely meant to be: the only one that it begins, or one almost like it. */
export function closestName(text: string, names: readonly string[]): string | undefined {
  if (text.length > LONGEST) return undefined;
  const [begun, ...more] = names.filter((name) => name.startsWith(text));
  if (begun !== undefined && more.length === 0) return begun;
  const ranked = names
    .map((name) => ({ name, distance: editDistance(text, name) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= best.name.length * MISTAKES ? best.name : undefined;
}
