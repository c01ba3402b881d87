import type { DockerCli } from './cli.ts';
import type { CommandLine } from './command.ts';
import type { ParsedArgs } from './flags.ts';
import { captureDocker } from './run.ts';

/** A builder of buildx. */
export interface BuildxBuilder {
  readonly name: string;
  /** Where its BuildKit runs: `docker` means inside the engine. */
  readonly driver: string;
  /** Whether buildx would use it without starting anything. */
  readonly isRunning: boolean;
  /** The full output of buildx about it, including the settings of its BuildKit. */
  readonly text: string;
}

/** Drivers that need no image to be started: the engine's own, and one that runs elsewhere. */
const WITHOUT_IMAGE: readonly string[] = ['docker', 'remote'];

/** The builder named on the command line, before or after the command; buildx takes the last one. */
export function namedBuilder({ levels }: CommandLine, args: ParsedArgs): string | undefined {
  const values = [...levels.map(({ options }) => options), args].flatMap((options) => options.values('builder'));
  return values.at(-1) || undefined;
}

/**
 * The builder of that name, or else the one chosen by the environment or an earlier `buildx use`; undefined if it
 * cannot be inspected. Throws `docker-failed`.
 */
export async function inspectBuilder(
  cli: DockerCli,
  globals: ParsedArgs,
  name: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<BuildxBuilder | undefined> {
  const asked = [...globals.argv, 'buildx', 'inspect', ...(name === undefined ? [] : ['--builder', name])];
  const { exitCode, stdout } = await captureDocker(cli.path, asked, env);
  return exitCode === 0 ? parseBuilder(stdout) : undefined;
}

/**
 * Whether buildx would use a builder without starting anything. One that cannot be inspected is not running. Throws
 * `docker-failed`.
 */
export async function isBuilderRunning(...asked: Parameters<typeof inspectBuilder>): Promise<boolean> {
  return (await inspectBuilder(...asked))?.isRunning ?? false;
}

/** Parses the output of `buildx inspect`: name and driver, then each node with its status. */
export function parseBuilder(text: string): BuildxBuilder | undefined {
  const [, name] = /^Name:\s+(\S+)$/m.exec(text) ?? [];
  const [, driver] = /^Driver:\s+(\S+)$/m.exec(text) ?? [];
  if (name === undefined || driver === undefined) return undefined;
  const nodes = text.match(/^Endpoint:/gm) ?? [];
  const running = text.match(/^Status:\s+running$/gm) ?? [];
  const isRunning = WITHOUT_IMAGE.includes(driver) || (nodes.length > 0 && nodes.length === running.length);
  return { name, driver, isRunning, text };
}
