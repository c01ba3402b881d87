import { SignetError } from '../../../../core/errors/index.ts';
import { printable, quoted } from '../../../../core/printable.ts';
import type { StoredKey } from '../../../../store/key-store.ts';

/**
 * Shortest prefix of an ID, the length that prompts show. Fewer digits could be the name of a signer without a key
 * here: `ada`, `bea`.
 */
const MIN_DIGITS = 7;
const MAX_SHOWN = 8;

/**
 * Finds a stored key by its name (the role in its file), its ID, or a prefix of its ID of at least 7 digits. Throws
 * `signing-key-missing` or `key-ambiguous`.
 */
export function chosenKey(keys: readonly StoredKey[], text: string): StoredKey {
  const isMeant = ({ role, id }: StoredKey) =>
    text !== '' && (role === text || (text.length >= MIN_DIGITS && id.startsWith(text)));
  const [key, ...others] = keys.filter(isMeant);
  if (key === undefined) {
    throw new SignetError('signing-key-missing', `no key has the ID or the name ${quoted(text, 100)}`, {
      next: 'See which keys there are: signet trust key list',
    });
  }
  if (others.length > 0) throw ambiguous(quoted(text, 100), [key, ...others]);
  return key;
}

/** The error for a key chosen for a role that it is not meant for. */
export function wrongRole(key: StoredKey, role: string): SignetError {
  return new SignetError('key-role-conflict', `${key.id} is the ${keyText(key)}, and cannot be a ${role} key`, {
    detail: { id: key.id, role: key.role },
  });
}

/** The error for a text that matches several keys. */
export function ambiguous(what: string, keys: readonly StoredKey[]): SignetError {
  const shown = keys.slice(0, MAX_SHOWN).map((key) => `${key.id} (${keyText(key)})`);
  const more = keys.length > MAX_SHOWN ? ` and ${keys.length - MAX_SHOWN} more` : '';
  return new SignetError('key-ambiguous', `${what} fits ${keys.length} keys: ${shown.join(', ')}${more}`, {
    next: 'Give the ID of one of them, or as much of it as no other has.',
  });
}

/** A short description of a key: `alice key`, `targets key of registry.example.com/acme/app`. */
export function keyText({ role, gun }: Pick<StoredKey, 'role' | 'gun'>): string {
  const name = role === '' ? 'unnamed key' : `${printable(role)} key`;
  return gun === undefined ? name : `${name} of ${gun}`;
}
