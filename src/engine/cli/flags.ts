import { SignetError } from '../../core/errors/index.ts';
import { printable, quoted } from '../../core/printable.ts';
import type { CommandSyntax, DockerOption } from './help.ts';

/** A range of one argument: the characters from `from` up to but not including `to` of argument number `arg`. */
interface Span {
  readonly arg: number;
  readonly from: number;
  readonly to: number;
}

export interface FlagToken {
  readonly kind: 'flag';
  readonly flag: DockerOption;
  /** The text of the value; undefined for a switch without one. */
  readonly value: string | undefined;
  /** Name and attached value, with the dashes unless other options share them. */
  readonly at: Span;
  readonly valueAt: Span | undefined;
}

export interface PositionalToken {
  readonly kind: 'positional';
  readonly value: string;
  readonly valueAt: Span;
}

/** The `--` that ends the options. */
interface TerminatorToken {
  readonly kind: 'terminator';
  readonly at: Span;
}

export type Token = FlagToken | PositionalToken | TerminatorToken;

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);
const HELP: DockerOption = { long: 'help', short: 'h', takesValue: false };

/**
 * The arguments of one command, parsed as docker parses them. Immutable: the editing methods return new arguments that
 * differ only where asked.
 */
export class ParsedArgs {
  readonly syntax: CommandSyntax;
  readonly argv: readonly string[];
  readonly tokens: readonly Token[];

  /**
   * Throws `docker-flag-unknown` for an option that `syntax` does not have, `docker-flag-invalid` for a missing value.
   */
  constructor(syntax: CommandSyntax, argv: readonly string[]) {
    this.syntax = syntax;
    this.argv = argv;
    this.tokens = new Reader(syntax, argv).read();
  }

  /** The arguments that are not options, in order; for `docker run` the image, the command and its arguments. */
  get positionals(): readonly PositionalToken[] {
    return this.tokens.filter((token) => token.kind === 'positional');
  }

  /** Every use of the option with this long name or one-letter short name. */
  flags(name: string): readonly FlagToken[] {
    return this.tokens.filter(
      (token): token is FlagToken => token.kind === 'flag' && (token.flag.long === name || token.flag.short === name),
    );
  }

  /** The values given to an option, in order. */
  values(name: string): readonly string[] {
    return this.flags(name).flatMap(({ value }) => (value === undefined ? [] : [value]));
  }

  /** The value that counts if an option takes one value: the last. */
  lastValue(name: string): string | undefined {
    return this.values(name).at(-1);
  }

  /**
   * Whether a switch is on; `absent` if it is not used. Throws `docker-flag-invalid` for a value that is not a boolean.
   */
  isOn(name: string, absent = false): boolean {
    const last = this.flags(name).at(-1);
    return last === undefined ? absent : parseBoolean(last);
  }

  /** Whether docker certainly only prints help: requested, and not turned off again. */
  get asksHelp(): boolean {
    const uses = [...this.flags('help'), ...this.flags('h').filter(({ flag }) => flag.long === undefined)];
    return uses.length > 0 && uses.every(parseBoolean);
  }

  /**
   * Returns a copy with another value for one option or positional. Throws `docker-flag-invalid` if docker would not
   * read it back.
   */
  withValue(token: Token, value: string): ParsedArgs {
    const span = token.kind === 'terminator' ? undefined : token.valueAt;
    const index = this.tokens.indexOf(token);
    if (span === undefined || index < 0) throw new SignetError('docker-flag-invalid', 'there is no value to replace');
    const edited = new ParsedArgs(this.syntax, replaceSpan(this.argv, span, value));
    const written = edited.tokens[index];
    const readBack =
      written !== undefined && written.kind === token.kind && 'value' in written && written.value === value;
    if (!readBack || edited.tokens.length !== this.tokens.length) {
      throw new SignetError('docker-flag-invalid', `${quoted(value)} cannot stand in that place`);
    }
    return edited;
  }

  /** Returns a copy without any use of an option. */
  without(name: string): ParsedArgs {
    const [first] = this.flags(name);
    return first === undefined ? this : new ParsedArgs(this.syntax, removeFlag(this.argv, first)).without(name);
  }

  /** Returns a copy with more options in front, each argument as it is to be written. */
  withFlags(...argv: readonly string[]): ParsedArgs {
    return new ParsedArgs(this.syntax, [...argv, ...this.argv]);
  }
}

class Reader {
  private readonly syntax: CommandSyntax;
  private readonly argv: readonly string[];
  private readonly tokens: Token[] = [];
  private next = 0;

