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
 * result is safe to join to a folder's path. Throws `name-invalid`.
 */
export function parseGun(text: string): Gun {
  const valid =
    text.length <= LIMITS.gun &&
    text.split('/').every((component) => COMPONENT.test(component) && !RESERVED.has(component));
  if (!valid) throw new SignetError('name-invalid', `invalid repository name ${quoted(text, 300)}`);
  return text as Gun;
}
