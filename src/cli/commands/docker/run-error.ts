import type { SignetError } from '../../../core/errors/index.ts';

const EXIT_CODE = 125;

/** An error of `docker run`, in docker's layout and with its exit code: other codes are the container's. */
export function runError(error: SignetError): SignetError {
  return error.reworded(`docker: ${error.message}\n\nRun 'docker run --help' for more information`, {
    exitCode: EXIT_CODE,
  });
}
