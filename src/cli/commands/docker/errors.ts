import { isSignetError, type SignetError } from '../../../core/errors/index.ts';
import { printable } from '../../../core/printable.ts';

const MAX_MESSAGE = 2048;
const RUN_FAILED = 125;

/**
 * Runs `work` and rewords its errors: they say where in the command it happened, and end in docker's words. `next` is
 * the step that helps there, unless the error's own is better.
 */
export async function withPlace<T>(place: string, work: () => Promise<T>, next?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSignetError(error)) throw error;
    const message = printable(`${place}: ${error.message}`, MAX_MESSAGE);
    throw error.reworded(message, next === undefined ? {} : { next });
  }
}

/** An error of `docker run`, in docker's layout and with its exit code: other codes are the container's. */
export function runError(error: SignetError): SignetError {
  return error.reworded(`docker: ${error.message}\n\nRun 'docker run --help' for more information`, {
    exitCode: RUN_FAILED,
  });
}
