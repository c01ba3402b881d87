import { ParsedArgs } from './flags.ts';
import type { CommandSyntax, Flag } from './help.ts';
import type { SyntaxBook } from './learn.ts';

/** The commands whose meaning depends on trust, by one name each, however they are typed. */
export type CommandName =
  | 'run'
  | 'create'
  | 'pull'
  | 'push'
  | 'build'
  | 'service create'
  | 'service update'
  | 'plugin install'
  | 'plugin upgrade'
  | 'plugin push';

/** A docker command line, cut at its command. */
export interface CommandLine {
  /** The options before the command. */
  readonly globals: ParsedArgs;
  /** The command as typed: `run`, `container run`; empty where the line names none. */
  readonly words: readonly string[];
  /** Undefined for every command that trust does not concern. */
  readonly name: CommandName | undefined;
  /** Everything up to and with the command, as typed. */
  readonly head: readonly string[];
  /** What follows the command. */
  readonly rest: readonly string[];
}

const NAMES: ReadonlyMap<string, CommandName> = new Map([
  ['run', 'run'],
  ['container run', 'run'],
  ['create', 'create'],
  ['container create', 'create'],
  ['pull', 'pull'],
  ['image pull', 'pull'],
  ['push', 'push'],
  ['image push', 'push'],
  ['build', 'build'],
  ['image build', 'build'],
  ['builder build', 'build'],
  ['builder b', 'build'],
  ['buildx build', 'build'],
  ['buildx b', 'build'],
  ['service create', 'service create'],
  ['service update', 'service update'],
  ['plugin install', 'plugin install'],
  ['plugin upgrade', 'plugin upgrade'],
  ['plugin push', 'plugin push'],
]);
/** The first words that need a second. */
const GROUPS: ReadonlySet<string> = new Set([...NAMES.keys()].filter((name) => name.includes(' ')).map(firstWord));

/** The option that every command under trust had until docker 28, services excepted (protocol D.1). */
const TRUST_SWITCH: Flag = { long: 'disable-content-trust', short: undefined, takesValue: false };
const NO_OPTIONS: CommandSyntax = { flags: [], interspersed: false, needsArgument: false };

/**
 * Finds the command in what follows the program's name. docker is asked what its options mean only where options stand
 * before or inside the command. Options such as `--help` and `--version` before the command change nothing: docker
 * still runs it. Throws `docker-flag-unknown` or `docker-flag-invalid`.
 */
export async function readCommandLine(book: SyntaxBook, argv: readonly string[]): Promise<CommandLine> {
  const top = await readLevel(book, [], argv);
  const group = top.following.slice(0, 1).filter((word) => GROUPS.has(word));
  const inner = group.length === 0 ? top : await readLevel(book, group, top.following.slice(1));
  const words = [...group, ...inner.following.slice(0, 1)];
  const rest = inner.following.slice(1);
  const head = argv.slice(0, argv.length - rest.length);
  return { globals: top.options, words, name: NAMES.get(words.join(' ')), head, rest };
}

/**
 * Reads what follows the command. `--disable-content-trust` is understood also where docker (29 and later) no longer
 * knows it; take it out before handing the arguments to docker. Throws like `readCommandLine`.
 */
export function readArguments(book: SyntaxBook, line: CommandLine): Promise<ParsedArgs> {
  const isService = line.words[0] === 'service';
  return book.parse(line.words, line.rest, line.name === undefined || isService ? [] : [TRUST_SWITCH]);
}

async function readLevel(book: SyntaxBook, command: readonly string[], argv: readonly string[]) {
  const syntax = argv[0]?.startsWith('-') ? (await book.parse(command, argv)).syntax : NO_OPTIONS;
  const cut = new ParsedArgs(syntax, argv).positionals[0]?.valueAt.arg ?? argv.length;
  return { options: new ParsedArgs(syntax, argv.slice(0, cut)), following: argv.slice(cut) };
}

function firstWord(name: string): string {
  return name.slice(0, name.indexOf(' '));
}
