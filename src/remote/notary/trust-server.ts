import type { Chain, KnownFiles } from '../../core/chain.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { BaseRole, RoleName } from '../../core/names/role.ts';

/** The roles whose keys a server can hold. */
export type ServerRole = Extract<BaseRole, 'snapshot' | 'timestamp'>;

/** One stored file of a collection: the current one, the one with that SHA-256 (hexadecimal), or that version. */
export type RemoteFile =
  | { readonly role: RoleName }
  | { readonly role: RoleName; readonly sha256: string }
  | { readonly role: RoleName; readonly version: number };

/** The response to a request for the timestamp. */
export interface Latest {
  readonly timestamp: Buffer;
  /** Files sent along with it, as untrusted as the timestamp; undefined from a server that sends files one by one. */
  readonly chain: Chain | undefined;
}

/** The operations of a trust server. Every implementation throws the errors of `translateStatus`. */
export interface TrustServer {
  /** Reads one file of at most `limit` bytes. Throws `trust-data-missing` if the server does not have it. */
  read(gun: Gun, file: RemoteFile, limit: number): Promise<Buffer>;
  /**
   * Reads the current timestamp, and all files that are not `known` if the server can send them along (protocol I.1).
   */
  latest(gun: Gun, known: KnownFiles): Promise<Latest>;
  /** The server's public key for the role, created if it has none. */
  publicKey(gun: Gun, role: ServerRole): Promise<PublicKey>;
  /** Makes the server create a new key for the role, and returns it. */
  rotateKey(gun: Gun, role: ServerRole): Promise<PublicKey>;
  /** Publishes all files or none. Throws `publish-rejected` and `publish-conflict`. */
  publish(gun: Gun, files: ReadonlyMap<RoleName, Buffer>): Promise<void>;
  /** Deletes the whole collection. */
  remove(gun: Gun): Promise<void>;
}

/** The file's name without `.json` (protocol A.14): `timestamp`, `2.root`, `targets/releases.<sha256>`. */
export function remoteName(file: RemoteFile): string {
  if ('sha256' in file) return `${file.role}.${file.sha256}`;
  if ('version' in file) return `${file.version}.${file.role}`;
  return file.role;
}
