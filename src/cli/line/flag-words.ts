import type { Flag } from './declaration.ts';

/** The words of a command line, sorted by flag. */
export interface FlagWords {
  readonly args: readonly string[];
  /** The values of each flag that was given, in their order. `true` or `false` for a switch. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Whether `-h` was given, which docker still accepts with a warning. */
  readonly saysShortHelp: boolean;
}

/** A flag that docker would not accept either. The message is docker's. */
export class WrongFlag extends Error {}

const HELP: Flag = { name: 'help', short: 'h', type: 'switch', about: 'Print the help' };
const TRUE: readonly string[] = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/**
 * Parses flags as docker's own parser does: anywhere between the arguments, `--name=value` or `--name value`, short
 * ones in groups, `--` ends them; every command accepts `--help`. Throws `WrongFlag`.
 */
export function readFlagWords(flags: readonly Flag[], words: readonly string[]): FlagWords {
  const reader = new Reader([...flags, HELP], words);
  reader.read();
  return reader;
}

/** A command line that is being typed, up to the next word. */
export interface Unfinished {
  readonly args: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The flag that the next word is the value of. */
  readonly awaiting: Flag | undefined;
  /** Whether `--` has ended the flags. */
  readonly isEnded: boolean;
}

/** Parses an unfinished command line. Undefined if it is already wrong. */
export function readUnfinished(flags: readonly Flag[], words: readonly string[]): Unfinished | undefined {
  const reader = new Reader([...flags, HELP], words);
  try {
    reader.read();
    return reader;
  } catch (error) {
    if (!(error instanceof WrongFlag)) throw error;
    return reader.awaiting === undefined ? undefined : reader;
  }
}

class Reader implements FlagWords, Unfinished {
  readonly args: string[] = [];
  awaiting: Flag | undefined;
  isEnded = false;
  readonly values = new Map<string, string[]>();
  saysShortHelp = false;
  private readonly flags: readonly Flag[];
  private readonly queue: string[];

  constructor(flags: readonly Flag[], words: readonly string[]) {
    this.flags = flags;
    this.queue = [...words];
  }

  read(): void {
    for (let word = this.queue.shift(); word !== undefined; word = this.queue.shift()) {
      if (word === '--') this.end();
      else if (word.startsWith('--')) this.long(word);
      else if (word.startsWith('-') && word.length > 1) this.shorts(word.slice(1));
      else this.args.push(word);
    }
  }

  private end(): void {
    this.isEnded = true;
    this.args.push(...this.queue.splice(0));
  }

  private long(word: string): void {
    if (/^--[-=]/.test(word)) throw new WrongFlag(`bad flag syntax: ${word}`);
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const flag = this.flags.find((each) => each.name === name);
    if (flag === undefined) throw new WrongFlag(`unknown flag: --${name}`);
    this.store(flag, equals < 0 ? this.following(flag) : word.slice(equals + 1), `--${name}`);
  }

  /** A group of short flags. The last one may have a value: `-fx`, `-nvalue`, `-n=value`. */
  private shorts(group: string): void {
    for (let rest = group; rest !== ''; rest = rest.slice(1)) {
      const letter = rest.charAt(0);
      const shown = `'${letter}' in -${rest}`;
      const flag = this.flags.find(({ short }) => short === letter);
      if (flag === undefined) throw new WrongFlag(`unknown shorthand flag: ${shown}`);
      if (flag === HELP) this.saysShortHelp = true;
      const attached = rest.length > 2 && rest.charAt(1) === '=' ? rest.slice(2) : undefined;
      if (attached === undefined && flag.type === 'switch') {
        this.store(flag, 'true', shown);
        continue;
      }
      const value = attached ?? (rest.slice(1) || this.following(flag));
      this.store(flag, value, shown);
      return;
    }
  }

  private following(flag: Flag): string | undefined {
    return flag.type === 'switch' ? 'true' : this.queue.shift();
  }

  private store(flag: Flag, value: string | undefined, shown: string): void {
    if (value === undefined) {
      this.awaiting = flag;
      throw new WrongFlag(`flag needs an argument: ${shown}`);
    }
    const read = flag.type === 'switch' ? readSwitch(flag, value) : value;
    this.values.set(flag.name, [...(this.values.get(flag.name) ?? []), read]);
  }
}

function readSwitch({ name, short }: Flag, value: string): string {
  if (TRUE.includes(value)) return 'true';
  if (FALSE.includes(value)) return 'false';
  const shown = short === undefined || name === HELP.name ? `--${name}` : `-${short}, --${name}`;
  throw new WrongFlag(
    `invalid argument ${JSON.stringify(value)} for "${shown}" flag: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}
