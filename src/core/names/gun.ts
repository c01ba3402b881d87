import { SignetError } from '../errors/index.ts';
import { LIMITS } from '../limits.ts';
import { quoted } from '../printable.ts';
import type { Named } from './brand.ts';

/** The globally unique name of a trust collection, such as `docker.io/library/alpine`. */
export type Gun = Named<'Gun'>;

const COMPONENT = /^[A-Za-z0-9_.~@+:[\]-]+$/;
/** Components that would leave the folder, or collide with the trust server's own routes (protocol G-56). */
const RESERVED: ReadonlySet<string> = new Set(['.', '..', '_trust']);

/**
 * Parses a GUN: at most 255 characters, components joined by single slashes, none of them `.`, `..` or `_trust`. The
 * result is safe to join to a folder's path. Throws `name-invalid`, whose detail says `why`.
 */
export function parseGun(text: string): Gun {
  const why = faultOf(text);
  if (why === undefined) return text as Gun;
  throw new SignetError('name-invalid', `invalid repository name ${quoted(text, 300)}`, { detail: { why } });
}

function faultOf(text: string): string | undefined {
  if (text.length > LIMITS.gun) return `it is longer than ${LIMITS.gun} characters`;
  for (const component of text.split('/')) {
    if (component === '') return 'a part between its slashes is empty';
    if (RESERVED.has(component)) return `${quoted(component)} cannot be a part of it`;
    if (COMPONENT.test(component)) continue;
    const foreign = [...component].find((character) => !COMPONENT.test(character)) ?? '';
    return `the character ${quoted(foreign)} cannot be in it`;
  }
  return undefined;
}
