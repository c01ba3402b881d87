import { homedir } from 'node:os';
import { SignetError } from '../core/errors/index.ts';

/** The user's home folder: `HOME`, else what the system knows of the user; undefined if neither says. */
export function homeFolder(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HOME) return env.HOME;
  try {
    return homedir() || undefined;
  } catch {
    // A user without an entry in the system's list, as containers have.
    return undefined;
  }
}

/** `homeFolder` for what must be there. Throws `home-unknown`. */
export function neededHome(env: NodeJS.ProcessEnv): string {
  const home = homeFolder(env);
  if (home === undefined) throw new SignetError('home-unknown', 'this user has no home folder, and HOME is not set');
  return home;
}
