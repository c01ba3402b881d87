import type { Gun } from '../core/names/gun.ts';
import type { RoleName } from '../core/names/role.ts';

/**
 * The trust data that a client has verified before, one file per role. What it holds of a root is the client's memory
 * of whom it trusts, so nothing is written before it is verified.
 */
export interface MetadataCache {
  /** The bytes as they were written; undefined if there are none. */
  read(gun: Gun, role: RoleName): Promise<Buffer | undefined>;
  /** How a person finds the file, whether or not there is one. */
  pathOf(gun: Gun, role: RoleName): string;
  /** Replaces the file whole or not at all. */
  write(gun: Gun, role: RoleName, bytes: Uint8Array): Promise<void>;
  /** Removes one role's file, or all of the collection's; what is not there is not missed. */
  remove(gun: Gun, role?: RoleName): Promise<void>;
  /** The collections with a root, in the order of their names. */
  guns(): Promise<readonly Gun[]>;
}
