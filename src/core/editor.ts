import { SignetError } from './errors/index.ts';
import { canonicalize } from './json/canonical.ts';
import type { JsonValue } from './json/parse.ts';
import { canonicalKeyId, type PublicKey } from './keys/public-key.ts';
import { lifetimeOf } from './lifetimes.ts';
import { expiryAt, type KeyMap } from './metadata/common.ts';
import { type Envelope, writeEnvelope } from './metadata/envelope.ts';
import { type FileInfo, fileInfoOf } from './metadata/file-info.ts';
import { baseRoleKeys, type Root, readRoot, rootJson } from './metadata/root.ts';
import { type Snapshot, snapshotJson } from './metadata/snapshot.ts';
import {
  checkTargetName,
  type Delegation,
  readTargets,
  type Target,
  type Targets,
  targetJson,
  targetsJson,
} from './metadata/targets.ts';
import type { KeyId } from './names/key-id.ts';
import {
  BASE_ROLES,
  type BaseRole,
  type DelegationName,
  parentOf,
  type RoleName,
  type TargetsRole,
} from './names/role.ts';
import type { Signature } from './signature.ts';
import { type Signers, type SigningKeys, signWith } from './signing.ts';
import type { Instant } from './time.ts';
import type { TrustedSet } from './trusted-set.ts';
import { validSigners } from './verify.ts';

/** A published delegation file that cannot be trusted as it stands. */
export interface UnusableFile {
  readonly payload: Targets;
  readonly envelope: Envelope;
  /** `expired`: rightly signed, so its content may be signed anew. `unsigned`: its content is anybody's. */
  readonly why: 'expired' | 'unsigned';
}

interface Draft {
  payload: Targets;
  /** The file as it stands on the server; undefined for a role that was never published. */
  readonly envelope: Envelope | undefined;
  dirty: boolean;
}

/** The public keys of a new repository. */
export interface FirstKeys {
  /** Root keys, each wrapped in a certificate for the GUN (`issueRootCertificate`). */
  readonly root: readonly PublicKey[];
  readonly targets: PublicKey;
  /** The client's own key, or the one that the server gave. */
  readonly snapshot: PublicKey;
  readonly timestamp: PublicKey;
}

/**
 * The signer's side: takes a collection as it stands, records changes (protocol C.10), and signs what they touch
 * (C.11). Nothing of it reaches anyone before the files that `sign` returns are published.
 */
export class Editor {
  private root: Root;
  private readonly publishedRoot: { readonly root: Root; readonly envelope: Envelope } | undefined;
  private readonly publishedSnapshot: Snapshot | undefined;
  private readonly drafts = new Map<TargetsRole, Draft>();
  private readonly unusable: Map<TargetsRole, UnusableFile>;
  /** The removed delegations, with the versions that files of new delegations of the same names must exceed. */
  private readonly removed = new Map<string, number>();
  private rootDirty = false;

  private constructor(
    root: Root,
    published?: TrustedSet,
    unusable: ReadonlyMap<TargetsRole, UnusableFile> = new Map(),
  ) {
    this.root = root;
    this.publishedRoot = published?.root;
    this.publishedSnapshot = published?.snapshot.payload;
    this.unusable = new Map(unusable);
  }

  /** Edits a published collection. `unusable` are those of its delegations' files that are not trusted as they stand. */
  static of(set: TrustedSet, unusable?: ReadonlyMap<TargetsRole, UnusableFile>): Editor {
    const editor = new Editor(set.root.root, set, unusable);
    for (const [role, { payload, envelope }] of set.targets)
      editor.drafts.set(role, { payload, envelope, dirty: false });
    return editor;
  }

  /** Starts a collection that no server has yet (protocol C.12): threshold 1 everywhere, an empty `targets`. */
  static create(first: FirstKeys): Editor {
    const roles: Record<BaseRole, readonly PublicKey[]> = {
      root: first.root,
      targets: [first.targets],
      snapshot: [first.snapshot],
      timestamp: [first.timestamp],
    };
    const keys = new Map(BASE_ROLES.flatMap((role) => roles[role].map((key) => [key.id, key] as const)));
    const roleKeys = new Map(
      BASE_ROLES.map((role) => [role, { keyIds: roles[role].map(({ id }) => id), threshold: 1 }]),
    );
    const editor = new Editor({ version: 0, expires: expiryAt(0), keys, roles: roleKeys });
    editor.rootDirty = true;
    editor.drafts.set('targets', { payload: emptyTargets(), envelope: undefined, dirty: true });
    return editor;
  }

  /** Whether there is anything to sign. */
  get isDirty(): boolean {
    return this.rootDirty || [...this.drafts.values()].some(({ dirty }) => dirty);
  }

