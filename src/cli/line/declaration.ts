/** What a value on a command line means. Completion offers the values known on this machine, and nothing for `text`. */
export type Meaning =
  | 'image'
  | 'repository'
  | 'target'
  | 'role'
  | 'key'
  | 'signer'
  | 'registry'
  | 'file'
  | 'folder'
  | 'text';

/** The meaning of a value, or the list of allowed values. */
export type Takes = Meaning | readonly string[];

/** A flag of one of Signet's own commands. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** `switch` takes no value, `value` and `number` take one (the last one counts), `list` collects them. */
  readonly type: 'switch' | 'value' | 'number' | 'list';
  /** The value's name in the help. By default that of the type (`string`, `int`, `list`). */
  readonly word?: string;
  /** By default `text`. */
  readonly takes?: Takes;
  readonly about: string;
  /** The value without the flag, as shown in the help and returned by `ParsedCommand.value`. */
  readonly default?: string;
  /** Accepted, but not in help, completion or manual. */
  readonly isHidden?: boolean;
}

/** An argument. The last one may be repeated. */
export interface Argument {
  /** As the usage line shows it: `IMAGE[:TAG]`. */
  readonly name: string;
  readonly takes: Takes;
  readonly isOptional?: boolean;
  /** Whether it may be repeated. Only the last argument may. */
  readonly isRepeated?: boolean;
}

/** An example command line for the manual, and its purpose. */
interface Example {
  readonly about: string;
  /** Without the program: `trust sign alice/app:1.0`. */
  readonly line: string;
}

/** The parts of a command that help, usage errors, group lists, completion and manual pages need. */
export interface Described {
  /** The program that the command is shown under, `docker` (the default) for docker's own words. */
  readonly program?: 'docker' | 'signet';
  /** The words after the program, such as `trust sign`. */
  readonly path: string;
  /** One sentence without a full stop, as lists of commands show it. Some of docker's commands have a second line. */
  readonly summary: string;
  /**
   * `docker` is docker's layout, with lines of at most 80 columns. `wide` puts each flag on one line, for flags whose
   * values are too long to fit next to a description in 80 columns.
   */
  readonly layout?: 'docker' | 'wide';
  /** Left out of lists and completion. */
  readonly isHidden?: boolean;
}

/** A command that Signet runs itself. `Context` is what it works with, such as a session. */
export interface Command<Context = never, Result = number> extends Described {
  /** Printed in the help after the summary. */
  readonly details?: string;
  /** Printed in the help after the flags. */
  readonly notes?: string;
  readonly args: readonly Argument[];
  /** The arguments in the usage line, if docker shows them differently: `OPTIONS NAME`. */
  readonly usage?: string;
  /** In the order of the help. */
  readonly flags: readonly Flag[];
  readonly examples?: readonly Example[];
  /** Exit codes other than 0, 1 and 125, which all commands have. */
  readonly exitCodes?: readonly (readonly [code: number, meaning: string])[];
  /** The members of the command's JSON output. */
  readonly json?: readonly (readonly [member: string, meaning: string])[];
  /** Commands whose words begin with this command's: `serve database`. */
  readonly commands?: readonly Entry<never>[];
  /** Runs the command and returns its exit code. */
  run(context: Context, parsed: ParsedCommand): Promise<Result>;
}

/** A parsed command line. */
export interface ParsedCommand {
  readonly args: readonly string[];
  /** Whether a switch was given and not set to false. */
  has(flag: string): boolean;
  /** The last value given, or else the flag's default. */
  value(flag: string): string | undefined;
  /** All values given. */
  values(flag: string): readonly string[];
}

/** A command or a group by its last word, loaded only when it is called or described, to keep other commands fast. */
export type Entry<Context> = readonly [name: string, load: () => Promise<Command<Context> | Group<Context>>];

/** A group of commands, such as `trust key`. */
export interface Group<Context = never> extends Described {
  /** The lists in its help, each with its title. */
  readonly lists: readonly (readonly [title: string, entries: readonly Entry<Context>[]])[];
}

/** Whether this is a group of commands, and not a command. */
export function isGroup<Context>(described: Command<Context, unknown> | Group<Context>): described is Group<Context> {
  return 'lists' in described;
}

/** The smallest and largest number of arguments. No maximum if the last one may be repeated. */
export function argumentCounts(args: readonly Argument[]): { readonly min: number; readonly max: number | undefined } {
  const min = args.filter(({ isOptional }) => isOptional !== true).length;
  return { min, max: args.some(({ isRepeated }) => isRepeated === true) ? undefined : args.length };
}

/** The arguments in a usage line: `[OPTIONS] FILE [FILE...]`. */
export function usageOf({ usage, args, flags }: Pick<Command, 'usage' | 'args' | 'flags'>): string {
  return usage ?? [...(flags.length === 0 ? [] : ['[OPTIONS]']), ...args.map(shownArgument)].join(' ');
}

function shownArgument({ name, isOptional = false, isRepeated = false }: Argument): string {
  if (isOptional) return isRepeated ? `[${name}...]` : `[${name}]`;
  return isRepeated ? `${name} [${name}...]` : name;
}
