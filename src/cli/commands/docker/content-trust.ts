import type { ParsedArgs } from '../../../engine/cli/flags.ts';

/**
 * Go's spellings of false; docker takes any other non-empty value, including `off` and `no`, for true (protocol D.1).
 */
const OFF: readonly string[] = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** Whether `DOCKER_CONTENT_TRUST` turns trust on. */
export function isTrustOn(env: NodeJS.ProcessEnv): boolean {
  const value = env.DOCKER_CONTENT_TRUST ?? '';
  return value !== '' && !OFF.includes(value);
}

/** The option that every trusting command had until docker 28. */
export const DISABLE_CONTENT_TRUST = 'disable-content-trust';

/** Whether this command is enforced: its own option overrides the environment. */
export function isTrustOnFor(args: ParsedArgs, env: NodeJS.ProcessEnv): boolean {
  return !args.isOn(DISABLE_CONTENT_TRUST, !isTrustOn(env));
}

/**
 * The environment for docker after Signet's enforcement: a docker CLI before 29 must not enforce again, for a name that
 * is already a digest.
 */
export function withoutTrust(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DOCKER_CONTENT_TRUST: _, ...rest } = env;
  return rest;
}
