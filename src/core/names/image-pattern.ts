import { isSignetError, SignetError } from '../errors/index.ts';
import { quoted } from '../printable.ts';
import { DOCKER_HUB, formatReference, looksLikeDockerHub, parseReference, type Reference } from './reference.ts';

/**
 * The images that a rule applies to: one repository (`registry.internal/tools/lint`), everything below a path
 * (`registry.internal/tools/*`), or a whole registry (`registry.internal/*`). Host and path are each compared as a
 * whole, so look-alikes do not match.
 */
export interface ImagePattern {
  /** As written. */
  readonly text: string;
  readonly registry: string;
  /** The repository's path, or the path that the repositories are below; empty for a whole registry. */
  readonly path: string;
  /** Whether it matches what is below the path, and not the path itself. */
  readonly isBelow: boolean;
}

const BELOW = '/*';

/** Parses a pattern. Names are written in full, as docker would print them. Throws `name-invalid`. */
export function parseImagePattern(text: string): ImagePattern {
  const isBelow = text.endsWith(BELOW);
  const name = isBelow ? text.slice(0, -BELOW.length) : text;
  const slash = name.indexOf('/');
  const [registry, path] = slash < 0 ? [name, ''] : [name.slice(0, slash), name.slice(slash + 1)];
  const example = isBelow ? `${name}/${slash < 0 ? 'x/x' : 'x'}` : name;
  const meant = readName(example, text);
  if (formatReference(meant) !== example)
    throw invalid(text, `docker means ${formatReference(meant)} by ${example}; write names in full`);
  if (looksLikeDockerHub(meant.registry)) throw invalid(text, `Docker Hub is ${DOCKER_HUB}`);
  if (meant.tag !== undefined || meant.digest !== undefined) throw invalid(text, 'leave tag and digest out');
  return { text, registry, path, isBelow };
}

/** Whether the pattern matches the reference's repository. */
export function matchesImage({ registry, path, isBelow }: ImagePattern, reference: Reference): boolean {
  if (reference.registry !== registry) return false;
  if (!isBelow) return reference.path === path;
  return path === '' || reference.path.startsWith(`${path}/`);
}

/** The most specific pattern that matches the reference's repository: the exact name, else the longest path. */
export function mostSpecific<T extends { readonly pattern: ImagePattern }>(
  rules: readonly T[],
  reference: Reference,
): T | undefined {
  const [first, ...others] = rules.filter(({ pattern }) => matchesImage(pattern, reference));
  return others.reduce<T | undefined>((best, rule) => (best && rank(rule) > rank(best) ? rule : best), first);
}

function rank({ pattern: { isBelow, path } }: { readonly pattern: ImagePattern }): number {
  return isBelow ? path.length : Number.POSITIVE_INFINITY;
}

function readName(name: string, pattern: string): Reference {
  try {
    return parseReference(name);
  } catch (cause) {
    throw isSignetError(cause) ? invalid(pattern, cause.message, cause) : cause;
  }
}

function invalid(pattern: string, why: string, cause?: SignetError): SignetError {
  return new SignetError('name-invalid', `${quoted(pattern, 300)} names no images: ${why}`, {
    cause,
    next: 'Write HOST/PATH for one repository, or HOST/PATH/* for all below it, as in registry.internal/tools/*',
  });
}
