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
    const mistakes = mistakesBetween(typed, word);
    if (mistakes < least && mistakes < word.length / 2) [best, least] = [word, mistakes];
  }
  return best;
}

/** How many letters must be added, removed, replaced or exchanged with their neighbour to turn one word into the other. */
function mistakesBetween(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const isExchanged = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      row.push(
        Math.min(
          (rows[i - 1]?.[j] ?? 0) + 1,
          (row[j - 1] ?? 0) + 1,
          (rows[i - 1]?.[j - 1] ?? 0) + (isSame ? 0 : 1),
          isExchanged ? (rows[i - 2]?.[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
