import { isSignetError } from '../../../core/errors/index.ts';
import { configFolder } from '../../../engine/api/endpoint.ts';
import { findDocker } from '../../../engine/cli/cli.ts';
import { type CommandLine, readArguments, readCommandLine } from '../../../engine/cli/command.ts';
import { SyntaxBook } from '../../../engine/cli/learn.ts';
import { becomeDocker } from '../../../engine/cli/run.ts';
import { readConfiguration } from '../../../trust/settings/configuration-file.ts';
import { suggestion } from '../../line/suggest.ts';
import { printErr } from '../../terminal/output.ts';
import { findWord, WORDS } from '../words.ts';
import {
  findCommand,
  firstWords,
  isFirstWord,
  type KnownCommand,
  leadsOn,
  leadsToEnforced,
} from './closed-world/commands.ts';
import { DISABLE_CONTENT_TRUST, isTrustOn, isTrustOnFor } from './content-trust.ts';
import type { DockerTask } from './task.ts';

/** What Signet does before docker gets its turn, by the names of the commands; loaded when it is needed. */
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

/** What Signet adds to docker, or has in its place. */
const OWN_WORDS: readonly string[] = WORDS.map(({ name }) => name);

/** A docker command line that is read: what it names, and with what it is carried out. */
interface Call extends Pick<DockerTask, 'cli' | 'line' | 'env'> {
  readonly argv: readonly string[];
  readonly book: SyntaxBook;
}

/**
 * Carries out a docker command line. While trust is on, every command is enforced, known to be harmless, or refused;
 * while it is off, docker gets the line as it is, but for names that a default registry gives another meaning.
 */
export async function dockerCommand(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const cli = await findDocker(env);
  const [first = ''] = argv;
  suggestWord(first, isTrustOn(env));
  if (!isTrustOn(env) && !mayBeEnforced(first)) {
    const { defaultRegistry } = await readConfiguration(configFolder(undefined, env), env);
    if (defaultRegistry === undefined) return becomeDocker(cli.path, argv, env);
  }
  const book = new SyntaxBook(cli, env);
  const line = await commandLine(cli, book, argv, env);
  if (line === undefined) return becomeDocker(cli.path, argv, env);
  const call: Call = { argv, cli, line, env, book };
  const [word] = line.words;
  const own = findWord(word ?? '');
  if (own !== undefined)
    return own.call({ words: [...line.words.slice(1), ...line.rest], globals: line.globals, argv, env });
  const command = findCommand(line.words);
  return command?.kind === 'enforced' ? enforced(call, command) : unenforced(call);
}

/**
 * Tells of a word that is nearly one of Signet's own, which docker cannot know; while trust is on, when docker is not asked
 * about words that Signet does not know, of docker's own too.
 */
function suggestWord(word: string, isTrusted: boolean): void {
  if (word.startsWith('-') || isFirstWord(word)) return;
  const meant = suggestion(word, isTrusted ? [...OWN_WORDS, ...firstWords()] : OWN_WORDS);
  if (meant !== undefined) printErr(`Did you mean: signet ${meant}\n\n`);
}

/** Undefined for a line that cannot be read while there is nothing to enforce: docker itself knows best what is wrong. */
async function commandLine(
  cli: DockerTask['cli'],
  book: SyntaxBook,
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandLine | undefined> {
  try {
    return await readCommandLine(book, argv, leadsOn);
  } catch (error) {
    if (!isTrustOn(env) && isSignetError(error)) return undefined;
    const [first = ''] = argv;
    const [command, words] = first.startsWith('-') ? [[], argv] : [[first], argv.slice(1)];
    throw await (await import('./usage.ts')).wrongFlag(error, cli, command, words);
  }
}

/** A command that is docker's own business, but for what the closed world demands and a default registry means. */
async function unenforced({ argv, cli, line, env, book }: Call): Promise<number> {
  const configuration = await readConfiguration(configFolder(line.globals, env), env);
  const openSession = async () => (await import('../../session.ts')).openSession({ env, globals: line.globals, cli });
  if (isTrustOn(env)) {
    const { admit } = await import('./closed-world/admit.ts');
    await admit({ cli, line, argv, env, configuration, openSession });
  }
  if (configuration.defaultRegistry === undefined) return becomeDocker(cli.path, argv, env);
  return becomeDocker(cli.path, await withFullNames({ argv, line, book }, openSession), env);
}

/** The command line with short names of local images written out, as a default registry demands. */
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
  const hand = () => becomeDocker(cli.path, [...line.head, ...line.rest], env);
  const { defaultRegistry } = await prepared(name, readConfiguration(configFolder(line.globals, env), env));
  if (isPlain && defaultRegistry === undefined) return hand();
  const read = await readTrust(call, command).catch(async (error: unknown) => {
    // Without trust there is nothing to enforce, and docker itself knows best what is wrong with its options.
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

/** What a command needs before it begins; without it, `run` fails as `run` does. */
async function prepared<T>(name: string, preparation: Promise<T>): Promise<T> {
  try {
    return await preparation;
  } catch (error) {
    throw name === 'run' && isSignetError(error) ? (await import('./run-error.ts')).runError(error) : error;
  }
}

/** What follows the command, and whether trust is on for it. */
async function readTrust(
  { book, line, env }: Call,
  { name }: KnownCommand,
): Promise<Pick<DockerTask, 'args' | 'trust'>> {
  const args = await readArguments(book, line, !name.startsWith('service '));
  return { args: args.without(DISABLE_CONTENT_TRUST), trust: isTrustOnFor(args, env) };
}

/** Whether a line that begins so may name a command that an option of its own turns trust on for, or a word of Signet's. */
function mayBeEnforced(first: string): boolean {
  return first.startsWith('-') || leadsToEnforced(first);
}
