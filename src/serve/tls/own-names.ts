import { isIP } from 'node:net';
import { formatHostName, type HostName, isWildcard, parseHostName } from '../settings/host-name.ts';

/** The port that clients leave out of an https address. */
const DEFAULT_PORT = 443;
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];

/**
 * The names under which clients reach this server: loopback, the machine's own name, the address it listens on and
 * the names of the settings. The certificate is issued for them, and only they may stand in a Host header: an answer
 * that repeats the header (the realm of a challenge) must not send credentials to a host of an attacker's choice.
 */
export class OwnNames {
  private readonly hosts: readonly string[];
  private readonly configured: readonly HostName[];

  constructor(configured: readonly HostName[], listen: HostName, machine: string) {
    const always = [...LOOPBACK, parseHostName(machine)?.host, isWildcard(listen.host) ? undefined : listen.host];
    this.hosts = [...new Set(always.filter((host) => host !== undefined))];
    this.configured = configured;
  }

  /** DNS names for the certificate, sorted. */
  get dnsNames(): readonly string[] {
    return this.certified.filter((host) => isIP(host) === 0);
  }

  /** IP addresses for the certificate, sorted. */
  get addresses(): readonly string[] {
    return this.certified.filter((host) => isIP(host) !== 0);
  }

  /** Hosts of the settings. */
  get configuredHosts(): readonly string[] {
    return this.configured.map(({ host }) => host);
  }

  /** The configured names as other machines type them, for texts. */
  advertised(port: number): readonly string[] {
    return this.configured.map((name) => formatHostName({ host: name.host, port: name.port ?? port }));
  }

  /** The names by which docker looks for certificates of this server: as an image's name begins. */
  imageHosts(port: number): readonly string[] {
    const local = ['localhost', '127.0.0.1'].map((host): HostName => ({ host, port }));
    const all = [...local, ...this.configured.map((name): HostName => ({ host: name.host, port: name.port ?? port }))];
    return [...new Set(all.flatMap((name) => written(name, port)))];
  }

  /**
   * Every `host[:port]` that is this server while it listens on `port`. A name without a port stands for that port and
   * for the default one, which clients leave out.
   */
  authorities(port: number): ReadonlySet<string> {
    const plain = this.hosts.map((host): HostName => ({ host, port: undefined }));
    return new Set([...plain, ...this.configured].flatMap((name) => written(name, port)));
  }

  private get certified(): readonly string[] {
    return [...new Set([...this.hosts, ...this.configuredHosts])].sort();
  }
}

function written({ host, port }: HostName, listening: number): readonly string[] {
  const ports = port === undefined ? [listening, DEFAULT_PORT] : [port];
  return ports.flatMap((number) => {
    const whole = formatHostName({ host, port: number });
    return number === DEFAULT_PORT ? [whole, formatHostName({ host, port: undefined })] : [whole];
  });
}
