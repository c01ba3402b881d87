import type { ParsedCommand } from '../../../line/declaration.ts';

/** The prefixes that `--paths` names, several times or several at once with commas; the empty one stands for all. */
export function pathsOf(parsed: ParsedCommand): readonly string[] {
  return parsed.values('paths').flatMap((list) => list.split(','));
}