  // Targets

  /** Adds or replaces a target. Throws `role-invalid` for an unknown role, `change-invalid` where its paths do not admit the name. */
  addTarget(role: TargetsRole, name: string, target: Target): void {
    checkTargetName(role, name);
    if (!this.pathsOf(role).some((prefix) => name.startsWith(prefix))) {
      throw new SignetError('change-invalid', 'could not add all targets', { detail: { role, name } });
    }
    const draft = this.draft(role);
    const present = draft.payload.targets.get(name);
    if (present !== undefined && sameTarget(present, target)) return;
    this.change(role, { ...draft.payload, targets: new Map([...draft.payload.targets, [name, target]]) });
  }

  /** Removes a target; one that is not there changes nothing. */
  removeTarget(role: TargetsRole, name: string): void {
    const { payload } = this.draft(role);
    if (!payload.targets.has(name)) return;
    this.change(role, { ...payload, targets: new Map([...payload.targets].filter(([present]) => present !== name)) });
  }

  // Delegations

  /** Creates a delegation, or adds keys and paths to it; the threshold of an existing one stays. */
  addDelegation(role: DelegationName, keys: readonly PublicKey[], paths: readonly string[], threshold = 1): void {
    const parent = parentOf(role);
    const payload = this.draft(parent).payload;
    const allowed = this.pathsOf(parent);
    if (!paths.every((path) => allowed.some((prefix) => path.startsWith(prefix)))) {
      throw new SignetError('role-invalid', `tuf: invalid role ${role}. invalid paths to add to role`, {
        detail: { role },
      });
    }
    const present = payload.delegations.find(({ name }) => name === role);
    if (present === undefined && (threshold < 1 || threshold > keys.length)) {
      throw new SignetError(
        'threshold-invalid',
        `tuf: invalid role ${role}. it has ${keys.length} keys for a threshold of ${threshold}`,
        { detail: { role } },
      );
    }
    const delegation: Delegation = {
      name: role,
      keyIds: union(
        present?.keyIds ?? [],
        keys.map(({ id }) => id),
      ),
      threshold: present?.threshold ?? threshold,
      paths: union(present?.paths ?? [], paths),
    };
    const others = payload.delegations.filter(({ name }) => name !== role);
    const delegationKeys = new Map([...payload.delegationKeys, ...keys.map((key) => [key.id, key] as const)]);
    this.changeDelegations(
      parent,
      payload,
      delegationKeys,
      present === undefined ? [...others, delegation] : replace(payload.delegations, delegation),
    );
  }

  /** Takes keys, by canonical ID, from a delegation. It stays, unusable, when its last key goes (protocol C.10). */
  removeDelegationKeys(role: DelegationName, canonicalIds: readonly KeyId[]): void {
    this.updateDelegation(role, (delegation, keys) => ({
      ...delegation,
      keyIds: delegation.keyIds.filter((id) => !canonicalIds.includes(canonicalOf(keys, id))),
    }));
  }

  removeDelegationPaths(role: DelegationName, paths: readonly string[]): void {
    this.updateDelegation(role, (delegation) => ({
      ...delegation,
      paths: delegation.paths.filter((path) => !paths.includes(path)),
    }));
  }

  clearDelegationPaths(role: DelegationName): void {
    this.updateDelegation(role, (delegation) => ({ ...delegation, paths: [] }));
  }

  /** Removes a delegation with everything below it; one that is not there changes nothing. */
  removeDelegation(role: DelegationName): void {
    const parent = parentOf(role);
    const { payload } = this.draft(parent);
    const remaining = payload.delegations.filter(({ name }) => name !== role);
    if (remaining.length === payload.delegations.length) return;
    this.removed.set(role, 0);
    for (const [name, { payload: file }] of [...this.unusable, ...this.drafts]) {
      if (name !== role && !name.startsWith(`${role}/`)) continue;
      this.unusable.delete(name);
      this.drafts.delete(name);
      this.removed.set(name, file.version);
    }
    this.changeDelegations(parent, payload, payload.delegationKeys, remaining);
  }

  /** Takes keys, by canonical ID, from every delegation of the collection whose delegator can still be signed. */
  purgeDelegationKeys(canonicalIds: readonly KeyId[]): void {
    for (const [role, draft] of [...this.drafts]) {
      const { keyIds, threshold } = this.signersOf(role);
      // A role that just lost its last key cannot sign, but what it delegates to is lost with it.
      if (keyIds.length < threshold) continue;
      for (const { name } of draft.payload.delegations) this.removeDelegationKeys(name, canonicalIds);
    }
  }

  // Roles

