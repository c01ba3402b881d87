/** Connection settings of one origin. */
export interface Connection {
  /** PEM certificates to trust in addition to the system's roots. */
  readonly authorities: readonly Buffer[];
  /** The client certificate, if the server asks for one. */
  readonly identities: readonly ClientIdentity[];
  /** False accepts every server certificate; only ever for loopback. */
  readonly verify: boolean;
  /** Connect to this IP address, whatever the host's name resolves to later. */
  readonly address: string | undefined;
  /** Where the user can put the certificate of an authority for it, for messages. */
  readonly authorityFile?: string;
}

/** A client certificate and its private key, both PEM. */
export interface ClientIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/** Returns the connection settings for the origin of a URL. Called once per origin. */
export type ConnectionFor = (origin: URL) => Promise<Connection>;

/** The system's roots, no client certificate. */
export const PLAIN_CONNECTION: Connection = { authorities: [], identities: [], verify: true, address: undefined };
