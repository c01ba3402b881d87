import { SignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';

/** One option of a command. It has at least one of the two names. */
export interface DockerOption {
  /** Without its dashes: `disable-content-trust`. */
  readonly long: string | undefined;
  /** One character. */
  readonly short: string | undefined;
  /** Whether the next argument is its value; an option without one is a switch, and takes a value only after `=`. */
  readonly takesValue: boolean;
}

/** How one command parses its arguments. */
export interface CommandSyntax {
  readonly flags: readonly DockerOption[];
  /**
   * Whether options may follow the first positional argument. `docker run` stops there: what follows is the
   * container's.
   */
  readonly interspersed: boolean;
  /** Whether the command refuses to do anything without a positional argument. */
  readonly needsArgument: boolean;
}

const SECTION = /^(?:Global )?(?:Options|Flags):\s*$/;
const OPTION = /^ {2}(?:-(\S), | {4})--([A-Za-z0-9][A-Za-z0-9._-]*)(?: (\S.*?)|(\[=\S*\]))?(?: {2,}.*)?$/;
const OPTION_SHORT = /^ {2}-(\S)(?: (\S.*?))?(?: {2,}.*)?$/;
/** `--opt string[="x"]`: the value is optional, so it can only be attached. */
const OPTIONAL_VALUE = /\[=.*\]$/;

/**
 * Parses the help text of a command in the form that docker 20.10 and later, buildx and podman print. `command` holds
 * the words after the program's name, none for the program itself. Throws `docker-help-unreadable` if the text is not
 * that command's.
 */
export function parseHelp(text: string, command: readonly string[]): CommandSyntax {
  const usage = usageOf(text);
  const words = usage.split(/\s+/);
  const end = words.findIndex((word) => !/^[a-z][a-z0-9_./-]*$/.test(word));
  const named = words.slice(1, end < 0 ? undefined : end);
  if (words[0] === '' || !isOf(command, named, text)) {
    throw new SignetError(
      'docker-help-unreadable',
      `docker explains ${quoted(usage, 100)} where "${command.join(' ')}" was asked for`,
    );
  }
  const parameters = (end < 0 ? [] : words.slice(end)).filter((word) => !/^\[(?:OPTIONS|options|flags)\]$/.test(word));
  return {
    flags: optionLines(text).map(parseOption),
    interspersed: !parameters.some((word) => /^\[?(?:COMMAND|command)\b|^\[ARG\.\.\.\]/.test(word)),
    needsArgument: parameters[0] !== undefined && /^[A-Z]/.test(parameters[0]) && parameters[0] !== 'COMMAND',
  };
}

/** Whether the help is that of the command, by the name in the usage line or by one of its aliases. */
function isOf(command: readonly string[], named: readonly string[], text: string): boolean {
  const [typed, name] = [command.at(-1), named.at(-1)];
  // With buildx, docker runs and documents all commands below `builder` through it.
  return name === typed || (typed === 'builder' && name === 'buildx') || aliasesIn(text).includes(typed);
}

/**
 * The last words of the aliases: docker up to 20.10 prints only these (`ls, list`), later ones
 * `docker image ls, docker images`.
 */
function aliasesIn(text: string): readonly (string | undefined)[] {
  const [, line] = /^Aliases:\n +(\S.*)$/m.exec(text) ?? [];
  return line === undefined ? [] : line.split(', ').map((alias) => alias.trim().split(' ').at(-1));
}

function usageOf(text: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('Usage:'));
  if (at < 0) return '';
  return lines[at]?.slice('Usage:'.length).trim() || (lines[at + 1] ?? '').trim();
}

/** The lines of the option sections that start an option; all others continue a description. */
function optionLines(text: string): string[] {
  let inside = false;
  return text.split('\n').filter((line) => {
    if (/^\S/.test(line)) inside = SECTION.test(line);
    return inside && /^ {2}(?:-| {4}--)/.test(line);
  });
}

function parseOption(line: string): DockerOption {
  const [, short, long, type, attached] = OPTION.exec(line) ?? [];
  if (long !== undefined) return { long, short, takesValue: takesValue(type, attached) };
  const [, onlyShort, shortType] = OPTION_SHORT.exec(line) ?? [];
  if (onlyShort !== undefined)
    return { long: undefined, short: onlyShort, takesValue: takesValue(shortType, undefined) };
  throw new SignetError('docker-help-unreadable', `docker explains an option as ${quoted(line, 100)}`);
}

function takesValue(type: string | undefined, attached: string | undefined): boolean {
  return attached === undefined && type !== undefined && !OPTIONAL_VALUE.test(type);
}