  /**
   * Signs a role's file anew without changing what it says, to renew its expiry or its signatures. The caller vouches
   * for the content, which for a file that lost its signatures nobody else does any more.
   */
  witness(role: TargetsRole): void {
    const unsigned = this.drafts.has(role) ? undefined : this.unusable.get(role);
    if (unsigned === undefined) this.draft(role).dirty = true;
    else this.drafts.set(role, { payload: unsigned.payload, envelope: unsigned.envelope, dirty: true });
  }

  /** Gives a base role other keys (protocol C.13). Certificates of former root keys stay listed (A.7). */
  replaceKeys(role: BaseRole, keys: readonly PublicKey[], threshold = 1): void {
    const roles = new Map([...this.root.roles, [role, { keyIds: keys.map(({ id }) => id), threshold }] as const]);
    const inUse = new Set([...roles.values()].flatMap(({ keyIds }) => keyIds));
    const all = new Map([...this.root.keys, ...keys.map((key) => [key.id, key] as const)]);
    this.root = {
      ...this.root,
      roles,
      keys: new Map([...all].filter(([id, { type }]) => inUse.has(id) || type.endsWith('-x509'))),
    };
    this.rootDirty = true;
    if (role === 'targets') this.witness('targets');
  }

  /** The delegations of a role as they stand with the changes made so far. */
  delegationsOf(role: TargetsRole): readonly Delegation[] {
    return this.drafts.get(role)?.payload.delegations ?? [];
  }

  /**
   * Published delegation files that no longer meet their threshold with the keys they have now, because a key that
   * signed them was taken away. Signing them in the same publish keeps their targets alive.
   */
  brokenDelegations(): readonly DelegationName[] {
    const broken: DelegationName[] = [];
    for (const { payload } of this.drafts.values()) {
      for (const delegation of payload.delegations) {
        const envelope = this.drafts.get(delegation.name)?.envelope;
        const valid =
          envelope === undefined ? undefined : validSigners(envelope, payload.delegationKeys, delegation.keyIds);
        if (valid !== undefined && valid.size < delegation.threshold) broken.push(delegation.name);
      }
    }
    return broken;
  }

  /**
   * Signs every file that changed, and a snapshot where its key is here; the server makes the snapshot otherwise.
   * Returns the files to publish together, by role. Throws `signing-key-missing`, what `ring` throws, or what a reader
   * of the files would: nothing is signed that no client could load.
   */
  async sign(ring: SigningKeys, now: Instant): Promise<ReadonlyMap<RoleName, Buffer>> {
    const files = new Map<RoleName, Buffer>();
    if (this.rootDirty) files.set('root', await this.signRoot(ring, now));
    for (const [role, draft] of this.drafts) {
      if (draft.dirty) files.set(role, await this.signTargets(role, draft.payload, ring, now));
    }
    const snapshot = await this.signSnapshot(files, ring, now);
    if (snapshot !== undefined) files.set('snapshot', snapshot);
    return files;
  }

  private async signRoot(ring: SigningKeys, now: Instant): Promise<Buffer> {
    const payload = rootJson({
      ...this.root,
      version: this.root.version + 1,
      expires: expiryAt(now + lifetimeOf('root')),
    });
    readRoot(payload);
    const message = canonicalize(payload);
    const signatures = await signWith('root', message, this.rootSigners(this.root), ring);
    const former = this.publishedRoot === undefined ? undefined : this.rootSigners(this.publishedRoot.root);
    // A rotated root is signed by the keys it replaces as well, new signatures first (protocol A.13.2).
    const added = former === undefined ? [] : await signWith('root', message, former, ring);
    return writeEnvelope(payload, distinctSignatures([...signatures, ...added]));
  }

  private async signTargets(role: TargetsRole, draft: Targets, ring: SigningKeys, now: Instant): Promise<Buffer> {
    const payload = targetsJson({ ...draft, version: draft.version + 1, expires: expiryAt(now + lifetimeOf(role)) });
    readTargets(role, payload);
    return seal(role, payload, this.signersOf(role), ring);
  }

  private async signSnapshot(
    files: ReadonlyMap<RoleName, Buffer>,
    ring: SigningKeys,
    now: Instant,
  ): Promise<Buffer | undefined> {
    const signers: Signers = { ...baseRoleKeys(this.root, 'snapshot'), keys: this.root.keys };
    if (!(await hasAny(signers, ring, 'snapshot'))) return undefined;
    const meta = new Map<string, FileInfo>();
    for (const [role, info] of this.publishedSnapshot?.meta ?? []) if (!this.removed.has(role)) meta.set(role, info);
    for (const [role, bytes] of files) meta.set(role, fileInfoOf(bytes));
    const version = (this.publishedSnapshot?.version ?? 0) + 1;
    return seal(
      'snapshot',
      snapshotJson({ version, expires: expiryAt(now + lifetimeOf('snapshot')), meta }),
      signers,
      ring,
    );
  }

