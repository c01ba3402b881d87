import { isSignetError } from '../../core/errors/index.ts';
import { parseGun } from '../../core/names/gun.ts';
import { isRepositoryPath, namesRegistry } from '../../core/names/reference.ts';

/** Where a name points: a repository of this registry (`host` undefined), or one of another registry. */
export interface Place {
  readonly host: string | undefined;
  readonly path: string;
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The `host[:port]` names under which clients reach this server. A name on a loopback host stands for all of them on
 * the same port. A name that docker does not take for a host (no dot, no port) is never looked up, so it has no effect.
 */
export class OwnHosts {
  private readonly hosts: ReadonlySet<string>;

  constructor(hosts: readonly string[]) {
    this.hosts = new Set(hosts.flatMap(aliases));
  }

  has(host: string): boolean {
    return this.hosts.has(canonicalHost(host));
  }
}

/**
 * Finds the repository behind the name of a scope. The registry's scopes name a path (`alice/app`), the trust
 * server's a GUN (`localhost:5000/alice/app`, protocol F.4); both live in one set of names, told apart as docker tells
 * a host from a path. Undefined for what is neither, which no one may use.
 */
export function locate(name: string, own: OwnHosts): Place | undefined {
  if (!isGun(name)) return undefined;
  const { host, path } = hostAndPath(name);
  if (host !== undefined && !own.has(host)) return { host, path };
  return isRepositoryPath(path) ? { host: undefined, path } : undefined;
}

/** Splits a name or a pattern at the end of its host, if it has one. */
export function hostAndPath(text: string): Place {
  if (!namesRegistry(text)) return { host: undefined, path: text };
  const slash = text.indexOf('/');
  return { host: text.slice(0, slash), path: text.slice(slash + 1) };
}

function aliases(host: string): readonly string[] {
  const plain = canonicalHost(host);
  const loopback = LOOPBACK.find((name) => plain === name || plain.startsWith(`${name}:`));
  return loopback === undefined ? [plain] : LOOPBACK.map((name) => `${name}${plain.slice(loopback.length)}`);
}

/** Host names are equal in any case, and with or without the port of HTTPS. */
function canonicalHost(host: string): string {
  const plain = host.toLowerCase();
  return plain.endsWith(':443') ? plain.slice(0, -':443'.length) : plain;
}

function isGun(name: string): boolean {
  try {
    parseGun(name);
    return true;
  } catch (error) {
    if (isSignetError(error, 'name-invalid')) return false;
    throw error;
  }
}
