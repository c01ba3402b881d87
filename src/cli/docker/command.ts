import { isSignetError } from '../../core/errors/index.ts';
import { findDocker } from '../../engine/cli.ts';
import { type CommandLine, type CommandName, readArguments, readCommandLine } from '../../engine/command.ts';
import { configFolder } from '../../engine/endpoint.ts';
import { SyntaxBook } from '../../engine/learn.ts';
import { becomeDocker } from '../../engine/run.ts';
import { readConfiguration } from '../../trust/settings/configuration-file.ts';
import { isReplaced, replacedCommand } from '../replaced.ts';
import { DISABLE_CONTENT_TRUST, isTrustOn, isTrustOnFor } from './content-trust.ts';
import type { DockerTask } from './task.ts';

/** What Signet does before docker gets its turn; loaded when it is needed. */
const ENFORCED: ReadonlyMap<CommandName, () => Promise<(task: DockerTask) => Promise<number>>> = new Map([
  ['run', async () => (await import('./run.ts')).runImage],
  ['create', async () => (await import('./run.ts')).runImage],
  ['pull', async () => (await import('./pull.ts')).pullImage],
  ['push', async () => (await import('./push.ts')).pushImage],
  ['build', async () => (await import('./build.ts')).buildImage],
  ['service create', async () => (await import('./service.ts')).deployService],
  ['service update', async () => (await import('./service.ts')).deployService],
  ['plugin install', async () => (await import('./plugin.ts')).installPlugin],
  ['plugin upgrade', async () => (await import('./plugin.ts')).installPlugin],
  ['plugin push', async () => (await import('./plugin.ts')).refusePluginPush],
]);

/** Carries out a docker command line: enforces where trust is on, and hands everything else to docker as it is. */
export async function dockerCommand(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = ''] = argv;
  const cli = await findDocker(env);
  const book = new SyntaxBook(cli, env);
  const mayConcernUs = first.startsWith('-') || isEnforcedWord(first);
  const line = mayConcernUs ? await commandLine(cli, book, argv) : undefined;
  const word = line?.words[0];
  if (line !== undefined && word !== undefined && isReplaced(word)) {
    return replacedCommand({ word, words: line.rest, globals: line.globals, argv, env });
  }

  if (line?.name !== undefined) return enforced({ cli, line, name: line.name, book, env });
  const { defaultRegistry } = await readConfiguration(configFolder(line?.globals, env), env);
  return becomeDocker(
    cli.path,
    defaultRegistry === undefined ? argv : await withFullNames(argv, line, book, cli, env),
    env,
  );
}

async function commandLine(cli: DockerTask['cli'], book: SyntaxBook, argv: readonly string[]): Promise<CommandLine> {
  try {
    return await readCommandLine(book, argv);
  } catch (error) {
    const [first = ''] = argv;
    const [command, words] = first.startsWith('-') ? [[], argv] : [[first], argv.slice(1)];
    throw await (await import('./usage.ts')).wrongFlag(error, cli, command, words);
  }
}

/** The command line with short names of local images written out, as a default registry demands. */
async function withFullNames(
  argv: readonly string[],
  line: CommandLine | undefined,
  book: SyntaxBook,
  cli: DockerTask['cli'],
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const { expandNames, mayNameImages } = await import('./names.ts');
  const { head, words, rest } = line ?? { head: argv.slice(0, 1), words: argv.slice(0, 1), rest: argv.slice(1) };
  if (!mayNameImages(words, rest)) return argv;
  const session = await (await import('../session.ts')).openSession({ env, globals: line?.globals, cli });
  try {
    return await expandNames(session, book, head, words, rest);
  } finally {
    await session.close();
  }
}

interface Call {
  readonly cli: DockerTask['cli'];
  readonly line: CommandLine;
  readonly name: CommandName;
  readonly book: SyntaxBook;
  readonly env: NodeJS.ProcessEnv;
}

async function enforced(call: Call): Promise<number> {
  const { cli, line, name, env } = call;
  const hasOwnFlag = line.rest.some((word) => word.startsWith(`--${DISABLE_CONTENT_TRUST}`));
  const isPlain = !isTrustOn(env) && !hasOwnFlag;
  const hand = () => becomeDocker(cli.path, [...line.head, ...line.rest], env);
  const { defaultRegistry } = await prepared(name, readConfiguration(configFolder(line.globals, env), env));
  if (isPlain && defaultRegistry === undefined) return hand();
  const read = await readTrust(call).catch(async (error: unknown) => {
    // Without trust there is nothing to enforce, and docker itself knows best what is wrong with its options.
    if (isPlain && isSignetError(error)) return undefined;
    throw await (await import('./usage.ts')).wrongFlag(error, cli, line.words, line.rest);
  });
  const work = await ENFORCED.get(name)?.();
  if (read === undefined || read.args.asksHelp || work === undefined) return hand();
  const { openSession } = await import('../session.ts');
  const session = await prepared(name, openSession({ env, globals: line.globals, cli }));
  try {
    return await work({ session, cli, line, env, ...read });
  } finally {
    await session.close();
  }
}

/** What a command needs before it begins; without it, `run` fails as `run` does. */
async function prepared<T>(name: CommandName, preparation: Promise<T>): Promise<T> {
  try {
    return await preparation;
  } catch (error) {
    throw name === 'run' && isSignetError(error) ? (await import('./run-error.ts')).runError(error) : error;
  }
}

/** What follows the command, and whether trust is on for it. */
async function readTrust({ book, line, env }: Call): Promise<Pick<DockerTask, 'args' | 'trust'>> {
  const args = await readArguments(book, line);
  return { args: args.without(DISABLE_CONTENT_TRUST), trust: isTrustOnFor(args, env) };
}

function isEnforcedWord(word: string): boolean {
  return [...ENFORCED.keys()].some((name) => name === word || name.startsWith(`${word} `)) || GROUPS.includes(word);
}

/** First words of longer forms: `container run`, `image pull`, `buildx build`. */
const GROUPS: readonly string[] = ['container', 'image', 'builder', 'buildx'];
