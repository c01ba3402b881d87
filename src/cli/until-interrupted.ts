const INTERRUPT = 'SIGINT';

/**
 * Runs `work` with a signal that the first Ctrl-C aborts, after `told` was called: it ends what must not be left in the middle.
 * A second Ctrl-C ends the process as ever.
 */
export async function untilInterrupted<Result>(
  told: () => void,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<{ readonly result: Result; readonly isInterrupted: boolean }> {
  const controller = new AbortController();
  const interrupt = () => {
    process.off(INTERRUPT, interrupt);
    told();
    controller.abort();
  };
  process.on(INTERRUPT, interrupt);
  try {
    const result = await work(controller.signal);
    return { result, isInterrupted: controller.signal.aborted };
  } finally {
    process.off(INTERRUPT, interrupt);
  }
}
