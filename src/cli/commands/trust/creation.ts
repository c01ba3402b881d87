import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { Gun } from '../../../core/names/gun.ts';
import { isCi } from '../../../trust/settings/ci.ts';
import type { Flag } from '../../line/declaration.ts';

/** The flag that allows creating a repository if no one can be asked. */
export const INIT_FLAG: Flag = {
  name: 'init',
  type: 'switch',
  about: 'Found a repository that is new, also in a script',
};

/** The environment that a command runs in. */
interface Surroundings {
  readonly isInteractive: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** Whether a person sees what is created: at a terminal, and not in CI, which no one watches. */
export function isWatched({ isInteractive, env }: Surroundings): boolean {
  return isInteractive && !isCi(env);
}

/**
 * Refuses to create a repository without a person watching or an explicit request (`isAsked`): its name may be
 * mistyped, and its keys may be gone once the script has ended. `flag` is the command's flag for such a request, if it
 * has one. Throws `founding-unasked`.
 */
export function checkCreation(surroundings: Surroundings, gun: Gun, isAsked: boolean, flag?: string): void {
  if (isAsked || isWatched(surroundings)) return;
  const why = surroundings.isInteractive ? 'in CI' : 'without a terminal';
  throw new SignetError('founding-unasked', `${gun} has no trust data yet, and is not created unasked ${why}`, {
    next: `If the name is right, found it once, where its keys stay: signet trust init ${gun}${flag === undefined ? '' : `\nOr let this command do it: ${flag}`}`,
  });
}

/** Creates a repository. Returns false if someone else created it first, so that it exists and can be changed. */
export async function isCreatedHere(create: () => Promise<unknown>): Promise<boolean> {
  try {
    await create();
    return true;
  } catch (error) {
    if (isSignetError(error, 'trust-data-exists')) return false;
    throw error;
  }
}
