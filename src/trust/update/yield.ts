/**
 * Lets other tasks run. Checking a signature blocks this thread for about a millisecond, a whole collection for many;
 * pending requests to the server would be delayed by as much.
 */
export function yieldToOthers(): Promise<void> {
  return new Promise((resume) => setImmediate(resume));
}
