import { SignetError } from '../core/errors/index.ts';
import { printable } from '../core/printable.ts';
import { MAX_TEXT } from './error-body.ts';
import { isLoopback } from './loopback.ts';

/** Who asks for a token, and for whom the user's login is. */
export interface RealmContext {
  /** The address that answered with the challenge. */
  readonly challenger: URL;
  /** The host, without port, of the registry that the login was stored for. */
  readonly loginHost: string;
  /** Origins of token services that the user allowed, such as `https://auth.example.com`. */
  readonly allowed: ReadonlySet<string>;
}

/** Token services on another host than their registries', by the registries' hosts. */
const WELL_KNOWN: ReadonlyMap<string, string> = new Map([
  ['docker.io', 'https://auth.docker.io'],
  ['index.docker.io', 'https://auth.docker.io'],
  ['registry-1.docker.io', 'https://auth.docker.io'],
  ['notary.docker.io', 'https://auth.docker.io'],
  ['registry.gitlab.com', 'https://gitlab.com'],
]);

/**
 * Parses the address of a token service as a challenge gives it. It must be https, without a user name; on this
 * machine http will do, but only a server on this machine may point at it. Throws `realm-refused`.
 */
export function parseRealm(text: string, challenger: URL): URL {
  const refuse = (why: string): never => {
    throw new SignetError('realm-refused', `${challenger.origin} names a token service ${why}`, {
      detail: { realm: printable(text, MAX_TEXT) },
    });
  };
  if (!URL.canParse(text)) refuse('without an address');
  const realm = new URL(text);
  if (realm.username !== '' || realm.password !== '') refuse('with a user name in its address');
  if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && isLoopback(realm.hostname))) refuse('without TLS');
  if (isLoopback(realm.hostname) && !isLoopback(challenger.hostname)) refuse('on this machine');
  return realm;
}

/**
 * Decides whether the user's login may be sent to a token service. A challenge alone never decides it, or every
 * server could have the login for the asking (as in containerd, CVE-2020-15157). It is sent to:
 *
 * 1. the challenger's own host, on any port;
 * 2. the host of the registry that the login is for;
 * 3. the token service that is known to belong to one of these two, such as `auth.docker.io` to Docker Hub;
 * 4. an origin that the user allowed.
 *
 * Throws `realm-refused`.
 */
export function checkRealm(realm: URL, { challenger, loginHost, allowed }: RealmContext): void {
  const hosts = [challenger.hostname, loginHost.toLowerCase()];
  const belongs =
    hosts.includes(realm.hostname) ||
    hosts.some((host) => WELL_KNOWN.get(host) === realm.origin) ||
    allowed.has(realm.origin);
  if (belongs) return;
  throw new SignetError('realm-refused', `${challenger.origin} asks to send the login to ${realm.origin}`, {
    detail: { realm: realm.origin, challenger: challenger.origin },
  });
}
