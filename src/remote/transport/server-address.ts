import { SignetError } from '../../core/errors/index.ts';
import { DOCKER_HUB } from '../../core/names/reference.ts';
import { printable } from '../../core/printable.ts';

/** Where trust servers are configured. */
interface ServerSettings {
  /** `DOCKER_CONTENT_TRUST_SERVER`: one server for all repositories. Empty means absent. */
  readonly environment: string | undefined;
  /** By registry host (with port). */
  readonly perRegistry?: ReadonlyMap<string, string>;
}

const HUB_SERVER = 'https://notary.docker.io';

/**
 * The trust server for a registry's repositories (protocol D.2): the environment's for all of them, else the one
 * configured for this registry, else Docker Hub's own for Docker Hub, else the registry's host itself. Keeps a path but
 * removes trailing slashes, because no server responds at `//v2/`. Throws `server-address-invalid`.
 */
export function serverFor(registry: string, settings: ServerSettings): URL {
  const configured = settings.environment || settings.perRegistry?.get(registry);
  if (configured !== undefined) return parseServerAddress(configured);
  return new URL(registry === DOCKER_HUB ? HUB_SERVER : `https://${registry}`);
}

/** Parses a trust server's address: https, without user name, query or fragment. Throws `server-address-invalid`. */
export function parseServerAddress(text: string): URL {
  const url = /^https:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new SignetError(
      'server-address-invalid',
      `valid https URL required for trust server, got ${withoutUser(text)}`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new SignetError(
      'server-address-invalid',
      `the trust server's address ${url.origin} must have no user name, query or fragment`,
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

/** What precedes an `@` may be a password. */
function withoutUser(text: string): string {
  return printable(text.replace(/[^/]*@/g, ''), 200);
}
