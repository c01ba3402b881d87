import { isSignetError } from '../../../core/errors/index.ts';
import { configFolder } from '../../../engine/api/endpoint.ts';
import { findDocker } from '../../../engine/cli/cli.ts';
import { type CommandLine, readArguments, readCommandLine } from '../../../engine/cli/command.ts';
import { LearnedSyntax } from '../../../engine/cli/learn.ts';
import { execDocker } from '../../../engine/cli/run.ts';
import { readConfiguration } from '../../../trust/settings/configuration-file.ts';
import { suggestion } from '../../line/suggest.ts';
import { printErr } from '../../terminal/output.ts';
import { findWord, WORDS } from '../words.ts';
import {
  findCommand,
  firstWords,
  isCommandWord,
  isFirstWord,
  type KnownCommand,
  leadsToEnforced,
} from './closed-world/commands.ts';
import { DISABLE_CONTENT_TRUST, isTrustOn, isTrustOnFor } from './content-trust.ts';
import type { DockerTask } from './task.ts';

/** What Signet does before docker runs, by command name; loaded on demand. */
const ENFORCED: ReadonlyMap<string, () => Promise<(task: DockerTask) => Promise<number>>> = new Map([
  ['run', async () => (await import('./run.ts')).runImage],
  ['create', async () => (await import('./run.ts')).runImage],
  ['pull', async () => (await import('./pull.ts')).pullImage],
  ['push', async () => (await import('./push.ts')).runPush],
  ['build', async () => (await import('./build.ts')).buildImage],
  ['service create', async () => (await import('./service.ts')).deployService],
  ['service update', async () => (await import('./service.ts')).deployService],
  ['plugin install', async () => (await import('./plugin.ts')).installPlugin],
  ['plugin upgrade', async () => (await import('./plugin.ts')).installPlugin],
  ['plugin push', async () => (await import('./plugin.ts')).refusePluginPush],
]);

/** Commands that Signet adds to docker, or replaces. */
const OWN_WORDS: readonly string[] = WORDS.map(({ name }) => name);

/** A parsed docker command line, and what is needed to run it. */
interface Call extends Pick<DockerTask, 'cli' | 'line' | 'env'> {
  readonly argv: readonly string[];
  readonly book: LearnedSyntax;
}

/**
 * Runs a docker command line. While trust is on, every command is enforced, known to be harmless, or refused; while it
 * is off, docker gets the line unchanged, except for names to which a default registry gives another meaning.
 */
export async function dockerCommand(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const cli = await findDocker(env);
  const [first = ''] = argv;
  suggestWord(first, isTrustOn(env));
  if (!isTrustOn(env) && !mayBeEnforced(first)) {
    const { defaultRegistry } = await readConfiguration(configFolder(undefined, env), env);
    if (defaultRegistry === undefined) return execDocker(cli.path, argv, env);
  }
  const book = new LearnedSyntax(cli, env);
  const line = await commandLine(cli, book, argv, env);
  if (line === undefined) return execDocker(cli.path, argv, env);
  const call: Call = { argv, cli, line, env, book };
  const [word] = line.words;
  const own = findWord(word ?? '');
  if (own !== undefined)
    return own.call({ words: [...line.words.slice(1), ...line.rest], globals: line.globals, argv, env });
  const command = findCommand(line.words);
  return command?.kind === 'enforced' ? enforced(call, command) : unenforced(call);
}

/**
 * Reports a word that is almost one of Signet's own, which docker cannot know. While trust is on, also one of docker's
 * own, because docker is not asked about words that Signet does not know.
 */
function suggestWord(word: string, isTrusted: boolean): void {
  if (word.startsWith('-') || isFirstWord(word)) return;
  const meant = suggestion(word, isTrusted ? [...OWN_WORDS, ...firstWords()] : OWN_WORDS);
  if (meant !== undefined) printErr(`Did you mean: signet ${meant}\n\n`);
}

/**
 * Undefined for a line that cannot be parsed while there is nothing to enforce: docker itself reports best what is
 * wrong.
 */
