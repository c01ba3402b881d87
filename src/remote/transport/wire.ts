import type { Connection } from './connection.ts';

/** One request as it is sent. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Whether it may be pipelined behind others on a connection. */
  readonly mayFollow: boolean;
}

/** The head of a response, and its body as it arrives, not decoded in any way. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Certificates to trust; `undefined` leaves the choice to the runtime. */
export type Roots = readonly (Buffer | string)[] | undefined;

/** The host to connect to: the pinned address if there is one, instead of the host's name. */
export function addressOf(url: URL, connection: Connection): URL {
  const target = new URL(url);
  if (connection.address !== undefined) {
    target.hostname = connection.address.includes(':') ? `[${connection.address}]` : connection.address;
  }
  return target;
}

/** Without the brackets of an IPv6 address in a URL. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The certificates of a connection, in Bun's form. */
export function tlsFiles(
  { identities }: Connection,
  roots: Roots,
): { ca?: (Buffer | string)[]; cert?: Buffer[]; key?: Buffer[] } {
  return {
    ...(roots === undefined ? {} : { ca: [...roots] }),
    ...(identities.length === 0
      ? {}
      : { cert: identities.map(({ certificate }) => certificate), key: identities.map(({ key }) => key) }),
  };
}
