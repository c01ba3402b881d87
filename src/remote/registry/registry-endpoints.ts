import { SignetError } from '../../core/errors/index.ts';
import { DOCKER_HUB } from '../../core/names/reference.ts';
import { printable } from '../../core/printable.ts';
import { hostnameOf, isLoopback } from '../transport/loopback.ts';

/** The user's settings for one registry. */
export interface RegistrySettings {
  /** The registry's address, instead of `https://<host>`. */
  readonly endpoint?: string;
  /** Mirrors to read content from, tried in this order. */
  readonly mirrors?: readonly string[];
}

const HUB_ENDPOINT = 'https://registry-1.docker.io';

/**
 * The addresses of the registry itself, tried in this order (docker's own rules): the configured one; Docker Hub's;
 * else the host over https, and over http if it is this machine. Throws `server-address-invalid`.
 */
export function registryEndpoints(registry: string, settings: RegistrySettings = {}): readonly URL[] {
  if (settings.endpoint !== undefined) return [parseEndpoint(settings.endpoint)];
  if (registry === DOCKER_HUB) return [new URL(HUB_ENDPOINT)];
  const schemes = isLoopback(hostnameOf(registry)) ? ['https', 'http'] : ['https'];
  return schemes.map((scheme) => parseEndpoint(`${scheme}://${registry}`));
}

/** The registry's mirrors. Throws `server-address-invalid`. */
export function registryMirrors(settings: RegistrySettings = {}): readonly URL[] {
  return (settings.mirrors ?? []).map(parseEndpoint);
}

function parseEndpoint(text: string): URL {
  const url = /^https?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    const shown = printable(text.replace(/[^/]*@/g, ''), 200);
    throw new SignetError('server-address-invalid', `invalid registry address ${shown}`);
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}
