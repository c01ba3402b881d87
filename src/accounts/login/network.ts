import { isIPv6 } from 'node:net';

/** What one attacker surely has all of: an IPv4 address, or an IPv6 network of 64 bits. */
export function networkOf(address: string): string {
  return ipv6Network(address, 64) ?? mappedIPv4(address) ?? address;
}

/** What one customer of a provider may have all of: an IPv6 network of 48 bits; undefined for IPv4, which is scarce. */
export function siteOf(address: string): string | undefined {
  return ipv6Network(address, 48);
}

/** The IPv4 address that an IPv6 socket reports as `::ffff:192.0.2.1`. */
function mappedIPv4(address: string): string | undefined {
  return address.startsWith(':') ? /^::ffff:([0-9.]+)$/i.exec(address)?.[1] : undefined;
}

function ipv6Network(address: string, bits: 48 | 64): string | undefined {
  if (!address.includes(':') || !isIPv6(address) || mappedIPv4(address) !== undefined) return undefined;
  const [head = '', tail] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  const groups = [...before, ...zeros, ...after].slice(0, bits / 16);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/${bits}`;
}
