import { SignetError } from '../../core/errors/index.ts';
import type { Login } from '../../core/login.ts';
import { printable } from '../../core/printable.ts';
import { MAX_TEXT } from '../http/error-body.ts';
import { hostnameOf, isLoopback } from '../transport/loopback.ts';

/** The login for one registry or trust server, and where it may be sent. */
export interface LoginSource {
  /** The registry or trust server (`host[:port]`) that the login is stored for. */
  readonly registry: string;
  /** The registry's address, if the user configured one that differs from its name. */
  readonly endpoint?: URL;
  /** Origins of token services on other hosts that the user lets it be sent to. */
  readonly allowed?: ReadonlySet<string>;
  /** Undefined if none is stored. Callers wipe the result after use, so each call returns a new copy. */
  find(): Promise<Login | undefined>;
}

type Audience = Omit<LoginSource, 'find'>;

/** Origins on other hosts that are known to belong to a registry or trust server, by its host. */
const WELL_KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'docker.io',
    ['https://auth.docker.io', 'https://index.docker.io', 'https://notary.docker.io', 'https://registry-1.docker.io'],
  ],
  ['index.docker.io', ['https://auth.docker.io']],
  ['registry-1.docker.io', ['https://auth.docker.io']],
  ['notary.docker.io', ['https://auth.docker.io']],
  ['registry.gitlab.com', ['https://gitlab.com']],
]);

/**
 * Parses the address of a token service from a challenge. It must be https and have no user name; http is allowed on
 * this machine, if a server on this machine points to it. Throws `realm-refused`.
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
 * Whether an origin belongs to the registry that a login is for: the same host, or that of its configured address, on
 * any port; an origin known to belong to it, such as `auth.docker.io` to Docker Hub; or one that the user allowed.
 * Names are compared exactly.
 */
export function belongsTo({ hostname, origin }: URL, { registry, endpoint, allowed }: Audience): boolean {
  const host = hostnameOf(registry).toLowerCase();
  if (hostname === host || hostname === endpoint?.hostname) return true;
  return WELL_KNOWN.get(host)?.includes(origin) === true || allowed?.has(origin) === true;
}

/**
 * Decides whether a login may be sent to a token service. A challenge alone is never enough, or any server could obtain
 * the login (as in containerd, CVE-2020-15157). And because the challenging server receives the token, which it could
 * use at the registry in the user's name, it must belong to the registry too. If it does not, the result is false and
 * the request continues without the login, unless the user allowed the token service for this login. Throws
 * `realm-refused` if a server of the registry itself names a token service on another host.
 */
export function mayReceive(realm: URL, challenger: URL, audience: Audience): boolean {
  if (!belongsTo(challenger, audience)) return audience.allowed?.has(realm.origin) === true;
  if (belongsTo(realm, audience)) return true;
  throw new SignetError('realm-refused', `${challenger.origin} asks to send the login to ${realm.origin}`, {
    detail: { realm: realm.origin, challenger: challenger.origin },
    next: `If that token service is the right one, allow it for ${audience.registry}: registries."${audience.registry}".tokenServices in signet.json`,
  });
}
