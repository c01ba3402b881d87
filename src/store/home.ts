import { homedir } from 'node:os';
import { SignetError } from '../core/errors/index.ts';

/** The user's home folder: `HOME`, else the system's entry for the user; undefined if there is neither. */
export function homeFolder(env: NodeJS.ProcessEnv): string | undefined {
  if (env.HOME) return env.HOME;
  try {
    return homedir() || undefined;
  } catch {
    // The user has no entry in the system's user database, as in containers.
    return undefined;
  }
}

/** `homeFolder` for callers that need one. Throws `home-unknown`. */
export function neededHome(env: NodeJS.ProcessEnv): string {
  const home = homeFolder(env);
  if (home === undefined) throw new SignetError('home-unknown', 'this user has no home folder, and HOME is not set');
  return home;
}
