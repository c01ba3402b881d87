type Cleanup = () => void | Promise<void>;

const pending: Cleanup[] = [];

/** Registers `cleanup` to run after the tests of this process; the last one registered runs first. */
export function atEnd(cleanup: Cleanup): void {
  pending.push(cleanup);
}

/** Runs all registered cleanups. A failure does not stop the others; the first error is thrown. */
export async function cleanUp(): Promise<void> {
  const errors: unknown[] = [];
  for (let cleanup = pending.pop(); cleanup !== undefined; cleanup = pending.pop()) {
    try {
      await cleanup();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
