import { visibleInLine } from '../../../core/printable.ts';
import { type Candidate, type Completion, type Wanted, wantedNext } from '../../line/complete.ts';
import { printOut } from '../../terminal/output.ts';
import { debugIsOn } from '../../wording/debug.ts';
import { findWord, WORDS } from '../words.ts';

const NOTHING: Completion = { candidates: [], directive: 'none' };
/** Characters that every shell reads as part of one word without quotes, and that no terminal interprets. */
const SAFE = /^[A-Za-z0-9_./:@+=,%^~-]+$/;
const MAX_ABOUT = 200;

/**
 * `signet __complete =CURRENT WORD…`: prints the candidates for CURRENT after the words, one per line with its
 * description after a tab, then a last line with a colon and the directive. Completion must not get in the way: any
 * failure is silent, and the exit code is 0.
 */
export async function completeCommand(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [first = '', ...before] = words;
  const { candidates, directive } = await complete(before, first.replace(/^=/, ''), env).catch((error: unknown) => {
    if (debugIsOn()) throw error;
    return NOTHING;
  });
  const lines = candidates.map(({ word, about }) => (about === undefined ? word : `${word}\t${oneLine(about)}`));
  printOut(...[...lines, `:${directive}`].map((line) => `${line}\n`));
  return 0;
}

/** Candidates for `current`, given the words that follow the program's name. */
async function complete(words: readonly string[], current: string, env: NodeJS.ProcessEnv): Promise<Completion> {
  const [name, ...rest] = words[0] === 'help' ? words.slice(1) : words;
  const found = name === undefined ? undefined : findWord(name);
  const completion =
    found === undefined
      ? await withDockers(words, current, env)
      : await ours(await wantedNext(await found.load(), rest, current), current, env);
  return { ...completion, candidates: fitting(completion.candidates, current) };
}

/** Docker's candidates, plus Signet's own at the start of a command. */
async function withDockers(words: readonly string[], current: string, env: NodeJS.ProcessEnv): Promise<Completion> {
  const isFirst = words.length === 0 || (words.length === 1 && words[0] === 'help');
  const own = isFirst && !isOption(current) ? WORDS.map(({ name, about }) => ({ word: name, about })) : [];
  const { dockersCompletion } = await import('./dockers.ts');
  const dockers = await dockersCompletion(words, current, env).catch((error: unknown) => {
    if (own.length === 0) throw error;
    return NOTHING;
  });
  const names = new Set(own.map(({ word }) => word));
  const fresh = dockers.candidates.filter(({ word }) => !names.has(word) && (isOption(current) || !isOption(word)));
  return { ...dockers, candidates: [...own, ...fresh] };
}

/** Whether a program would read the word as an option. Names that others have chosen are not offered if so. */
function isOption(word: string): boolean {
  return word.startsWith('-');
}

async function ours(wanted: Wanted, current: string, env: NodeJS.ProcessEnv): Promise<Completion> {
  if (wanted.kind === 'candidates') return { candidates: wanted.candidates, directive: 'none' };
  const { takes, before, line } = wanted;
  const written = (candidates: readonly Candidate[]) =>
    candidates.map((candidate) => ({ ...candidate, word: `${before}${candidate.word}` }));
  if (typeof takes !== 'string') return { candidates: written(takes.map((word) => ({ word }))), directive: 'none' };
  if (takes === 'file') return { candidates: [], directive: 'files' };
  if (takes === 'folder') return { candidates: [], directive: 'folders' };
  if (takes === 'text') return NOTHING;
  const { knownValues } = await import('./values.ts');
  const known = await knownValues(takes, current.slice(before.length), line, env);
  const candidates = written(known.filter(({ word }) => !isOption(word)));
  // A tag may follow an image's name.
  const isName = takes === 'image' && candidates.every(({ word }) => !/:[^/]*$/.test(word));
  return { candidates, directive: isName ? 'nospace' : 'none' };
}

function fitting(candidates: readonly Candidate[], current: string): readonly Candidate[] {
  const fit = candidates.filter(({ word }) => word.startsWith(current) && SAFE.test(word));
  return [...new Map(fit.map((candidate) => [candidate.word, candidate])).values()];
}

function oneLine(about: string): string {
  return visibleInLine(about.replaceAll(/\s+/g, ' ')).slice(0, MAX_ABOUT);
}
