import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Rule {
  readonly pattern: RegExp;
  readonly reason: string;
  /** The files it applies to; all if absent. */
  readonly files?: RegExp;
  /** Whether it applies to comments only. */
  readonly inComments?: boolean;
}

const CODE = /\.(?:ts|tsx|mjs)$/;
const COMMENT = /^\s*(?:\/\*|\*|\/\/)/;
/** Documents and other tests are free to choose their words. */
const REVISED = /^(?:src|scripts|test\/support)\//;
const SKIPPED_FOLDERS = /(?:^|\/)(?:node_modules|dist|\.git)\//;

// The patterns are written so that they do not match themselves.
const RULES: readonly Rule[] = [
  { pattern: /\b(?:TO[D]O|FIX[M]E|X{3}|HA[C]K)\b|\bfor[ ]now\b|\bnot yet[ ]implemented\b/, reason: 'unfinished work' },
  { pattern: /\b(?:test|it|describe)\.(?:skip|todo|only|if|skipIf|todoIf)\b/, reason: 'a test that is switched off' },
  { pattern: /@ts-(?:ignore|nocheck|expect-error)\b/, reason: 'a type error that is hidden', files: CODE },
  { pattern: /\b(?:registry\.(?:npmjs|yarnpkg)|pypi\.org|crates\.io|deb\.debian)\b/, reason: 'a package registry' },
  {
    pattern:
      /\b(?:no|some|any|every)[b]ody\b|\bwho[e]ver\b|\bwhom[e]ver\b|\b[a]new\b|\bm[e]nd(?:s|ed)?\b|\bthere(?:of|in|by)[ ]|\bfor want[ ]of\b|\bof[ ]whom\b|\bbe[ ]it\b|\bsave (?:for|that)[ ]/i,
    reason: 'a word that engineers do not use (no one, someone, again, fix, if)',
    files: REVISED,
    inComments: true,
  },
  {
    pattern:
      /\b(?:undefined|absent|empty|false|true|none|nothing|`[a-z]+-[a-z-]+`),? where\b|\bwhere (?:there (?:is|are)|none|no|nothing|absent|possible|it (?:has|can))\b/i,
    reason: '"where" for "if"',
    files: REVISED,
    inComments: true,
  },
  { pattern: /"resolved":/, reason: 'a download address in the lock file', files: /(?:^|\/)package-lock\.json$/ },
];

/**
 * Words below `root` that no file of the project may contain, one line each: unfinished work, switched-off tests, hidden
 * type errors, download addresses, the path of the checkout itself, and in comments English that no one speaks.
 */
export function findWords(root: string): string[] {
  const here: Rule = { pattern: new RegExp(RegExp.escape(`${root}/`)), reason: 'a path of this machine' };
  const files = [...new Bun.Glob('**/*').scanSync({ cwd: root, dot: true })].filter(
    (path) => !SKIPPED_FOLDERS.test(path),
  );
  return files.sort().flatMap((path) => linesWith([...RULES, here], root, path));
}

function linesWith(rules: readonly Rule[], root: string, path: string): string[] {
  const applicable = rules.filter(({ files }) => files?.test(path) ?? true);
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  return lines.flatMap((line, index) =>
    applicable
      .filter(({ pattern, inComments }) => pattern.test(line) && (inComments !== true || COMMENT.test(line)))
      .map(({ pattern, reason }) => `${path}:${index + 1}: ${reason}: ${pattern.exec(line)?.[0]}`),
  );
}
