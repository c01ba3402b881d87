import { SignetError } from '../core/errors/index.ts';

/** A flag of one of Signet's own commands. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  /** `switch` takes no value, `value` one (the last counts), `list` collects them. */
  readonly kind: 'switch' | 'value' | 'list';
}

/** A command of docker's that Signet carries out itself: its flags, its arguments and its help, in docker's words. */
export interface CommandSpec {
  /** The words after `docker`, such as `trust sign`. */
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

/** Thrown to print a text and end the command: help on standard output, or a wrong command line on standard error. */
export class CommandText extends Error {
  readonly exitCode: number;

  constructor(text: string, exitCode: number) {
    super(text);
    this.exitCode = exitCode;
  }
}

const TRUE: readonly string[] = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/**
 * Parses the words after the command's own, as docker does: flags anywhere, `--name=value` or `--name value`, `--` ends
 * them. Throws `CommandText` with docker 28's messages: help (exit 0), a wrong flag (125), a wrong number of arguments (1).
 */
export function parseCommand(spec: CommandSpec, words: readonly string[]): ParsedCommand {
  const values = new Map<string, string[]>();
  const args: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word === '--') args.push(...queue.splice(0));
    else if (word.startsWith('--')) readLong(spec, word, queue, values);
    else if (word.startsWith('-') && word.length > 1) readShort(spec, word, queue, values);
    else args.push(word);
  }
  checkCount(spec, args.length);
  return {
    args,
    has: (flag) => values.get(flag)?.at(-1) === 'true',
    value: (flag) => values.get(flag)?.at(-1),
    values: (flag) => values.get(flag) ?? [],
  };
}

/** The help of a command, in docker's layout. */
export function helpText({ path, usage, summary, options }: CommandSpec): string {
  return `Usage:  docker ${path} ${usage}\n\n${summary}\n${options === undefined ? '' : `\nOptions:\n${options}\n`}`;
}

function readLong(spec: CommandSpec, word: string, queue: string[], values: Map<string, string[]>): void {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals);
  if (name === 'help') throw new CommandText(helpText(spec), 0);
  const flag = spec.flags.find((each) => each.name === name) ?? wrongFlag(spec, `unknown flag: --${name}`);
  const given = equals < 0 ? undefined : word.slice(equals + 1);
  store(spec, flag, given ?? (flag.kind === 'switch' ? 'true' : queue.shift()), `--${name}`, values);
}

function readShort(spec: CommandSpec, word: string, queue: string[], values: Map<string, string[]>): void {
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    if (letter === 'h' && !spec.flags.some(({ short }) => short === 'h')) throw new CommandText(helpText(spec), 0);
    const flag =
      spec.flags.find(({ short }) => short === letter) ??
      wrongFlag(spec, `unknown shorthand flag: '${letter}' in ${word}`);
    const rest = word.slice(at + 1);
    if (flag.kind === 'switch' && !rest.startsWith('=')) {
      store(spec, flag, 'true', `'${letter}' in ${word}`, values);
      continue;
    }
    store(spec, flag, rest === '' ? queue.shift() : rest.replace(/^=/, ''), `'${letter}' in ${word}`, values);
    return;
  }
}

function store(
  spec: CommandSpec,
  flag: FlagSpec,
  value: string | undefined,
  shown: string,
  values: Map<string, string[]>,
): void {
  if (value === undefined) wrongFlag(spec, `flag needs an argument: ${shown}`);
  const normal = flag.kind === 'switch' ? normalSwitch(spec, flag, value) : value;
  values.set(flag.name, [...(values.get(flag.name) ?? []), normal]);
}

function normalSwitch(spec: CommandSpec, flag: FlagSpec, value: string): string {
  if (TRUE.includes(value)) return 'true';
  if (FALSE.includes(value)) return 'false';
  const shown = flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
  return wrongFlag(
    spec,
    `invalid argument "${value}" for "${shown}" flag: strconv.ParseBool: parsing "${value}": invalid syntax`,
  );
}

function checkCount(spec: CommandSpec, count: number): void {
  const { minArguments: min, maxArguments: max, path } = spec;
  if (count >= min && (max === undefined || count <= max)) return;
  const plural = (number: number) => (number === 1 ? 'argument' : 'arguments');
  const wanted =
    max === min
      ? `${min} ${plural(min)}`
      : max === undefined
        ? `at least ${min} ${plural(min)}`
        : `at most ${max} ${plural(max)}`;
  throw new CommandText(`docker: 'docker ${path}' requires ${wanted}\n${afterError(spec)}`, 1);
}

function wrongFlag(spec: CommandSpec, message: string): never {
  throw new CommandText(`${message}\n${afterError(spec)}`, 125);
}

function afterError({ path, usage }: CommandSpec): string {
  return `\nUsage:  docker ${path} ${usage}\n\nRun 'docker ${path} --help' for more information\n`;
}

/** A group of commands, such as `trust key`. */
export interface CommandGroup {
  readonly path: string;
  readonly help: string;
  readonly commands: ReadonlyMap<string, (words: readonly string[]) => Promise<number>>;
}

/** Runs the command of a group that the first word names; prints the group's help without one. */
export async function runGroup({ path, help, commands }: CommandGroup, words: readonly string[]): Promise<number> {
  const [word, ...rest] = words;
  if (word === undefined || word === '--help' || word === '-h') throw new CommandText(help, 0);
  const command = commands.get(word);
  if (command !== undefined) return command(rest);
  if (word.startsWith('-'))
    throw new CommandText(
      `unknown flag: ${word}\n\nUsage:  docker ${path}\n\nRun 'docker ${path} --help' for more information\n`,
      125,
    );
  throw new CommandText(
    `docker: unknown command: docker ${path} ${word}\n\nUsage:  docker ${path}\n\nRun 'docker ${path} --help' for more information\n`,
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
