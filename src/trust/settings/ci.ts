/** What CI services set CI to where the job is none. */
const NOT_CI: readonly string[] = ['', '0', 'false'];

/** Whether the environment is that of a CI job, which no one watches and which remembers nothing. */
export function isCi({ CI = '' }: NodeJS.ProcessEnv): boolean {
  return !NOT_CI.includes(CI.toLowerCase());
}
