/** Quotes a text as one word of a POSIX shell, for commands that people copy. Unchanged if it needs no quotes. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
