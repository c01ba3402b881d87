import type { WhileSending } from '../../trust/publish/repository-source.ts';

/** The signal that is held once; its second occurrence ends the process. */
const INTERRUPT = 'SIGINT';
const ENDING: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP'];

/**
 * While a change is being sent to the server, delays the first Ctrl-C until the server has answered. A second one, or
 * another signal, ends the process as usual, after a message that the change may be published. `end` is called with
 * that signal.
 */
export function heldWhileSending(print: (line: string) => void, end = endBySignal): WhileSending {
  return async (gun, sending) => {
    let isHeld = false;
    const stop = (signal: NodeJS.Signals) => {
      print(`The change of ${gun} may be published. To see it: signet trust inspect ${gun}`);
      end(signal);
    };
    const hold = (signal: NodeJS.Signals) => {
      if (isHeld) return stop(signal);
      isHeld = true;
      print(`The change of ${gun} is sent already: waiting for the answer of the server. Ctrl-C again ends that.`);
    };
    process.on(INTERRUPT, hold);
    for (const signal of ENDING) process.on(signal, stop);
    try {
      await sending();
    } finally {
      process.off(INTERRUPT, hold);
      for (const signal of ENDING) process.off(signal, stop);
    }
  };
}

/** Ends the process as if there were no handler. */
function endBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/**
 * Runs `work` with an abort signal for the first Ctrl-C, after calling `told`, so that `work` can stop at a safe point.
 * A second Ctrl-C ends the process as usual.
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

/** Resolves with the first SIGTERM or Ctrl-C. A second one ends the process at once, with `exitCode`. */
export function firstStop(exitCode: number): Promise<void> {
  return new Promise((stop) => {
    let isFirst = true;
    const onSignal = () => {
      if (!isFirst) process.exit(exitCode);
      isFirst = false;
      stop();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
