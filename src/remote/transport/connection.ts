/** How connections to one origin are made. */
export interface Connection {
  /** PEM certificates trusted beside the system's roots. */
  readonly authorities: readonly Buffer[];
  /** What the client shows where the server asks for a certificate. */
  readonly identities: readonly ClientIdentity[];
  /** False accepts every server certificate; only ever for loopback. */
  readonly verify: boolean;
  /** Connect to this IP address, whatever the host's name resolves to by then. */
  readonly address: string | undefined;
  /** Where the user can put the certificate of an authority for it, for messages. */
  readonly authorityFile?: string;
}

/** A client certificate and its private key, both PEM. */
export interface ClientIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Says how to connect to the origin of a URL. Asked once per origin. */
export type ConnectionFor = (origin: URL) => Promise<Connection>;

/** The system's roots, no client certificate. */
export const PLAIN_CONNECTION: Connection = { authorities: [], identities: [], verify: true, address: undefined };
