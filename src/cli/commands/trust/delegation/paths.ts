import type { ParsedCommand } from '../../../line/command.ts';
import type { FlagSpec } from '../../../line/flag-words.ts';

/** The flags that name prefixes of target names. */
export const PATHS: readonly FlagSpec[] = [
  { name: 'all-paths', kind: 'switch' },
  { name: 'paths', kind: 'list' },
];

/** The prefixes that `--paths` names, several times or several at once with commas; the empty one stands for all. */
export function pathsOf(parsed: ParsedCommand): readonly string[] {
  return parsed.values('paths').flatMap((list) => list.split(','));
}