  private rootSigners(root: Root): Signers {
    return { ...baseRoleKeys(root, 'root'), keys: root.keys };
  }

  private signersOf(role: TargetsRole): Signers {
    if (role === 'targets') return { ...baseRoleKeys(this.root, 'targets'), keys: this.root.keys };
    const parent = parentOf(role);
    return { ...this.delegation(role), keys: this.drafts.get(parent)?.payload.delegationKeys ?? new Map() };
  }

  private pathsOf(role: TargetsRole): readonly string[] {
    if (role === 'targets') return [''];
    const allowed = this.pathsOf(parentOf(role));
    return this.delegation(role).paths.filter((path) => allowed.some((prefix) => path.startsWith(prefix)));
  }

  private delegation(role: DelegationName): Delegation {
    const delegation = this.delegationsOf(parentOf(role)).find(({ name }) => name === role);
    if (delegation === undefined) {
      throw new SignetError('role-invalid', `tuf: invalid role ${role}. delegation does not exist`, {
        detail: { role },
      });
    }
    return delegation;
  }

  /** The draft of an existing role, an empty one where it was never published. */
  private draft(role: TargetsRole): Draft {
    const present = this.drafts.get(role);
    if (present !== undefined) return present;
    if (role !== 'targets') this.delegation(role);
    const draft = this.firstDraft(role);
    this.drafts.set(role, draft);
    return draft;
  }

  /** A file that is there but unusable still decides the next version; only what was rightly signed is kept of it. */
  private firstDraft(role: TargetsRole): Draft {
    const present = this.unusable.get(role);
    if (present === undefined)
      return { payload: emptyTargets(this.removed.get(role)), envelope: undefined, dirty: false };
    const { payload, envelope, why } = present;
    return { payload: why === 'expired' ? payload : emptyTargets(payload.version), envelope, dirty: false };
  }

  private change(role: TargetsRole, payload: Targets): void {
    const draft = this.draft(role);
    draft.payload = payload;
    draft.dirty = true;
  }

  private updateDelegation(role: DelegationName, update: (delegation: Delegation, keys: KeyMap) => Delegation): void {
    const parent = parentOf(role);
    const { payload } = this.draft(parent);
    const present = this.delegation(role);
    const updated = update(present, payload.delegationKeys);
    if (updated.keyIds.length === present.keyIds.length && updated.paths.length === present.paths.length) return;
    this.changeDelegations(parent, payload, payload.delegationKeys, replace(payload.delegations, updated));
  }

  /** Stores the delegations of `parent`, without keys that none of them uses any more. */
  private changeDelegations(
    parent: TargetsRole,
    payload: Targets,
    keys: KeyMap,
    delegations: readonly Delegation[],
  ): void {
    const inUse = new Set(delegations.flatMap(({ keyIds }) => keyIds));
    this.change(parent, {
      ...payload,
      delegations,
      delegationKeys: new Map([...keys].filter(([id]) => inUse.has(id))),
    });
  }
}

/** Whether a key of the role is here. One after the other: two may both ask for their passphrase. */
async function hasAny({ keyIds, keys }: Signers, ring: SigningKeys, role: RoleName): Promise<boolean> {
  for (const id of keyIds) if ((await ring.find(canonicalOf(keys, id), role)) !== undefined) return true;
  return false;
}

async function seal(role: RoleName, payload: JsonValue, signers: Signers, ring: SigningKeys): Promise<Buffer> {
  return writeEnvelope(payload, await signWith(role, canonicalize(payload), signers, ring));
}

function emptyTargets(version = 0): Targets {
  return { version, expires: expiryAt(0), targets: new Map(), delegationKeys: new Map(), delegations: [] };
}

function sameTarget(a: Target, b: Target): boolean {
  return canonicalize(targetJson(a)).equals(canonicalize(targetJson(b)));
}

function canonicalOf(keys: KeyMap, id: KeyId): KeyId {
  const key = keys.get(id);
  return key === undefined ? id : canonicalKeyId(key);
}

function union<T>(present: readonly T[], added: readonly T[]): readonly T[] {
  return [...new Set([...present, ...added])];
}

function replace(delegations: readonly Delegation[], changed: Delegation): readonly Delegation[] {
  return delegations.map((delegation) => (delegation.name === changed.name ? changed : delegation));
}

function distinctSignatures(signatures: readonly Signature[]): readonly Signature[] {
  return [...new Map(signatures.map((signature) => [signature.keyId, signature] as const)).values()];
}
