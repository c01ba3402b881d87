import { SignetError } from '../../core/errors/index.ts';
import type { Named } from '../../core/names/brand.ts';
import { quoted } from '../../core/printable.ts';

/** The name of a user, and the first component of every repository that the user owns. */
export type UserName = Named<'UserName'>;

const FORM = /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/;
const MIN = 2;
const MAX = 64;

/**
 * Parses a user's name: 2 to 64 lower-case letters and digits, in groups joined by single `-` or `_`.
 *
 * A path component may have dots, a user's name may not, nor may it be `localhost`: what docker would take for a
 * registry host (protocol D.2) must never be a namespace that a user owns. Throws `user-name-invalid`.
 */
export function parseUserName(text: string): UserName {
  if (!isUserName(text)) {
    throw new SignetError('user-name-invalid', `invalid user name ${quoted(text, 100)}`, {
      next: `Use ${MIN} to ${MAX} lower-case letters and digits, in groups joined by single - or _.`,
    });
  }
  return text;
}

/** Whether a text is a valid user name. */
export function isUserName(text: string): text is UserName {
  return text.length >= MIN && text.length <= MAX && FORM.test(text) && text !== 'localhost';
}
