import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { Gun } from '../../../core/names/gun.ts';
import { isCi } from '../../../trust/settings/ci.ts';
import type { Flag } from '../../line/declaration.ts';

/** The flag that founds a repository where no one can be asked. */
export const INIT_FLAG: Flag = {
  name: 'init',
  type: 'switch',
  about: 'Found a repository that is new, also in a script',
};

/** Where a command runs. */
interface Surroundings {
  readonly isInteractive: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** Whether someone sees what is made: at a terminal, and not in CI, where no one looks at it. */
export function isWatched({ isInteractive, env }: Surroundings): boolean {
  return isInteractive && !isCi(env);
}

/**
 * Refuses to found a repository that may be a mistyped name, with keys that may be gone once the script has ended, unless
 * someone is there to see it or has said so (`isAsked`). `flag` names how this command is told, where it can be. Throws
 * `founding-unasked`.
 */
export function checkCreation(surroundings: Surroundings, gun: Gun, isAsked: boolean, flag?: string): void {
  if (isAsked || isWatched(surroundings)) return;
  const why = surroundings.isInteractive ? 'in CI' : 'without a terminal';
  throw new SignetError('founding-unasked', `${gun} has no trust data yet, and is not created unasked ${why}`, {
    next: `If the name is right, found it once, where its keys stay: signet trust init ${gun}${flag === undefined ? '' : `\nOr let this command do it: ${flag}`}`,
  });
}

/** Founds a repository. Returns false where somebody else was faster, so that it is there to be changed. */
export async function isCreatedHere(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create();
    return true;
  } catch (error) {
    if (isSignetError(error, 'trust-data-exists')) return false;
    throw error;
  }
}
