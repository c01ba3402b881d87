import type { ParsedCommand } from '../../../line/declaration.ts';

/**
 * The path prefixes given with `--paths`, repeated or several at once separated by commas. The empty prefix matches
 * every path.
 */
export function pathsOf(parsed: ParsedCommand): readonly string[] {
  return parsed.values('paths').flatMap((list) => list.split(','));
}
