import { type Argument, type Command, type Entry, type Flag, type Group, isGroup, type Takes } from './declaration.ts';
import { readUnfinished, type Unfinished } from './flag-words.ts';
import { firstLine, flagAbout } from './help.ts';

/** A possible next word. */
export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

/** What the shell does in addition to offering the candidates. */
type Directive = 'none' | 'nospace' | 'files' | 'folders';

/** The candidates for the next word, for a shell's script. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly directive: Directive;
}

/** What the next word of a command line can be. */
export type Wanted =
  | { readonly kind: 'candidates'; readonly candidates: readonly Candidate[] }
  /** A value of this meaning. `before` is the part of the same word before it: `--key=`. */
  | { readonly kind: 'value'; readonly takes: Takes; readonly before: string; readonly line: Unfinished };

type Declared = Command<never, unknown> | Group<never>;

const NOTHING: Wanted = { kind: 'candidates', candidates: [] };
const HELP: Candidate = { word: '--help', about: 'Print the help' };

/** Finds what `current`, which may be empty, can be after the `words` that follow the command's own. */
export async function wantedNext(declared: Declared, words: readonly string[], current: string): Promise<Wanted> {
  if (isGroup(declared)) return inGroup(declared, words, current);
  const below = declared.commands ?? [];
  const [, load] = below.find(([name]) => name === words[0]) ?? [];
  if (load !== undefined) return wantedNext(await load(), words.slice(1), current);
  if (words.length > 0 || below.length === 0 || current.startsWith('-')) return inCommand(declared, words, current);
  return { kind: 'candidates', candidates: await described(below) };
}

async function inGroup(group: Group<never>, words: readonly string[], current: string): Promise<Wanted> {
  const entries = group.lists.flatMap(([, listed]) => listed);
  const at = words.findIndex((word) => !word.startsWith('-'));
  if (at >= 0) {
    const [, load] = entries.find(([name]) => name === words[at]) ?? [];
    return load === undefined ? NOTHING : wantedNext(await load(), words.toSpliced(at, 1), current);
  }
  if (current.startsWith('-')) return { kind: 'candidates', candidates: [HELP] };
  const shown = entries.filter(([name]) => name.startsWith(current));
  return { kind: 'candidates', candidates: await described(shown) };
}

async function described(entries: readonly Entry<never>[]): Promise<readonly Candidate[]> {
  const told = await Promise.all(entries.map(async ([name, load]) => [name, await load()] as const));
  return told.filter(([, { isHidden }]) => isHidden !== true).map(([word, each]) => ({ word, about: firstLine(each) }));
}

function inCommand({ flags, args }: Command<never, unknown>, words: readonly string[], current: string): Wanted {
  const line = readUnfinished(flags, words);
  if (line === undefined) return NOTHING;
  if (line.awaiting !== undefined) return wantedValue(line.awaiting, '', line);
  if (!line.isEnded && current.startsWith('-')) return inFlag(flags, line, current);
  const argument = args[Math.min(line.args.length, args.length - 1)];
  if (argument === undefined || (line.args.length >= args.length && argument.isRepeated !== true)) return NOTHING;
  return wantedValue(argument, '', line);
}

/** A flag that is being typed, or its value after an equals sign. */
function inFlag(flags: readonly Flag[], line: Unfinished, current: string): Wanted {
  const [before = '', name] = /^--([^=]+)=/.exec(current) ?? [];
  const begun = flags.find((flag) => flag.name === name);
  if (begun !== undefined && begun.type !== 'switch') return wantedValue(begun, before, line);
  const fresh = flags.filter(
    ({ name, type, isHidden }) => isHidden !== true && (type === 'list' || !line.values.has(name)),
  );
  const candidates = [
    ...fresh.map((flag) => ({ word: `--${flag.name}`, about: flagAbout(flag).replaceAll('\n', ' ') })),
    HELP,
  ];
  return { kind: 'candidates', candidates };
}

function wantedValue({ takes = 'text' }: Pick<Argument | Flag, 'takes'>, before: string, line: Unfinished): Wanted {
  return { kind: 'value', takes, before, line };
}
