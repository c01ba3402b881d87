import { editDistance } from '../../core/edit-distance.ts';

/** At most so many letters are wrong in a word that was mistyped. */
const MAX_MISTAKES = 2;

/**
 * The one of `words` that a mistyped word stands for: it differs by one or two letters that are missing, wrong, too many
 * or exchanged, and by less than half of its own. Undefined where none is so near, or where the word is one of them.
 */
export function suggestion(typed: string, words: Iterable<string>): string | undefined {
  let [best, least] = [undefined as string | undefined, MAX_MISTAKES + 1];
  for (const word of words) {
    if (word === typed) return undefined;
    if (Math.abs(word.length - typed.length) > MAX_MISTAKES) continue;
    const mistakes = editDistance(typed, word);
    if (mistakes < least && mistakes < word.length / 2) [best, least] = [word, mistakes];
  }
  return best;
}
