import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { DockerCli } from '../../../engine/cli/cli.ts';
import { askingEnvironment } from '../../../engine/cli/learn.ts';
import { captureDocker } from '../../../engine/cli/run.ts';
import type { DockerTask } from './task.ts';

const NEEDS_ARGUMENT = /^flag needs an argument: -(\S)$/;
const NOT_BOOLEAN = /^invalid argument (".*") for ".*" flag$/s;

/**
 * What docker says of a flag that it does not know or cannot read, with its line on usage; other errors stay as they are.
 * Under trust docker itself is not asked to say it: a flag that only it understands must not lead to a container.
 * `command` has the words up to where the flag stands, `words` what follows them.
 */
export async function wrongFlag(
  error: unknown,
  cli: DockerCli,
  command: readonly string[],
  words: readonly string[],
): Promise<unknown> {
  if (!isSignetError(error, 'docker-flag-unknown', 'docker-flag-invalid')) return error;
  const { code, detail, next } = error;
  return new SignetError(code, `${flagMessage(error, words)}${await usageText(cli, command, 'Run')}`, {
    cause: error,
    detail,
    ...(next === undefined ? {} : { next }),
  });
}

/**
 * What docker says where arguments are missing or too many. Under trust nothing without a certain image is handed to
 * docker, not even for it to complain.
 */
export async function wrongCount({ cli, line }: DockerTask, wanted: 'exactly 1' | 'at least 1'): Promise<SignetError> {
  const count = wanted === 'exactly 1' ? '1 argument' : 'at least 1 argument';
  const usage = await usageText(cli, line.words, wanted === 'exactly 1' ? 'Run' : 'See');
  return new SignetError('usage', `docker: 'docker ${line.words.join(' ')}' requires ${count}${usage}`);
}

function flagMessage({ message, detail: { flag } }: SignetError, words: readonly string[]): string {
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

/** How a command is used, after the first line of its help; nothing if docker does not give that. */
async function usageText({ path }: DockerCli, command: readonly string[], verb: 'Run' | 'See'): Promise<string> {
  try {
    const { stdout } = await captureDocker(path, [...command, '--help'], askingEnvironment(process.env));
    const usage = stdout.split('\n').find((line) => /^Usage: +\S/.test(line));
    const help = ['docker', ...command, '--help'].join(' ');
    // In a complaint, docker leaves out that a group wants a command, and says that its own commands have arguments.
    const shown = usage?.replace(/ COMMAND$/, command.length === 0 ? ' COMMAND [ARG...]' : '');
    return shown === undefined ? '' : `\n\n${shown}\n\n${verb} '${help}' for more information`;
  } catch (error) {
    if (isSignetError(error)) return '';
    throw error;
  }
}
