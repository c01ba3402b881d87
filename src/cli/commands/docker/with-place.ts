import { isSignetError } from '../../../core/errors/index.ts';
import { printable } from '../../../core/printable.ts';

const MAX_MESSAGE = 2048;

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
