/**
 * Checking a signature takes this thread for a millisecond, a whole collection for many. In between, the connection to the
 * server gets on, which would otherwise begin so much later.
 */
export function yieldToOthers(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
