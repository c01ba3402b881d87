import type { DockerCli } from './cli.ts';
import type { ParsedArgs } from './flags.ts';
import { captureDocker } from './run.ts';

/** Drivers whose builders no image is started for: the engine's own, and one that runs elsewhere. */
const WITHOUT_IMAGE: readonly string[] = ['docker', 'remote'];

/**
 * Whether buildx would start nothing to use a builder: the one of that name, else the one that the environment or an
 * earlier `buildx use` chose. A builder that cannot be looked at does not run. Throws `docker-failed`.
 */
export async function runsAlready(
  cli: DockerCli,
  globals: ParsedArgs,
  name: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const asked = [...globals.argv, 'buildx', 'inspect', ...(name === undefined ? [] : ['--builder', name])];
  const { exitCode, stdout } = await captureDocker(cli.path, asked, env);
  return exitCode === 0 && isRunning(stdout);
}

/** Reads what `buildx inspect` prints: the driver, then each node with its status. */
export function isRunning(description: string): boolean {
  const driver = /^Driver:\s+(\S+)$/m.exec(description)?.[1];
  if (driver === undefined) return false;
  if (WITHOUT_IMAGE.includes(driver)) return true;
  const nodes = description.match(/^Endpoint:/gm) ?? [];
  const running = description.match(/^Status:\s+running$/gm) ?? [];
  return nodes.length > 0 && nodes.length === running.length;
}
