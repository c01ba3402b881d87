import type { Gun } from '../core/names/gun.ts';
import type { RoleName } from '../core/names/role.ts';

/**
 * The trust data that a client has verified, one file per role. Its roots are the client's record of what it trusts, so
 * nothing is written before it is verified.
 */
export interface MetadataCache {
  /** The bytes as written; undefined if there are none. */
  read(gun: Gun, role: RoleName): Promise<Buffer | undefined>;
  /** The path or name of the file for messages, whether or not it exists. */
  pathOf(gun: Gun, role: RoleName): string;
  /** Replaces the file atomically. */
  write(gun: Gun, role: RoleName, bytes: Uint8Array): Promise<void>;
  /** Removes one role's file, or all files of the collection. Missing files are no error. */
  remove(gun: Gun, role?: RoleName): Promise<void>;
  /** The collections with a root, sorted by name. */
  guns(): Promise<readonly Gun[]>;
  /**
   * The same, and those whose names are no GUNs: other clients can have cached them, and nothing here can read them. Foreign
   * text, to be parsed and made printable.
   */
  names(): Promise<readonly string[]>;
}
