import { isAbsolute } from 'node:path';
import { SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import type { JsonObject, JsonValue } from '../../core/json/parse.ts';
import { isDelegation } from '../../core/names/role.ts';
import { quoted } from '../../core/printable.ts';
import { CredentialHelper } from '../../store/credential-helper.ts';

/** Where to read the passphrase of a key. */
export type PassphrasePlace =
  | { readonly kind: 'file'; readonly path: string }
  /** A program and its arguments; it prints the passphrase. */
  | { readonly kind: 'command'; readonly program: string; readonly args: readonly string[] }
  /** The system's keychain, through the program `docker-credential-<helper>`. */
  | { readonly kind: 'keychain'; readonly helper: string };

/** Places by key alias: `root`, a signer's name, and `repository` for all other keys. */
export type PassphrasePlaces = ReadonlyMap<string, PassphrasePlace>;

/** The place configured for a key: that of its own alias or, except for root keys, that of `repository`. */
export function placeFor(places: PassphrasePlaces, alias: string): PassphrasePlace | undefined {
  return places.get(alias) ?? (alias === 'root' ? undefined : places.get('repository'));
}

/**
 * Reads the member `passphrases` of the client's settings. Throws `json-unexpected`, `name-invalid` or
 * `docker-config-invalid`.
 */
export function readPassphrasePlaces(members: JsonObject): PassphrasePlaces {
  return new Map([...members].map(([alias, value]) => [checkAlias(alias), readPlace(alias, value)]));
}

/** A mistyped alias would silently have no effect, so what cannot be an alias is refused. */
function checkAlias(alias: string): string {
  if (isDelegation(`targets/${alias}`)) return alias;
  throw new SignetError(
    'name-invalid',
    `passphrases: ${quoted(alias)} is no key's name; write root, repository or the name of a signer`,
  );
}

function readPlace(alias: string, value: JsonValue): PassphrasePlace {
  const what = `passphrases: ${alias}`;
  const fields = new Fields(value, what, ['file', 'command', 'keychain'], 'refuse');
  const path = fields.optionalString('file');
  const command = fields.strings('command');
  const helper = fields.optionalString('keychain');
  const [place, another] = [
    ...(path === undefined ? [] : [{ kind: 'file', path: checkPath(what, path) } as const]),
    ...(fields.raw('command') === undefined ? [] : [readCommand(what, command)]),
    ...(helper === undefined ? [] : [{ kind: 'keychain', helper: checkHelper(helper) } as const]),
  ];
  if (place !== undefined && another === undefined) return place;
  throw new SignetError('json-unexpected', `${what} must have one of file, command and keychain`);
}

function readCommand(what: string, [program = '', ...args]: readonly string[]): PassphrasePlace {
  if ([program, ...args].some((word) => word.includes('\u0000'))) {
    throw new SignetError('json-unexpected', `${what}: the command has a zero byte in it`);
  }
  // A name without a slash is looked up on PATH.
  if (program === '' || /[/\\]/.test(program)) checkPath(what, program);
  return { kind: 'command', program, args };
}

/** A relative path would let the current folder decide which file or program is used. */
function checkPath(what: string, path: string): string {
  if (isAbsolute(path) && !path.includes('\u0000')) return path;
  throw new SignetError('json-unexpected', `${what}: ${quoted(path, 200)} is not a whole path`);
}

/** The constructor checks the name of the helper. */
function checkHelper(helper: string): string {
  new CredentialHelper(helper, {});
  return helper;
}
