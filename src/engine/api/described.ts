import { isSignetError } from '../../core/errors/index.ts';

/** Parses an engine's description of `what` (`an image`, `itself`). Throws `engine-response-invalid`. */
export function described<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('engine-response-invalid', `the engine describes ${what} unreadably: ${cause.message}`);
  }
}
