/** Whether a host name or address, without port, is loopback by its form alone: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.toLowerCase();
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** The host of `host[:port]`. IPv6 addresses keep their brackets. */
export function hostnameOf(hostAndPort: string): string {
  return hostAndPort.replace(/:\d*$/, '');
}

/**
 * The loopback address of a host name; undefined if it resolves to anything else, or not at all (protocol D.2). Names
 * that are loopback by their form are returned without a look-up.
 */
export async function loopbackAddress(hostname: string): Promise<string | undefined> {
  if (isLoopback(hostname)) return hostname;
  if (/^[\d.]+$|:/.test(hostname)) return undefined;
  const { lookup } = await import('node:dns/promises');
  const addresses = await lookup(hostname, { all: true }).catch(() => []);
  const [first] = addresses;
  return first !== undefined && addresses.every(({ address }) => isLoopback(address)) ? first.address : undefined;
}
