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

/** The answer to the request for the timestamp. */
export interface Latest {
  readonly timestamp: Buffer;
  /** What came along, as untrusted as the timestamp; undefined from a server that gives files one by one. */
  readonly chain: Chain | undefined;
}

/** What a trust server does for a client. Errors are those of `translateStatus`, for every implementation. */
export interface TrustServer {
  /** The bytes of one file, at most `limit`. Throws `trust-data-missing` if the server has none. */
  read(gun: Gun, file: RemoteFile, limit: number): Promise<Buffer>;
  /** The current timestamp, and with it all else that is not `known`, where the server can do that (protocol I.1). */
  latest(gun: Gun, known: KnownFiles): Promise<Latest>;
  /** The key with which the server signs the role; it makes one if it has none. */
  publicKey(gun: Gun, role: ServerRole): Promise<PublicKey>;
  /** Makes the server take a new key for the role, and returns it. */
  rotateKey(gun: Gun, role: ServerRole): Promise<PublicKey>;
  /** Publishes the files together or not at all. Throws `publish-rejected` and `publish-conflict`. */
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
