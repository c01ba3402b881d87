import { isSignetError, SignetError } from '../../core/errors/index.ts';

/**
 * The answer to a question of yes or no, which `ask` gets: only `y` and `Y` mean yes. Where the input ends without one,
 * nobody has decided anything: throws `confirmation-missing`, which names the `flag` that decides it in a script.
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

/** Says of a command of Signet's own that it was declined; its exit code. Docker's own commands say what docker says. */
export function declined(session: { print(text: string): void }): number {
  session.print('Nothing was done.\n');
  return 0;
}
