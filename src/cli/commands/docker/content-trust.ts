import type { ParsedArgs } from '../../../engine/cli/flags.ts';

/** Go's spellings of false; docker takes every other non-empty value, `off` and `no` included, for true (protocol D.1). */
const OFF: readonly string[] = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** Whether `DOCKER_CONTENT_TRUST` turns trust on. */
export function isTrustOn(env: NodeJS.ProcessEnv): boolean {
  const value = env.DOCKER_CONTENT_TRUST ?? '';
  return value !== '' && !OFF.includes(value);
}

/** The option that every trusting command had until docker 28. */
export const DISABLE_CONTENT_TRUST = 'disable-content-trust';

/** Whether this command is to enforce: its own option decides, if it is given, over the environment. */
export function isTrustOnFor(args: ParsedArgs, env: NodeJS.ProcessEnv): boolean {
  return !args.isOn(DISABLE_CONTENT_TRUST, !isTrustOn(env));
}

/**
 * The environment for docker once Signet has done the enforcing: a docker CLI before 29 must not do it again, under a
 * name that is already a digest.
 */
export function withoutTrust(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { DOCKER_CONTENT_TRUST: _, ...rest } = env;
  return rest;
}
