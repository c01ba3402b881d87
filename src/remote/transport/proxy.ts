import { SignetError } from '../../core/errors/index.ts';
import { printable } from '../../core/printable.ts';
import { isLoopback } from './loopback.ts';

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http:', '80'],
  ['https:', '443'],
]);
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const HAS_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/;

/**
 * The proxy for a URL, by the rules of Go's `net/http` and so of docker: `HTTPS_PROXY` for https, `HTTP_PROXY` for
 * http, each also in lower case, and http if it has no scheme; none for this machine and for hosts in `NO_PROXY`.
 * Undefined for a direct connection. Throws `proxy-unsupported` for a proxy that speaks neither http nor https, and for
 * a variable that is not an address, because it may have been meant to keep traffic off the network.
 */
export function proxyFor(target: URL, env: NodeJS.ProcessEnv = process.env): URL | undefined {
  const name = target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  const text = either(env, name);
  if (text === '' || isLoopback(target.hostname) || isExcepted(target, either(env, 'NO_PROXY'))) return undefined;
  const address = HAS_SCHEME.test(text) ? text : `http://${text}`;
  const proxy = URL.canParse(address) ? new URL(address) : undefined;
  // The value may contain a password, so it is not shown.
  if (proxy === undefined)
    throw new SignetError('proxy-unsupported', `what ${name} holds is not the address of a proxy`);
  if (DEFAULT_PORTS.has(proxy.protocol)) return proxy;
  throw new SignetError(
    'proxy-unsupported',
    `${name} names a proxy that speaks ${printable(proxy.protocol.slice(0, -1), 40)}; Signet knows http and https`,
  );
}

/** The address of a proxy without its password. */
export function proxyName({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

function either(env: NodeJS.ProcessEnv, name: string): string {
  return env[name] || env[name.toLowerCase()] || '';
}

/**
 * Whether `NO_PROXY` lists the host: `*`; an address or a range in CIDR notation; a name, which includes those below
 * it, or only those with a leading dot or `*.`. Addresses and names may have a port.
 */
function isExcepted({ hostname, port, protocol }: URL, list: string): boolean {
  const host = unbracketed(hostname).toLowerCase();
  const usedPort = port || DEFAULT_PORTS.get(protocol) || '';
  const entries = list.split(',').map((entry) => entry.trim().toLowerCase());
  const listed = entries.some((entry) => entry !== '' && matches(entry, host, usedPort));
  return entries.includes('*') || listed;
}

function matches(entry: string, host: string, port: string): boolean {
  if (entry.includes('/')) return isInRange(entry, host);
  const [, name = entry, wantedPort = ''] = /^(\[[^\]]*\]|[^:]*):(\d*)$/.exec(entry) ?? [];
  const plain = unbracketed(name);
  if (plain === '' || (wantedPort !== '' && wantedPort !== port)) return false;
  const address = bytesOf(plain);
  if (address !== undefined) return isInRange(`${plain}/${address.length * 8}`, host);
  if (bytesOf(host) !== undefined) return false;
  const below = plain.startsWith('*.') ? plain.slice(1) : plain;
  return below.startsWith('.') ? host.endsWith(below) : host === below || host.endsWith(`.${below}`);
}

function isInRange(range: string, host: string): boolean {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(range) ?? [];
  const [start, found] = [bytesOf(address), bytesOf(host)];
  if (start === undefined || start.length !== found?.length || Number(bits) > start.length * 8) return false;
  const prefix = (bytes: readonly number[]) =>
    bytes
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .slice(0, Number(bits));
  return prefix(start) === prefix(found);
}

/** The bytes of an IP address, undefined for anything else. Does not use node:net, which is slow to load. */
function bytesOf(text: string): readonly number[] | undefined {
  if (IPV4.test(text)) return text.split('.').map(Number);
  if (!text.includes(':') || !URL.canParse(`http://[${text}]`)) return undefined;
  const [head = '', tail] = unbracketed(new URL(`http://[${text}]`).hostname).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const zeros = Array<number>(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}

function unbracketed(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
