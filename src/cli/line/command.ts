import { SignetError } from '../../core/errors/index.ts';
import { type FlagSpec, type FlagWords, readFlagWords, WrongFlag } from './flag-words.ts';
import { suggestion } from './suggest.ts';

/** A command that Signet carries out itself: its flags, its arguments and its help, in docker's layout. */
export interface CommandSpec {
  /** Whose command it is: docker's own words are shown as docker's. */
  readonly program?: 'docker' | 'signet';
  /** The words after the program, such as `trust sign`. */
  readonly path: string;
  /** The arguments as the usage line shows them, such as `IMAGE:TAG`. */
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly FlagSpec[];
  /** The help's lines on the flags. */
  readonly options?: string;
  readonly minArguments: number;
  readonly maxArguments?: number;
}

/** A command line taken apart. */
export interface ParsedCommand {
  readonly args: readonly string[];
  /** Whether a switch was given and not set to false. */
  has(flag: string): boolean;
  /** The last value given. */
  value(flag: string): string | undefined;
  /** All values given. */
  values(flag: string): readonly string[];
}

/** Thrown to print a text and end the command: help, or what is wrong with the command line. */
export class CommandText extends Error {
  readonly exitCode: number;
  readonly stream: 'stdout' | 'stderr';

  constructor(text: string, exitCode: number, stream: 'stdout' | 'stderr' = exitCode === 0 ? 'stdout' : 'stderr') {
    super(text);
    this.exitCode = exitCode;
    this.stream = stream;
  }
}

const SHORT_HELP = 'Flag shorthand -h has been deprecated, use --help\n';

/**
 * Parses the words after the command's own, as docker does. Throws `CommandText` with docker 28's messages: help (exit 0),
 * a wrong flag (125), a wrong number of arguments (1).
 */
export function parseCommand(spec: CommandSpec, words: readonly string[]): ParsedCommand {
  const { args, values, saysShortHelp } = readFlags(spec, words);
  const has = (flag: string) => values.get(flag)?.at(-1) === 'true';
  if (has('help')) throw new CommandText(`${saysShortHelp ? SHORT_HELP : ''}${helpText(spec)}`, 0);
  checkCount(spec, args.length);
  return { args, has, value: (flag) => values.get(flag)?.at(-1), values: (flag) => values.get(flag) ?? [] };
}

/** The help of a command, in docker's layout. */
export function helpText({ program = 'docker', path, usage, summary, options }: CommandSpec): string {
  return `Usage:  ${program} ${path} ${usage}\n\n${summary}\n${options === undefined ? '' : `\nOptions:\n${options}\n`}`;
}

function readFlags(
  spec: Pick<CommandSpec, 'program' | 'path' | 'usage' | 'flags'>,
  words: readonly string[],
): FlagWords {
  try {
    return readFlagWords(spec.flags, words);
  } catch (error) {
    if (!(error instanceof WrongFlag)) throw error;
    throw new CommandText(`${error.message}\n${usageText(spec)}`, 125);
  }
}

function checkCount(spec: CommandSpec, count: number): void {
  const { minArguments: min, maxArguments: max, program = 'docker', path } = spec;
  if (count >= min && (max === undefined || count <= max)) return;
  const problem = max === 0 ? 'accepts no arguments' : `requires ${wantedCount(min, max)}`;
  throw new CommandText(`${program}: '${program} ${path}' ${problem}\n${usageText(spec, max === undefined)}`, 1);
}

function wantedCount(min: number, max: number | undefined): string {
  if (max === min) return counted(min);
  if (max === undefined) return `at least ${counted(min)}`;
  return min === 0 ? `at most ${counted(max)}` : `at least ${min} and at most ${counted(max)}`;
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'argument' : 'arguments'}`;
}

/** The end of docker's complaints. docker says `See` where there are too few arguments of any number, otherwise `Run`. */
function usageText(
  { program = 'docker', path, usage }: Pick<CommandSpec, 'program' | 'path' | 'usage'>,
  isSeen = false,
): string {
  const line = usage === '' ? `${program} ${path}` : `${program} ${path} ${usage}`;
  return `\nUsage:  ${line}\n\n${isSeen ? 'See' : 'Run'} '${program} ${path} --help' for more information\n`;
}

/** A group of commands, such as `trust key`. */
export interface CommandGroup {
  readonly program?: 'docker' | 'signet';
  readonly path: string;
  readonly help: string;
  readonly commands: ReadonlyMap<string, (words: readonly string[]) => Promise<number>>;
}

/**
 * Runs the command of a group that the first word without a dash names; flags before it are the command's own. Prints the
 * group's help where there is none, on standard error unless help was asked for, as docker does.
 */
export async function runGroup(
  { program = 'docker', path, help, commands }: CommandGroup,
  words: readonly string[],
): Promise<number> {
  const found = words.findIndex((word) => !word.startsWith('-'));
  const at = found < 0 ? words.length : found;
  const [before, word, rest] = [words.slice(0, at), words[at], words.slice(at + 1)];
  const command = commands.get(word ?? '');
  if (command !== undefined) return command([...before, ...rest]);
  const { values, saysShortHelp } = readFlags({ program, path, usage: '', flags: [] }, before);
  if (values.get('help')?.at(-1) === 'true') throw new CommandText(`${saysShortHelp ? SHORT_HELP : ''}${help}`, 0);
  if (word === undefined) throw new CommandText(help, 0, 'stderr');
  const meant = suggestion(word, commands.keys());
  const hint = meant === undefined ? '' : `\nDid you mean: signet ${path} ${meant}\n`;
  throw new CommandText(
    `${program}: unknown command: ${program} ${path} ${word}\n${usageText({ program, path, usage: '' })}${hint}`,
    1,
  );
}

/** The regular expression of names of keys and signers (protocol D.10, D.12); `what` is `key` or `signer`. */
export function checkName(what: 'key' | 'signer', name: string): void {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) return;
  throw new SignetError(
    'name-invalid',
    `${what} name "${name}" must start with lowercase alphanumeric characters and can include "-" or "_" after the first character`,
  );
}
