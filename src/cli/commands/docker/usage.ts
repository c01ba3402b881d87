import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import type { DockerCli } from '../../../engine/cli/cli.ts';
import { askingEnvironment } from '../../../engine/cli/learn.ts';
import { captureDocker } from '../../../engine/cli/run.ts';
import type { DockerTask } from './task.ts';

const NEEDS_ARGUMENT = /^flag needs an argument: -(\S)$/;
const NOT_BOOLEAN = /^invalid argument (".*") for ".*" flag$/s;

/**
 * Docker's message for an unknown or invalid flag, with its usage line; other errors stay unchanged. Under trust docker
 * itself is not asked: a flag that only docker understands must not start a container. `command` has the words before
 * the flag, `words` those after the command.
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
 * Docker's message for missing or surplus arguments. Under trust nothing without a certain image is passed to docker,
 * not even to get its error.
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

/** docker shows the unparsed rest of a group of short flags. */
function restOfGroup(letter: string, words: readonly string[]): string {
  const group = words.find((word) => /^-[^-]/.test(word) && word.includes(letter));
  return group?.slice(group.indexOf(letter)) ?? letter;
}

/** A command's usage, after the first line of its help; empty if docker does not print it. */
async function usageText({ path }: DockerCli, command: readonly string[], verb: 'Run' | 'See'): Promise<string> {
  try {
    const { stdout } = await captureDocker(path, [...command, '--help'], askingEnvironment(process.env));
    const usage = stdout.split('\n').find((line) => /^Usage: +\S/.test(line));
    const help = ['docker', ...command, '--help'].join(' ');
    // In an error, docker does not mention that a group needs a command, or that its own commands have arguments.
    const shown = usage?.replace(/ COMMAND$/, command.length === 0 ? ' COMMAND [ARG...]' : '');
    return shown === undefined ? '' : `\n\n${shown}\n\n${verb} '${help}' for more information`;
  } catch (error) {
    if (isSignetError(error)) return '';
    throw error;
  }
}
