/** What a value on a command line stands for. Completion offers what this machine knows of it, and nothing for `text`. */
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

/** What a value stands for, or the only values that there are. */
export type Takes = Meaning | readonly string[];

/** A flag of one of Signet's own commands. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** `switch` takes no value, `value` and `number` one (the last counts), `list` collects them. */
  readonly type: 'switch' | 'value' | 'number' | 'list';
  /** The value in the help: the type's own word if it is left out (`string`, `int`, `list`). */
  readonly word?: string;
  /** `text` if it is left out. */
  readonly takes?: Takes;
  readonly about: string;
  /** What holds without the flag, as the help shows it; `ParsedCommand.value` gives it too. */
  readonly default?: string;
  /** Read, but in no help, completion or manual. */
  readonly isHidden?: boolean;
}

/** An argument, or the last one that may be repeated. */
export interface Argument {
  /** As the usage line shows it: `IMAGE[:TAG]`. */
  readonly name: string;
  readonly takes: Takes;
  readonly isOptional?: boolean;
  /** Whether it may stand several times; only the last argument may. */
  readonly isRepeated?: boolean;
}

/** A command line that a reader of the manual can follow, and what it is for. */
interface Example {
  readonly about: string;
  /** Without the program: `trust sign alice/app:1.0`. */
  readonly line: string;
}

/** What help, usage errors, group lists, completion and manual pages of a command need. */
export interface Described {
  /** Whose command it is: docker's own words are shown as docker's, `docker` if it is left out. */
  readonly program?: 'docker' | 'signet';
  /** The words after the program, such as `trust sign`. */
  readonly path: string;
  /** One sentence without a full stop, as lists of commands show it; of some of docker's commands, a second line. */
  readonly summary: string;
  /**
   * `docker` is docker's layout, with lines of at most 80 columns. `wide` has one line for each flag, for flags whose values are
   * too long to stand beside a description in 80 columns.
   */
  readonly layout?: 'docker' | 'wide';
  /** Left out of lists and completion. */
  readonly isHidden?: boolean;
}

/** A command that Signet carries out itself. `Context` is what it works with, such as a session. */
export interface Command<Context = never, Result = number> extends Described {
  /** What the help says after the summary. */
  readonly details?: string;
  /** What the help says after the flags. */
  readonly notes?: string;
  readonly args: readonly Argument[];
  /** The arguments as the usage line shows them, if docker does not show them as they are: `OPTIONS NAME`. */
  readonly usage?: string;
  /** In the order of the help. */
  readonly flags: readonly Flag[];
  readonly examples?: readonly Example[];
  /** Exit codes beside 0, 1 and 125, which all commands have. */
  readonly exitCodes?: readonly (readonly [code: number, meaning: string])[];
  /** The members of what the command prints as JSON. */
  readonly json?: readonly (readonly [member: string, meaning: string])[];
  /** Commands whose words begin with this one's, though it is a command by itself: `serve database`. */
  readonly commands?: readonly Entry<never>[];
  /** Carries the command out, and returns its exit code. */
  run(context: Context, parsed: ParsedCommand): Promise<Result>;
}

/** A command line taken apart. */
export interface ParsedCommand {
  readonly args: readonly string[];
  /** Whether a switch was given and not set to false. */
  has(flag: string): boolean;
  /** The last value given, or else the default of the flag. */
  value(flag: string): string | undefined;
  /** All values given. */
  values(flag: string): readonly string[];
}

/** A command or a group by its last word, loaded when it is called or described, so that none slows another down. */
export type Entry<Context> = readonly [name: string, load: () => Promise<Command<Context> | Group<Context>>];

/** A group of commands, such as `trust key`. */
export interface Group<Context = never> extends Described {
  /** The lists of its help, each with its title. */
  readonly lists: readonly (readonly [title: string, entries: readonly Entry<Context>[]])[];
}

export function isGroup<Context>(described: Command<Context, unknown> | Group<Context>): described is Group<Context> {
  return 'lists' in described;
}

/** The fewest and the most arguments; no bound above if the last one may be repeated. */
export function argumentCounts(args: readonly Argument[]): { readonly min: number; readonly max: number | undefined } {
  const min = args.filter(({ isOptional }) => isOptional !== true).length;
  return { min, max: args.some(({ isRepeated }) => isRepeated === true) ? undefined : args.length };
}

/** The arguments as a usage line shows them: `[OPTIONS] FILE [FILE...]`. */
export function usageOf({ usage, args, flags }: Pick<Command, 'usage' | 'args' | 'flags'>): string {
  return usage ?? [...(flags.length === 0 ? [] : ['[OPTIONS]']), ...args.map(shownArgument)].join(' ');
}

function shownArgument({ name, isOptional = false, isRepeated = false }: Argument): string {
  if (isOptional) return isRepeated ? `[${name}...]` : `[${name}]`;
  return isRepeated ? `${name} [${name}...]` : name;
}
