import { findDocker } from '../../../engine/cli/cli.ts';
import { LearnedSyntax } from '../../../engine/cli/learn.ts';
import { captureDocker } from '../../../engine/cli/run.ts';
import type { Candidate, Completion } from '../../line/complete.ts';
import { findCommand, firstWords, nextWords } from '../docker/closed-world/commands.ts';

/** Bits of the directive that docker prints last. */
const FAILED = 1;
const NO_SPACE = 2;
const NO_FILES = 4;
const FOLDERS = 16;

/**
 * Asks docker itself for candidates. For an older docker without completion, uses its commands and the options in its
 * help texts. Throws `docker-missing` or `docker-failed`.
 */
export async function dockersCompletion(
  words: readonly string[],
  current: string,
  env: NodeJS.ProcessEnv,
): Promise<Completion> {
  const cli = await findDocker(env);
  const { stdout, exitCode } = await captureDocker(cli.path, ['__complete', ...words, current], env);
  const answer = exitCode === 0 ? readAnswer(stdout) : undefined;
  if (answer !== undefined) return answer;
  if (current.startsWith('-'))
    return { candidates: await learned(new LearnedSyntax(cli, env), words), directive: 'none' };
  const next = words.length === 0 ? firstWords() : nextWords(words);
  return { candidates: next.map((word) => ({ word })), directive: next.length === 0 ? 'files' : 'none' };
}

/** Undefined if docker printed something else, or reported a failure. */
function readAnswer(stdout: string): Completion | undefined {
  const lines = stdout.trimEnd().split('\n');
  const [, digits] = /^:(\d+)$/.exec(lines.pop() ?? '') ?? [];
  const bits = Number(digits ?? FAILED);
  if ((bits & FAILED) !== 0) return undefined;
  const candidates = lines.map((line): Candidate => {
    const [word = '', about] = line.split('\t');
    return about === undefined ? { word } : { word, about };
  });
  if ((bits & FOLDERS) !== 0) return { candidates: [], directive: 'folders' };
  if ((bits & NO_SPACE) !== 0) return { candidates, directive: 'nospace' };
  return { candidates, directive: (bits & NO_FILES) !== 0 ? 'none' : 'files' };
}

/** The options of the command given by the words. */
async function learned(book: LearnedSyntax, words: readonly string[]): Promise<readonly Candidate[]> {
  const length = words.findLastIndex((_, index) => findCommand(words.slice(0, index + 1)) !== undefined) + 1;
  const flags = await book.optionsOf(words.slice(0, length));
  return flags.flatMap(({ long }) => (long === undefined ? [] : [{ word: `--${long}` }]));
}
