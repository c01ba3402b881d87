import { isSignetError, SignetError } from '../../core/errors/index.ts';

/**
 * Asks a yes-or-no question with `ask`. Only `y` and `Y` mean yes. If the input ends without an answer, throws
 * `confirmation-missing`, which names the `flag` that answers it in a script.
 */
export async function answerOf(ask: () => Promise<string>, flag: string): Promise<boolean> {
  try {
    return (await ask()).trim().toLowerCase() === 'y';
  } catch (cause) {
    if (!isSignetError(cause, 'input-ended')) throw cause;
    const why = cause.detail.atTerminal === true ? ': the input ended' : ', as there is no terminal to ask at';
    throw new SignetError('confirmation-missing', `no one answered the question${why}`, {
      cause,
      next: `Answer it on the command line: ${flag}`,
    });
  }
}

/**
 * Reports that one of Signet's own commands was declined, and returns its exit code. Docker's own commands use docker's
 * text.
 */
export function declined(session: { print(text: string): void }): number {
  session.print('Nothing was done.\n');
  return 0;
}
