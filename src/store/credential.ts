import { decodeBase64AsGo } from '../core/base64.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { Fields } from '../core/json/fields.ts';
import type { JsonValue } from '../core/json/parse.ts';
import type { Login } from '../core/login.ts';

/** A login as docker stores it. */
export interface Credential extends Login {
  /** A bearer token for the registry itself; undefined if there is none. */
  readonly registryToken: Buffer | undefined;
}

const KNOWN = ['auth', 'identitytoken', 'registrytoken', 'username', 'password', 'email', 'serveraddress'];

/**
 * Parses one entry of `auths` (protocol D.2); undefined if it contains no login, as with a credential helper. Throws
 * `docker-config-invalid`.
 */
export function readAuth(value: JsonValue, server: string): Credential | undefined {
  try {
    const fields = new Fields(value, `login for ${server}`, KNOWN, 'ignore');
    const text = (name: string) => fields.optionalString(name) ?? '';
    const auth = text('auth');
    const { username, password } = auth === '' ? plain(text('username'), text('password')) : decodeAuth(auth);
    const identityToken = optional(text('identitytoken'));
    const registryToken = optional(text('registrytoken'));
    const isEmpty =
      username === '' && password.length === 0 && identityToken === undefined && registryToken === undefined;
    return isEmpty ? undefined : { username, password, identityToken, registryToken };
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('docker-config-invalid', cause.message, { detail: { server } });
  }
}

/** The entry of `auths` for a login without a credential helper, as docker writes it. */
export function formatAuth(credential: Credential): ReadonlyMap<string, string> {
  const { username, password, identityToken, registryToken } = credential;
  const pair = Buffer.concat([Buffer.from(`${username}:`), password]);
  const members: [string, string][] = [];
  if (username !== '' || password.length > 0) members.push(['auth', pair.toString('base64')]);
  if (identityToken !== undefined) members.push(['identitytoken', identityToken.toString('utf8')]);
  if (registryToken !== undefined) members.push(['registrytoken', registryToken.toString('utf8')]);
  pair.fill(0);
  return new Map(members);
}

function decodeAuth(auth: string): { username: string; password: Buffer } {
  const pair = decodeBase64AsGo(auth);
  const colon = pair?.indexOf(':') ?? -1;
  if (pair === undefined || colon < 1)
    throw new SignetError('docker-config-invalid', 'invalid auth configuration file');
  let end = pair.length;
  while (end > colon + 1 && pair[end - 1] === 0) end--;
  return { username: pair.subarray(0, colon).toString('utf8'), password: pair.subarray(colon + 1, end) };
}

function plain(username: string, password: string): { username: string; password: Buffer } {
  return { username, password: Buffer.from(password) };
}

function optional(text: string): Buffer | undefined {
  return text === '' ? undefined : Buffer.from(text);
}
