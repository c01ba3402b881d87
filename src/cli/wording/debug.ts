import type { SignetError } from '../../core/errors/index.ts';

let isOn = false;

/** Makes errors show their causes from now on, as `SIGNET_DEBUG` does from the start: for docker's `--debug`. */
export function turnOnDebug(): void {
  isOn = true;
}

/** Whether errors show their causes. */
export function debugIsOn(): boolean {
  return isOn || Boolean(process.env.SIGNET_DEBUG);
}

/** The code and causes of an error, one per line. Empty unless debugging is on. */
export function debugLines(error: SignetError): readonly string[] {
  return debugIsOn() ? [error.code, ...causes(error)] : [];
}

function causes({ cause }: Error): readonly string[] {
  return cause instanceof Error ? [`caused by: ${cause.message}`, ...causes(cause)] : [];
}
