import type { CollectionCopy } from '../../core/copy/collection-copy.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { RoleName } from '../../core/names/role.ts';
import { Refusal } from '../publish/refusal.ts';
import type { ChangeRecord, CurrentFiles, MetadataFile, MetadataStore } from '../store/metadata-store.ts';
import type { MirroredCopy } from './mirror-files.ts';

interface StoredCopy extends CurrentFiles {
  readonly mirrored: MirroredCopy;
  /** Oldest first. */
  readonly roots: readonly MetadataFile[];
}

/** The content of a mirror: copies in memory, which can only be replaced all at once. */
export class MirrorStore implements MetadataStore {
  private copies: ReadonlyMap<Gun, StoredCopy> = new Map();
  private revisions = 0;

  /** Replaces the copies that are served. */
  replace(copies: ReadonlyMap<Gun, MirroredCopy>): void {
    const revision = ++this.revisions;
    this.copies = new Map([...copies].map(([gun, mirrored]) => [gun, storedCopy(mirrored, revision)]));
  }

  /** All copies that are served. */
  all(): ReadonlyMap<Gun, MirroredCopy> {
    return new Map([...this.copies].map(([gun, { mirrored }]) => [gun, mirrored]));
  }

  find(gun: Gun): MirroredCopy | undefined {
    return this.copies.get(gun)?.mirrored;
  }

  async revision(gun: Gun): Promise<number> {
    return this.copies.get(gun)?.revision ?? 0;
  }

  async current(gun: Gun): Promise<CurrentFiles> {
    return this.copies.get(gun) ?? { revision: 0, files: new Map() };
  }

  async byVersion(gun: Gun, role: RoleName, version: number): Promise<MetadataFile | undefined> {
    return this.filesOf(gun, role).find((file) => file.version === version);
  }

  async byChecksum(gun: Gun, role: RoleName, sha256: string): Promise<MetadataFile | undefined> {
    return this.filesOf(gun, role).find((file) => file.sha256 === sha256.toLowerCase());
  }

  async publish(): Promise<never> {
    throw new Refusal('mirror-read-only');
  }

  async import(): Promise<never> {
    throw new Refusal('mirror-read-only');
  }

  async delete(): Promise<never> {
    throw new Refusal('mirror-read-only');
  }

  /** A copy has no history from before it was made. */
  async changes(): Promise<readonly ChangeRecord[]> {
    return [];
  }

  async check(): Promise<void> {
    // Data in memory can always be read.
  }

  private filesOf(gun: Gun, role: RoleName): readonly MetadataFile[] {
    const copy = this.copies.get(gun);
    if (role === 'root') return copy?.roots ?? [];
    return [copy?.files.get(role) ?? []].flat();
  }
}

function storedCopy(mirrored: MirroredCopy, revision: number): StoredCopy {
  const { copy, set, unusable } = mirrored;
  const payloads = new Map<RoleName, { readonly version: number }>([
    ['timestamp', set.timestamp.payload],
    ['snapshot', set.snapshot.payload],
    ...[...set.targets, ...unusable].map(([role, { payload }]) => [role, payload] as const),
  ]);
  const roots = copy.roots.map(({ version, bytes }) => storedFile(copy, 'root', version, bytes));
  const others = [...copy.files].map(([role, bytes]) =>
    storedFile(copy, role, payloads.get(role)?.version ?? 0, bytes),
  );
  const current = [...roots.slice(-1), ...others];
  return { mirrored, revision, roots, files: new Map(current.map((file) => [file.role, file])) };
}

function storedFile({ readAt }: CollectionCopy, role: RoleName, version: number, bytes: Buffer): MetadataFile {
  return { role, version, bytes, sha256: digestHex(digestOf(bytes)), createdAt: readAt };
}
