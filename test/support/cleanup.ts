type Cleanup = () => void | Promise<void>;

const pending: Cleanup[] = [];

/** Registers `cleanup` to run when the tests of this process have ended; the latest registered runs first. */
export function atEnd(cleanup: Cleanup): void {
  pending.push(cleanup);
}

/** Runs everything registered. A cleanup that fails does not keep the others from running; the first error is thrown. */
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
