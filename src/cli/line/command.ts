import { isSignetError, SignetError } from '../../core/errors/index.ts';
import {
  argumentCounts,
  type Command,
  type Described,
  type Group,
  isGroup,
  type ParsedCommand,
  usageOf,
} from './declaration.ts';
import { type FlagWords, readFlagWords, WrongFlag } from './flag-words.ts';
import { groupHelp, helpText } from './help.ts';
import { suggestion } from './suggest.ts';

/** Thrown to print a text and end the command: help, or an error in the command line. */
export class CommandText extends Error {
  readonly exitCode: number;
  readonly stream: 'stdout' | 'stderr';

  constructor(text: string, exitCode: number, stream: 'stdout' | 'stderr' = exitCode === 0 ? 'stdout' : 'stderr') {
    super(text);
    this.exitCode = exitCode;
    this.stream = stream;
  }
}

/** Exit code for a wrong flag, as in docker. For a wrong number of arguments it is 1. */
export const WRONG_FLAG = 125;

type Readable = Omit<Command, 'run'>;

const SHORT_HELP = 'Flag shorthand -h has been deprecated, use --help\n';

/**
 * Parses the words after the command's own, as docker does. Throws `CommandText` with docker 28's messages: help (exit
 * 0), a wrong flag (125), a wrong number of arguments (1).
 */
export function parseCommand(command: Readable, words: readonly string[]): ParsedCommand {
  const { args, values, saysShortHelp } = readFlags(command, words);
  const has = (flag: string) => values.get(flag)?.at(-1) === 'true';
  if (has('help')) throw new CommandText(`${saysShortHelp ? SHORT_HELP : ''}${helpText(command)}`, 0);
  checkCount(command, args.length);
  const defaults = new Map(command.flags.map((flag) => [flag.name, flag.default]));
  return {
    args,
    has,
    value: (flag) => values.get(flag)?.at(-1) ?? defaults.get(flag),
    values: (flag) => values.get(flag) ?? [],
  };
}

function readFlags(
  command: Described & Pick<Readable, 'usage' | 'args' | 'flags'>,
  words: readonly string[],
): FlagWords {
  try {
    return readFlagWords(command.flags, words);
  } catch (error) {
    if (!(error instanceof WrongFlag)) throw error;
    throw new CommandText(`${error.message}\n${usageText(command, usageOf(command))}`, WRONG_FLAG);
  }
}

function checkCount(command: Readable, count: number): void {
  const { program = 'docker', path, args } = command;
  const { min, max } = argumentCounts(args);
  if (count >= min && (max === undefined || count <= max)) return;
  const problem = max === 0 ? 'accepts no arguments' : `requires ${wantedCount(min, max)}`;
  const usage = usageText(command, usageOf(command), max === undefined);
  throw new CommandText(`${program}: '${program} ${path}' ${problem}\n${usage}`, 1);
}

function wantedCount(min: number, max: number | undefined): string {
  if (max === min) return counted(min);
  if (max === undefined) return `at least ${counted(min)}`;
  return min === 0 ? `at most ${counted(max)}` : `at least ${min} and at most ${counted(max)}`;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'argument' : 'arguments'}`;
}

/** The catalogue's next step for wrong usage of any command. */
const GENERAL_NEXT = new SignetError('usage', '').next;

/** Runs a command. If it throws a usage error without a better next step, points to the command's own help. */
export async function carryOut<Context, Result>(
  command: Command<Context, Result>,
  context: Context,
  parsed: ParsedCommand,
): Promise<Result> {
  try {
    return await command.run(context, parsed);
  } catch (error) {
    if (!isSignetError(error, 'usage') || error.next !== GENERAL_NEXT) throw error;
    throw error.reworded(error.message, { next: `See signet ${command.path} --help` });
  }
}

/**
 * The end of docker's usage errors. Docker says `See` if there are too few of an unlimited number of arguments, and
 * otherwise `Run`.
 */
function usageText({ program = 'docker', path }: Described, usage: string, isSeen = false): string {
  const line = usage === '' ? `${program} ${path}` : `${program} ${path} ${usage}`;
  return `\nUsage:  ${line}\n\n${isSeen ? 'See' : 'Run'} '${program} ${path} --help' for more information\n`;
}

/**
 * Runs the group's command given by the first word without a dash, using `run`; flags before it belong to the command.
 * If there is none, prints the group's help, on standard error unless help was asked for, as docker does.
 */
export async function runGroup<Context>(
  group: Group<Context>,
  words: readonly string[],
  run: (command: Command<Context>, words: readonly string[]) => Promise<number>,
): Promise<number> {
  const { program = 'docker', path } = group;
  const found = words.findIndex((word) => !word.startsWith('-'));
  const at = found < 0 ? words.length : found;
  const [before, word, rest] = [words.slice(0, at), words[at], words.slice(at + 1)];
  const entries = group.lists.flatMap(([, listed]) => listed);
  const [, load] = entries.find(([name]) => name === word) ?? [];
  if (load !== undefined) {
    const command = await load();
    return isGroup(command) ? runGroup(command, [...before, ...rest], run) : run(command, [...before, ...rest]);
  }
  const { values, saysShortHelp } = readFlags({ ...group, args: [], flags: [] }, before);
  const help = await groupHelp(group);
  if (values.get('help')?.at(-1) === 'true') throw new CommandText(`${saysShortHelp ? SHORT_HELP : ''}${help}`, 0);
  if (word === undefined) throw new CommandText(help, 0, 'stderr');
  const meant = suggestion(
    word,
    entries.map(([name]) => name),
  );
  const hint = meant === undefined ? '' : `\nDid you mean: signet ${path} ${meant}\n`;
  throw new CommandText(`${program}: unknown command: ${program} ${path} ${word}\n${usageText(group, '')}${hint}`, 1);
}

/** Requires a valid name of a key or signer (protocol D.10, D.12). `what` is `key` or `signer`. */
export function checkName(what: 'key' | 'signer', name: string): void {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return;
  throw new SignetError(
    'name-invalid',
    `${what} name "${name}" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character`,
  );
}
