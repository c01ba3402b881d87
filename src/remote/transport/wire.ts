import type { Connection } from './connection.ts';

/** One request as it goes onto the wire. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** Whether it may be sent on a connection on which others wait for their answers. */
  readonly mayFollow: boolean;
}

/** The start of a response; the body arrives as it is read, in no way decoded. */
export interface WireResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** Certificates to trust: `undefined` is the runtime's own choice. */
export type Roots = readonly (Buffer | string)[] | undefined;

/** Where the request really goes: the pinned address instead of the host's name, if there is one. */
export function addressOf(url: URL, connection: Connection): URL {
  const target = new URL(url);
  if (connection.address !== undefined) {
    target.hostname = connection.address.includes(':') ? `[${connection.address}]` : connection.address;
  }
  return target;
}

/** Without the brackets that an IPv6 address has in a URL. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** The certificates of a connection, as Bun takes them. */
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
