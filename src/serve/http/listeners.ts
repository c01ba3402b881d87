import { networkInterfaces } from 'node:os';
import { isSignetError } from '../../core/errors/index.ts';
import type { Address } from '../settings/host-name.ts';
import type { ServerCertificate } from '../tls/server-certificate.ts';
import { type Answerer, Listener, type ListenOptions } from './listener.ts';

const LOOPBACK = ['127.0.0.1', '::1'] as const;
/** How often another free port is looked for if the one that the system chose is taken on the second address. */
const ATTEMPTS = 10;

/**
 * The addresses that a setting stands for, all with its port. Clients try `localhost` at [::1] first: a server that is
 * known by this name holds both addresses, or another process of this machine could get what is meant for it.
 */
export function addressesOf({ host, port }: Address, hasIPv6 = hasIPv6Loopback()): readonly Address[] {
  const [ipv4, ipv6] = LOOPBACK;
  const first = { host: host === 'localhost' ? ipv4 : host, port };
  const takesBoth = host === 'localhost' || host === '0.0.0.0';
  return takesBoth && hasIPv6 ? [first, { host: ipv6, port }] : [first];
}

/** The listeners of one server, on one port. */
export class Listeners {
  private readonly all: readonly Listener[];

  /** Throws `address-in-use` or `address-unavailable`, with nothing left open, if one of the addresses cannot be had. */
  constructor(options: ListenOptions) {
    this.all = openAll(options, options.address.port === 0 ? ATTEMPTS : 1);
  }

  get port(): number {
    return this.all[0]?.port ?? 0;
  }

  /** As `Listener.replaceCertificate`. One after the other: what they do to a port is for all sockets on it. */
  async replaceCertificate(certificate: ServerCertificate): Promise<void> {
    for (const listener of this.all) await listener.replaceCertificate(certificate);
  }

  /** As `Listener.answerWith`. */
  answerWith(answerer: Answerer): void {
    for (const listener of this.all) listener.answerWith(answerer);
  }

  /** As `Listener.pause`. */
  pause(): void {
    for (const listener of this.all) listener.pause();
  }

  /** As `Listener.resume`; to be called again if it throws. */
  resume(): void {
    for (const listener of this.all) listener.resume();
  }

  /** As `Listener.stop`. */
  async stop(grace: number, isWorking?: () => boolean): Promise<void> {
    await Promise.all(this.all.map((listener) => listener.stop(grace, isWorking)));
  }
}

function openAll(options: ListenOptions, attempts: number): readonly Listener[] {
  const [first, ...others] = addressesOf(options.address);
  const listener = new Listener({ ...options, address: first ?? options.address });
  try {
    const { port } = listener;
    return [listener, ...others.map(({ host }) => new Listener({ ...options, address: { host, port } }))];
  } catch (error) {
    void listener.stop(0);
    if (attempts === 1 || !isSignetError(error, 'address-in-use')) throw error;
    return openAll(options, attempts - 1);
  }
}

function hasIPv6Loopback(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === LOOPBACK[1]));
}
