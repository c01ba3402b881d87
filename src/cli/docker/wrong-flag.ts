import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { DockerCli } from '../../engine/cli.ts';
import type { CommandLine } from '../../engine/command.ts';
import { captureDocker } from '../../engine/run.ts';

const NEEDS_ARGUMENT = /^flag needs an argument: -(\S)$/;
const NOT_BOOLEAN = /^invalid argument (".*") for ".*" flag$/s;

/**
 * What docker says of a flag that it does not know, or cannot read, with its line on usage. Under trust docker itself is
 * not asked to say it: a flag that only it understands must not lead to a container.
 */
export async function wrongFlag(error: SignetError, cli: DockerCli, line: CommandLine): Promise<SignetError> {
  if (!isSignetError(error, 'docker-flag-unknown', 'docker-flag-invalid')) return error;
  const command = line.words.join(' ');
  const usage = await usageLine(cli, line.words);
  const help = usage === undefined ? '' : `\n\n${usage}\n\nRun 'docker ${command} --help' for more information`;
  const { code, detail, next } = error;
  return new SignetError(code, `${messageOf(error, line.rest)}${help}`, {
    cause: error,
    detail,
    ...(next === undefined ? {} : { next }),
  });
}

function messageOf({ message, detail: { flag } }: SignetError, words: readonly string[]): string {
  if (typeof flag === 'string' && !flag.startsWith('--'))
    return `unknown shorthand flag: '${flag.slice(1)}' in -${restOfGroup(flag.slice(1), words)}`;
  const [, letter] = NEEDS_ARGUMENT.exec(message) ?? [];
  if (letter !== undefined) return `flag needs an argument: '${letter}' in -${letter}`;
  const [, value] = NOT_BOOLEAN.exec(message) ?? [];
  return value === undefined ? message : `${message}: strconv.ParseBool: parsing ${value}: invalid syntax`;
}

/** docker shows what it had left to read of a group of short flags. */
function restOfGroup(letter: string, words: readonly string[]): string {
  const group = words.find((word) => /^-[^-]/.test(word) && word.includes(letter));
  return group?.slice(group.indexOf(letter)) ?? letter;
}

/** The first line of a command's help; undefined where docker does not give it. */
async function usageLine({ path }: DockerCli, words: readonly string[]): Promise<string | undefined> {
  try {
    const { stdout } = await captureDocker(path, [...words, '--help']);
    return stdout.split('\n').find((line) => /^Usage: +\S/.test(line));
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}
