import type { StoredFile } from '../../core/accept/stored-file.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';

/** A published file as it is stored. */
export interface MetadataFile extends StoredFile {
  /** SHA-256 of `bytes`, in lower-case hexadecimal digits. */
  readonly sha256: string;
  /** When it was published. */
  readonly createdAt: Instant;
}

/**
 * The files of a GUN that belong together (protocol B.5): the newest timestamp, the snapshot it names, and what that
 * snapshot lists. A file that is not part of it is not current, however high its version.
 */
export interface CurrentFiles {
  /** Changes with every publish and every deletion of the GUN, and never comes back; 0 before the first. */
  readonly revision: number;
  /** Empty if nothing is published. */
  readonly files: ReadonlyMap<RoleName, MetadataFile>;
}

export interface MetadataUpdate {
  readonly gun: Gun;
  /** The new files, the new timestamp among them. */
  readonly files: readonly StoredFile[];
  /** The revision of the current files that the new ones were checked against. */
  readonly expected: number;
  readonly at: Instant;
}

/**
 * What became of a publication. `outdated`: the GUN has changed since the expected revision, so the files must be
 * checked again. `version-exists`: a stored file has the same role and the same or a higher version.
 */
export type PublicationResult = 'stored' | 'outdated' | 'version-exists';

/** A collection that comes from another server with its history: several versions of a role may be among its files. */
export type Importation = Omit<MetadataUpdate, 'expected'>;

/** What became of an import. `taken`: some file of the GUN is stored already. */
export type ImportResult = 'stored' | 'taken';

/** One record of the changefeed (protocol B.10). A deletion has version 0 and an empty checksum. */
export interface ChangeRecord {
  readonly id: number;
  readonly at: Instant;
  /** As it is stored: a name that Signet would not take may have come from another server. */
  readonly gun: string;
  readonly category: 'update' | 'deletion';
  /** Version and SHA-256 of the timestamp that was stored. */
  readonly version: number;
  readonly sha256: string;
}

export interface ChangeQuery {
  /** Only the changes of this GUN. */
  readonly gun?: Gun;
  /** `after`: the oldest changes with a higher ID. `before`: the newest changes with a lower ID, or of all where it is 0. */
  readonly direction: 'after' | 'before';
  readonly id: number;
  readonly limit: number;
}

/** Where the trust server keeps what is published. Every method sees whole publications only. */
export interface MetadataStore {
  /** The revision alone: what `current` would return is unchanged while it is. */
  revision(gun: Gun): Promise<number>;
  /** All current files, from one moment. */
  current(gun: Gun): Promise<CurrentFiles>;
  byVersion(gun: Gun, role: RoleName, version: number): Promise<MetadataFile | undefined>;
  byChecksum(gun: Gun, role: RoleName, sha256: string): Promise<MetadataFile | undefined>;
  /**
   * Stores all files and the changefeed record, or nothing (protocol B.12.4). Every root is kept for ever; of the other
   * roles the newest versions are, as many as the store is set to keep, with all that the kept snapshots list.
   * Throws `publication-incomplete` for files without a timestamp.
   */
  publish(publication: MetadataUpdate): Promise<PublicationResult>;
  /**
   * Stores all files of a GUN that has none, and one changefeed record for the highest of its timestamps, or nothing
   * (protocol I.2.3). Nothing is pruned by it. Throws as `publish`.
   */
  import(importation: Importation): Promise<ImportResult>;
  /** Removes every file of the GUN, and nothing of any other; false if there was none (protocol B.9). */
  delete(gun: Gun, at: Instant): Promise<boolean>;
  /** Oldest first. */
  changes(query: ChangeQuery): Promise<readonly ChangeRecord[]>;
  /** Throws where the store cannot answer. */
  check(): Promise<void>;
}

/** How many versions of a role are kept if nothing else is said. */
export const KEPT_VERSIONS = 20;
