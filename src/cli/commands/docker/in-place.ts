import { isSignetError } from '../../../core/errors/index.ts';
import { printable } from '../../../core/printable.ts';

const MAX_MESSAGE = 2048;

/**
 * Runs `work`; what it throws says where in the command it happened, and ends in docker's words. `next` is the step that
 * helps there, if the error's own would not.
 */
export async function inPlace<T>(place: string, work: () => Promise<T>, next?: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSignetError(error)) throw error;
    const message = printable(`${place}: ${error.message}`, MAX_MESSAGE);
    throw error.reworded(message, next === undefined ? {} : { next });
  }
}
