import { isIPv4, isIPv6 } from 'node:net';

/** A host and perhaps its port, as in a Host header or a setting. */
export interface HostName {
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/** A host with its port. */
export interface Address extends HostName {
  readonly port: number;
}

const FORM = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::([0-9]{1,5}))?$/;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const NUMERIC = /^[0-9.]+$/;
const HIGHEST_PORT = 65_535;

/** Parses `HOST`, `HOST:PORT` or `[IPv6]:PORT`; undefined if the text is none of them. */
export function parseHostName(text: string): HostName | undefined {
  const [, ipv6, name, digits] = FORM.exec(text) ?? [];
  const host = (ipv6 ?? name)?.toLowerCase();
  if (host === undefined) return undefined;
  if (ipv6 === undefined ? !isNameOrIPv4(host) : !isIPv6(host)) return undefined;
  if (digits === undefined) return { host, port: undefined };
  const port = Number(digits);
  return port <= HIGHEST_PORT ? { host, port } : undefined;
}

/** Writes a host and port so that `parseHostName` reads them back. */
export function formatHostName({ host, port }: HostName): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === undefined ? name : `${name}:${port}`;
}

/** Whether only this machine can reach `host`. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/** Whether `host` stands for every address of the machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** A name of digits and dots that is no IPv4 address would be read as another address by some resolvers. */
function isNameOrIPv4(host: string): boolean {
  return isIPv4(host) || (!NUMERIC.test(host) && host.split('.').every((label) => LABEL.test(label)));
}
