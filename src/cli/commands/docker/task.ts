import type { DockerCli } from '../../../engine/cli/cli.ts';
import type { CommandLine } from '../../../engine/cli/command.ts';
import type { ParsedArgs } from '../../../engine/cli/flags.ts';
import { execDocker, runDocker } from '../../../engine/cli/run.ts';
import type { Session } from '../../session.ts';
import { withoutTrust } from './content-trust.ts';

/** One docker command that trust applies to. */
export interface DockerTask {
  readonly session: Session;
  readonly cli: DockerCli;
  readonly line: CommandLine;
  /** The command's main name, however it was typed: `run` for `container run` too. */
  readonly name: string;
  /** What follows the command. */
  readonly args: ParsedArgs;
  readonly env: NodeJS.ProcessEnv;
  /** Whether content trust is on for it. */
  readonly trust: boolean;
}

/**
 * `--platform`, or the environment's default, as docker uses it to pull and run; undefined for the engine's own choice.
 */
export function platformOf({ args, env }: Pick<DockerTask, 'args' | 'env'>): string | undefined {
  return (args.lastValue('platform') ?? env.DOCKER_DEFAULT_PLATFORM) || undefined;
}

/** Passes the command to docker with these arguments once trust is settled. Does not return on platforms with exec. */
export async function passToDocker({ session, cli, line, env }: DockerTask, args: ParsedArgs): Promise<number> {
  await session.close();
  return execDocker(cli.path, [...line.head, ...args.argv], withoutTrust(env));
}

/** Runs the command in docker with these arguments and returns its exit code. */
export function runInDocker({ cli, line, env }: DockerTask, args: ParsedArgs): Promise<number> {
  return runDocker(cli.path, [...line.head, ...args.argv], { env: withoutTrust(env) });
}