  constructor(syntax: CommandSyntax, argv: readonly string[]) {
    this.syntax = syntax;
    this.argv = argv;
  }

  read(): readonly Token[] {
    while (this.next < this.argv.length) {
      const index = this.next++;
      const argument = this.argv[index] ?? '';
      if (argument === '--') {
        this.tokens.push({ kind: 'terminator', at: { arg: index, from: 0, to: 2 } });
        this.takeRest();
      } else if (argument.startsWith('--')) {
        this.long(argument, index);
      } else if (argument.startsWith('-') && argument !== '-') {
        this.shorts(argument, index);
      } else {
        this.positional(argument, index);
        if (!this.syntax.interspersed) this.takeRest();
      }
    }
    return this.tokens;
  }

  private takeRest(): void {
    for (; this.next < this.argv.length; this.next++) this.positional(this.argv[this.next] ?? '', this.next);
  }

  private positional(value: string, arg: number): void {
    this.tokens.push({ kind: 'positional', value, valueAt: { arg, from: 0, to: value.length } });
  }

  private long(argument: string, arg: number): void {
    const equals = argument.indexOf('=', 2);
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    const flag = this.find('long', name, `--${name}`);
    const at = { arg, from: 0, to: argument.length };
    this.flag(flag, at, equals < 0 ? undefined : { ...at, from: equals + 1 }, `--${name}`);
  }

  private shorts(argument: string, arg: number): void {
    for (let at = 1; at < argument.length; at++) {
      const name = argument[at] ?? '';
      const flag = this.find('short', name, `-${name}`);
      const rest = { arg, from: at + 1, to: argument.length };
      const hasEquals = argument[at + 1] === '=' && argument.length > at + 2;
      const attached = hasEquals || (flag.takesValue && rest.from < rest.to);
      const alone = at === 1 && (attached || argument.length === 2);
      const from = alone ? 0 : at;
      if (attached) {
        const valueAt = hasEquals ? { ...rest, from: at + 2 } : rest;
        this.flag(flag, { ...rest, from }, valueAt, `-${name}`);
        return;
      }
      this.flag(flag, { arg, from, to: at + 1 }, undefined, `-${name}`);
    }
  }

  private flag(flag: DockerOption, at: Span, attached: Span | undefined, written: string): void {
    const valueAt = attached ?? (flag.takesValue ? this.separateValue(written) : undefined);
    const value = valueAt && this.argv[valueAt.arg]?.slice(valueAt.from, valueAt.to);
    this.tokens.push({ kind: 'flag', flag, value, at, valueAt });
  }

  private separateValue(written: string): Span {
    const arg = this.next++;
    const value = this.argv[arg];
    if (value === undefined)
      throw new SignetError('docker-flag-invalid', `flag needs an argument: ${printable(written, 100)}`);
    return { arg, from: 0, to: value.length };
  }

  private find(kind: 'long' | 'short', name: string, written: string): DockerOption {
    const known = this.syntax.flags.find((flag) => flag[kind] === name);
    if (known !== undefined) return known;
    if (HELP[kind] === name) return kind === 'long' ? { ...HELP, short: undefined } : { ...HELP, long: undefined };
    throw new SignetError('docker-flag-unknown', `unknown flag: ${printable(written, 100)}`, {
      detail: { flag: written.slice(0, 100) },
    });
  }
}

/** Go's syntax for booleans. */
function parseBoolean({ value, flag }: FlagToken): boolean {
  if (value === undefined || TRUE.has(value)) return true;
  if (FALSE.has(value)) return false;
  const name = flag.long === undefined ? `-${flag.short}` : `--${flag.long}`;
  throw new SignetError('docker-flag-invalid', `invalid argument ${quoted(value, 100)} for "${name}" flag`);
}

function replaceSpan(argv: readonly string[], { arg, from, to }: Span, text: string): readonly string[] {
  const argument = argv[arg] ?? '';
  return argv.with(arg, argument.slice(0, from) + text + argument.slice(to));
}

function removeFlag(argv: readonly string[], { at, valueAt }: FlagToken): readonly string[] {
  const separate = valueAt !== undefined && valueAt.arg !== at.arg ? valueAt.arg : undefined;
  const whole = at.from === 0 && at.to === argv[at.arg]?.length;
  const shortened = whole ? argv : replaceSpan(argv, at, '');
  return shortened.filter((_, index) => !(whole && index === at.arg) && index !== separate);
}
