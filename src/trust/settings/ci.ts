/** Values of `CI` that CI services set outside of a job. */
const NOT_CI: readonly string[] = ['', '0', 'false'];

/** Whether this is a CI job, which no one watches and which keeps no state. */
export function isCi({ CI = '' }: NodeJS.ProcessEnv): boolean {
  return !NOT_CI.includes(CI.toLowerCase());
}
