import { ParsedArgs } from './flags.ts';
import type { CommandSyntax, DockerOption } from './help.ts';
import type { LearnedSyntax } from './learn.ts';

/** Options that come before, or between, the words of a command. */
interface Level {
  /** The words before them; none for docker's global options. */
  readonly words: readonly string[];
  readonly options: ParsedArgs;
}

/** A docker command line, split at its command. */
export interface CommandLine {
  /** The global options. */
  readonly globals: ParsedArgs;
  /** The global options, and the options of each group of commands. */
  readonly levels: readonly Level[];
  /** The command as typed: `run`, `container run`, `buildx history ls`; empty if there is none. */
  readonly words: readonly string[];
  /** Everything up to and including the command, as typed. */
  readonly head: readonly string[];
  /** What follows the command. */
  readonly rest: readonly string[];
}

/** Whether `next` is another word of the command that begins with `words`, rather than its first argument. */
type LeadsOn = (words: readonly string[], next: string) => boolean;

/** The option that every command under trust had until docker 28, except services (protocol D.1). */
const TRUST_SWITCH: DockerOption = { long: 'disable-content-trust', short: undefined, takesValue: false };
const NO_OPTIONS: CommandSyntax = { flags: [], interspersed: false, needsArgument: false };

/**
 * Finds the command after the program's name. Asks docker what its options mean only if there are options before or
 * inside the command. Options such as `--help` and `--version` before the command make no difference: docker still runs
 * it. Throws `docker-flag-unknown` or `docker-flag-invalid`.
 */
export async function readCommandLine(
  book: LearnedSyntax,
  argv: readonly string[],
  leadsOn: LeadsOn,
): Promise<CommandLine> {
  const top = await readLevel(book, [], argv);
  const levels = [top.level];
  const words: string[] = [];
  let { following } = top;
  for (let next = following[0]; next !== undefined && leadsOn(words, next); next = following[0]) {
    words.push(next);
    following = following.slice(1);
    if (following[0]?.startsWith('-') !== true || !leadsOn(words, '')) continue;
    const inner = await readLevel(book, [...words], following);
    levels.push(inner.level);
    following = inner.following;
  }
  const head = argv.slice(0, argv.length - following.length);
  return { globals: top.level.options, levels, words, head, rest: following };
}

/**
 * Parses what follows the command. Commands that `tookTrustSwitch` accept `--disable-content-trust` even if this docker
 * (29 and later) does not; remove it before passing the arguments to docker. Throws the same errors as
 * `readCommandLine`.
 */
export function readArguments(book: LearnedSyntax, line: CommandLine, tookTrustSwitch: boolean): Promise<ParsedArgs> {
  return book.parse(line.words, line.rest, tookTrustSwitch ? [TRUST_SWITCH] : []);
}

async function readLevel(book: LearnedSyntax, words: readonly string[], argv: readonly string[]) {
  const syntax = argv[0]?.startsWith('-') ? (await book.parse(words, argv)).syntax : NO_OPTIONS;
  const cut = new ParsedArgs(syntax, argv).positionals[0]?.valueAt.arg ?? argv.length;
  const level: Level = { words, options: new ParsedArgs(syntax, argv.slice(0, cut)) };
  return { level, following: argv.slice(cut) };
}
