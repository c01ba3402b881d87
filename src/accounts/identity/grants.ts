import { SignetError } from '../../core/errors/index.ts';
import type { Named } from '../../core/names/brand.ts';
import { isRepositoryPath } from '../../core/names/reference.ts';
import { quoted } from '../../core/printable.ts';
import type { Action } from '../../core/scope.ts';
import { hostAndPath } from './places.ts';

/**
 * What a grant names: one repository (`team/app`), everything below a namespace (`team/*`), or either of them on
 * another registry (`docker.io/library/*`), for those who may vouch for its images.
 */
export type Pattern = Named<'Pattern'>;

/** How much a grant allows. */
export type Level = (typeof LEVELS)[number];
const LEVELS = ['pull', 'push', 'admin'] as const;

export interface Grant {
  readonly pattern: Pattern;
  readonly level: Level;
}

/** Everything that can be done to a repository. */
export const ALL_ACTIONS: readonly Action[] = ['pull', 'push', 'delete', '*'];

/** The pattern of every repository, ours and foreign. Only anonymous pull may be given it; a user is made an administrator. */
export const EVERYTHING = '*' as Pattern;

const MAX_PATTERN = 255;
const BELOW = '/*';
/** A capital letter is a mistyped namespace, which docker takes for a host and which would match nothing. */
const PLAIN_HOST = /^[a-z0-9.:[\]-]+$/;

/** Parses the pattern of a grant. Throws `grant-invalid`. */
export function parsePattern(text: string): Pattern {
  const { host, path } = hostAndPath(text);
  const isWholeHost = host !== undefined && path === '*';
  const repository = path.endsWith(BELOW) ? path.slice(0, -BELOW.length) : path;
  const valid =
    text.length <= MAX_PATTERN &&
    (host === undefined || PLAIN_HOST.test(host)) &&
    (isWholeHost || isRepositoryPath(repository));
  if (!valid) {
    throw new SignetError('grant-invalid', `invalid pattern ${quoted(text, 300)}`, {
      next: 'Name one repository (team/app) or everything below a namespace (team/*), with its registry where it is not this one (docker.io/library/*).',
    });
  }
  return text as Pattern;
}

/** Parses one entry of the list of what everyone may pull: a pattern, or `*` for everything. Throws `grant-invalid`. */
export function parsePublicPattern(text: string): Pattern {
  return text === EVERYTHING ? EVERYTHING : parsePattern(text);
}

/** Parses `pull`, `push` or `admin`. Throws `grant-invalid`. */
export function parseLevel(text: string): Level {
  const level = LEVELS.find((known) => known === text);
  if (level === undefined) {
    throw new SignetError('grant-invalid', `invalid level ${quoted(text, 60)}`, {
      next: `Use one of ${LEVELS.join(', ')}.`,
    });
  }
  return level;
}

/** The actions that a level of access allows. */
export function actionsOf(level: Level): readonly Action[] {
  if (level === 'pull') return ['pull'];
  return level === 'push' ? ['pull', 'push'] : ALL_ACTIONS;
}

/** Whether the path of a pattern covers the path of a repository on the same host. */
export function coversPath(pattern: string, path: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith(BELOW) ? path.startsWith(pattern.slice(0, -1)) : path === pattern;
}