async function commandLine(
  cli: DockerTask['cli'],
  book: LearnedSyntax,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandLine | undefined> {
  try {
    return await readCommandLine(book, argv, isCommandWord);
  } catch (error) {
    if (!isTrustOn(env) && isSignetError(error)) return undefined;
    const [first = ''] = argv;
    const [command, words] = first.startsWith('-') ? [[], argv] : [[first], argv.slice(1)];
    throw await (await import('./usage.ts')).wrongFlag(error, cli, command, words);
  }
}

/** Runs a command of docker's own, within the closed world and with a default registry. */
async function unenforced({ argv, cli, line, env, book }: Call): Promise<number> {
  const configuration = await readConfiguration(configFolder(line.globals, env), env);
  const openSession = async () => (await import('../../session.ts')).openSession({ env, globals: line.globals, cli });
  if (isTrustOn(env)) {
    const { admit } = await import('./closed-world/admit.ts');
    await admit({ cli, line, argv, env, configuration, openSession });
  }
  if (configuration.defaultRegistry === undefined) return execDocker(cli.path, argv, env);
  return execDocker(cli.path, await withFullNames({ argv, line, book }, openSession), env);
}

/** Expands short names of local images on the command line, as a default registry requires. */
async function withFullNames(
  { argv, line, book }: Pick<Call, 'argv' | 'line' | 'book'>,
  openSession: () => ReturnType<typeof import('../../session.ts')['openSession']>,
): Promise<readonly string[]> {
  const { imagePlaces } = await import('./image-places.ts');
  const places = imagePlaces(line.words);
  if (places === undefined) return argv;
  const { expandNames } = await import('./names.ts');
  const session = await openSession();
  try {
    return await expandNames(session, book, line, places);
  } finally {
    await session.close();
  }
}

async function enforced(call: Call, command: KnownCommand): Promise<number> {
  const { cli, line, env } = call;
  const { name } = command;
  const hasOwnFlag = line.rest.some((word) => word.startsWith(`--${DISABLE_CONTENT_TRUST}`));
  const isPlain = !isTrustOn(env) && !hasOwnFlag;
  const hand = () => execDocker(cli.path, [...line.head, ...line.rest], env);
  const { defaultRegistry } = await prepared(name, readConfiguration(configFolder(line.globals, env), env));
  if (isPlain && defaultRegistry === undefined) return hand();
  const read = await readTrust(call, command).catch(async (error: unknown) => {
    // Without trust there is nothing to enforce, and docker itself reports best what is wrong with its options.
    if (isPlain && isSignetError(error)) return undefined;
    throw await (await import('./usage.ts')).wrongFlag(error, cli, line.words, line.rest);
  });
  const work = await ENFORCED.get(name)?.();
  if (read === undefined || read.args.asksHelp || work === undefined) return hand();
  if (read.trust) (await import('./closed-world/admit.ts')).refuseUnknownFlags(call, read.args);
  const { openSession } = await import('../../session.ts');
  const session = await prepared(name, openSession({ env, globals: line.globals, cli }));
  try {
    return await work({ session, cli, line, name, env, ...read });
  } finally {
    await session.close();
  }
}

/** What a command needs before it starts; if that fails, `run` exits like a failed `run`. */
async function prepared<T>(name: string, preparation: Promise<T>): Promise<T> {
  try {
    return await preparation;
  } catch (error) {
    throw name === 'run' && isSignetError(error) ? (await import('./errors.ts')).runError(error) : error;
  }
}

/** The command's arguments, and whether trust is on for it. */
async function readTrust(
  { book, line, env }: Call,
  { name }: KnownCommand,
): Promise<Pick<DockerTask, 'args' | 'trust'>> {
  const args = await readArguments(book, line, !name.startsWith('service '));
  return { args: args.without(DISABLE_CONTENT_TRUST), trust: isTrustOnFor(args, env) };
}

/**
 * Whether a line that begins with these words may be a command for which an option turns trust on, or a word of
 * Signet's.
 */
function mayBeEnforced(first: string): boolean {
  return first.startsWith('-') || leadsToEnforced(first);
}
