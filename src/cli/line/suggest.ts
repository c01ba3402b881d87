import { editDistance } from '../../core/edit-distance.ts';

/** Wrong letters in a mistyped word at most. */
const MAX_MISTAKES = 2;

/**
 * Finds the one of `words` that a mistyped word was meant to be: one or two letters are missing, wrong, extra or
 * swapped, and fewer than half of its letters. Undefined if none is that close, or if the word is itself one of them.
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
