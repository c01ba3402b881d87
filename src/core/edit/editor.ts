import { SignetError } from '../errors/index.ts';
import { canonicalize } from '../json/canonical.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { expiryAt, type KeyMap } from '../metadata/common.ts';
import type { Root } from '../metadata/root.ts';
import type { Snapshot } from '../metadata/snapshot.ts';
import { checkTargetName, type Delegation, type Target, type Targets, targetJson } from '../metadata/targets.ts';
import type { KeyId } from '../names/key-id.ts';
import {
  BASE_ROLES,
  type BaseRole,
  type DelegationName,
  parentOf,
  type RoleName,
  type TargetsRole,
} from '../names/role.ts';
import type { Instant } from '../time.ts';
import { canonicalIdIn, type Signers, targetsSigners } from '../verify/signers.ts';
import type { UnusableFile } from '../verify/tolerated.ts';
import type { Trusted, TrustedView } from '../verify/trusted-set.ts';
import { validSigners } from '../verify/verify.ts';
import { checkCustom } from './custom-data.ts';
import { type Draft, Drafts, emptyTargets } from './drafts.ts';
import { type Edition, signEdition, signSnapshot } from './edition.ts';
import { keysMissing, type SigningKeys } from './signing.ts';

/** The public keys of a new repository. */
interface FirstKeys {
  /** Root keys, each wrapped in a certificate for the GUN (`issueRootCertificate`). */
  readonly root: readonly PublicKey[];
  readonly targets: PublicKey;
  /** The client's own key, or the one that the server gave. */
  readonly snapshot: PublicKey;
  readonly timestamp: PublicKey;
}

/** A collection that was made here and is on no server yet, as Notary's `init` leaves it (protocol C.12). */
interface UnpublishedCollection {
  readonly root: { readonly root: Root; readonly bytes: Buffer };
  readonly targets: Trusted<Targets>;
  readonly snapshot: Snapshot | undefined;
}

/**
 * The signer's side: takes a collection as it stands, records changes (protocol C.10), and signs what they touch
 * (C.11). Nothing of it reaches anyone before the files that `sign` returns are published.
 */
export class Editor {
  private root: Root;
  private readonly formerRoot: Root | undefined;
  private readonly formerSnapshot: Snapshot | undefined;
  /** A root that is signed already and has to be published as it is. */
  private readonly firstRoot: Buffer | undefined;
  private readonly drafts: Drafts;
  private rootChanged: boolean;
  private snapshotChanged = false;

  private constructor(state: {
    readonly root: Root;
    readonly formerRoot?: Root;
    readonly formerSnapshot?: Snapshot | undefined;
    readonly firstRoot?: Buffer;
    readonly drafts: Drafts;
    readonly rootChanged: boolean;
  }) {
    this.root = state.root;
    this.formerRoot = state.formerRoot;
    this.formerSnapshot = state.formerSnapshot;
    this.firstRoot = state.firstRoot;
    this.drafts = state.drafts;
    this.rootChanged = state.rootChanged;
  }

  /** Edits a published collection. `unusable` are those of its delegations' files that are not trusted as they stand. */
  static of(
    { root, snapshot, targets }: Pick<TrustedView, 'root' | 'snapshot' | 'targets'>,
    unusable: ReadonlyMap<TargetsRole, UnusableFile> = new Map(),
  ): Editor {
    return new Editor({
      root: root.root,
      formerRoot: root.root,
      formerSnapshot: snapshot.payload,
      drafts: new Drafts(targets, unusable),
      rootChanged: false,
    });
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
    const root = { version: 0, expires: expiryAt(0), keys, roles: roleKeys };
    const drafts = new Drafts(new Map(), new Map());
    drafts.change('targets', emptyTargets());
    return new Editor({ root, drafts, rootChanged: true });
  }

  /** Goes on with a collection that is on no server yet; its `targets` is signed again in any case (protocol C.11). */
  static unpublished({ root, targets, snapshot }: UnpublishedCollection): Editor {
    const drafts = new Drafts(new Map([['targets', targets]]), new Map());
    drafts.renew('targets');
    return new Editor({ root: root.root, firstRoot: root.bytes, formerSnapshot: snapshot, drafts, rootChanged: false });
  }

  /** Whether there is anything to sign. */
  get isDirty(): boolean {
    return this.rootChanged || this.snapshotChanged || this.drafts.isDirty;
  }

  // Targets

  /** Adds or replaces a target. Throws `role-invalid` for an unknown role, `change-invalid` if its paths do not admit the name. */
  addTarget(role: TargetsRole, name: string, target: Target): void {
    checkTargetName(role, name);
    if (target.custom !== undefined) checkCustom(target.custom);
    if (!this.drafts.pathsOf(role).some((prefix) => name.startsWith(prefix))) {
      throw new SignetError('change-invalid', 'could not add all targets', { detail: { role, name } });
    }
    const present = this.draft(role).payload.targets.get(name);
    if (present !== undefined && sameTarget(present, target)) return;
    this.drafts.setTarget(role, name, target);
  }

  /** Removes a target; one that is not there changes nothing. */
  removeTarget(role: TargetsRole, name: string): void {
    if (this.draft(role).payload.targets.has(name)) this.drafts.setTarget(role, name, undefined);
  }

  // Delegations

  /** Creates a delegation, or adds keys and paths to it; the threshold of an existing one stays. */
  addDelegation(role: DelegationName, keys: readonly PublicKey[], paths: readonly string[], threshold = 1): void {
    const parent = parentOf(role);
    const payload = this.draft(parent).payload;
    const allowed = this.drafts.pathsOf(parent);
    if (!paths.every((path) => allowed.some((prefix) => path.startsWith(prefix)))) {
      throw new SignetError('role-invalid', `tuf: invalid role ${role}. invalid paths to add to role`, {
        detail: { role },
      });
    }
    const present = payload.delegations.find(({ name }) => name === role);
    if (present === undefined) checkThreshold(role, threshold, keys.length);
    const delegation: Delegation = {
      name: role,
      keyIds: union(
        present?.keyIds ?? [],
        keys.map(({ id }) => id),
      ),
      threshold: present?.threshold ?? threshold,
      paths: union(present?.paths ?? [], paths),
    };
    if (present !== undefined && isSameDelegation(present, delegation)) return;
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
      keyIds: delegation.keyIds.filter((id) => !canonicalIds.includes(canonicalIdIn(keys, id))),
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
    this.drafts.remove(role);
    this.changeDelegations(parent, payload, payload.delegationKeys, remaining);
  }

  /** How many keys must sign a delegation's file from now on. Throws `threshold-invalid`. */
  setDelegationThreshold(role: DelegationName, threshold: number): void {
    this.updateDelegation(role, (delegation) => {
      checkThreshold(role, threshold, delegation.keyIds.length);
      return { ...delegation, threshold };
    });
    // Who signed it before may be too few for what is asked now.
    if (this.brokenDelegations().includes(role)) this.witness(role);
  }

  /** Takes keys, by canonical ID, from every delegation at or below `below` whose delegator can still be signed. */
  purgeDelegationKeys(canonicalIds: readonly KeyId[], below: TargetsRole = 'targets'): void {
    for (const [role, { payload }] of this.drafts.all()) {
      if (role !== below && !role.startsWith(`${below}/`)) continue;
      const { keyIds, threshold } = this.signersOf(role);
      // A role that just lost its last key cannot sign, but what it delegates to is lost with it.
      if (keyIds.length < threshold) continue;
      for (const { name } of payload.delegations) this.removeDelegationKeys(name, canonicalIds);
    }
  }

  // Roles

  /**
   * Signs a role's file again without changing what it says, to renew its expiry or its signatures. The caller vouches
   * for the content, which for a file that lost its signatures no one else does any more.
   */
  witness(role: TargetsRole): void {
    this.drafts.renew(role);
  }

  /** Signs the root again without changing what it says, to renew its expiry. */
  witnessRoot(): void {
    this.rootChanged = true;
  }

  /** Lets a snapshot be created again though nothing that it lists has changed. */
  witnessSnapshot(): void {
    this.snapshotChanged = true;
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
    this.rootChanged = true;
    if (role === 'targets') this.witness('targets');
  }

  /** The delegations of a role as they stand with the changes made so far. */
  delegationsOf(role: TargetsRole): readonly Delegation[] {
    return this.drafts.delegationsOf(role);
  }

  /** The targets of a role with the changes made so far; none of a role that has no file yet. */
  targetsOf(role: TargetsRole): ReadonlyMap<string, Target> {
    return this.drafts.payloadOf(role)?.targets ?? new Map();
  }

  /** Who may sign a role with the changes made so far. Throws `role-unknown`. */
  signersOf(role: TargetsRole): Signers {
    return targetsSigners(role, this.root, (name) => this.drafts.payloadOf(name));
  }

  /** The prefixes of target names that a role may speak for with the changes made so far. Throws `role-unknown`. */
  pathsOf(role: TargetsRole): readonly string[] {
    return this.drafts.pathsOf(role);
  }

  /**
   * Published delegation files that no longer meet their threshold with the keys they have now, because a key that
   * signed them was taken away. Signing them in the same publish keeps their targets alive.
   */
  brokenDelegations(): readonly DelegationName[] {
    const broken: DelegationName[] = [];
    for (const [, { payload }] of this.drafts.all()) {
      for (const { name, threshold } of payload.delegations) {
        const envelope = this.drafts.envelopeOf(name);
        if (envelope === undefined) continue;
        if (validSigners(envelope, this.signersOf(name)).size < threshold) broken.push(name);
      }
    }
    return broken;
  }

  /** New files whose roles were published before under delegations that are gone; `continueAfter` tells their versions. */
  forgottenRoles(): readonly TargetsRole[] {
    return this.drafts.forgotten(this.formerSnapshot);
  }

  /** Makes a role's new file follow a version that was published before. */
  continueAfter(role: TargetsRole, version: number): void {
    this.drafts.continueAfter(role, version);
  }

  /**
   * Signs every file that changed with the keys that are here, whether they are enough or not; `signSnapshot`
   * completes what they are enough for. Throws like `signEdition`.
   */
  async edition(ring: SigningKeys, now: Instant): Promise<Edition> {
    const edition = await signEdition(
      {
        root: this.root,
        rootChanged: this.rootChanged,
        formerRoot: this.formerRoot,
        targets: this.drafts.dirty(),
        payloadOf: (role) => this.drafts.payloadOf(role),
      },
      ring,
      now,
    );
    if (this.firstRoot === undefined || this.rootChanged) return edition;
    return { ...edition, files: new Map([['root', this.firstRoot], ...edition.files]) };
  }

  /**
   * Signs every file that changed, and a snapshot if its key is here; the server makes the snapshot otherwise.
   * Returns the files to publish together, by role. Throws `signing-key-missing` if the keys here are too few.
   */
  async sign(ring: SigningKeys, now: Instant): Promise<ReadonlyMap<RoleName, Buffer>> {
    const { files, incomplete } = await this.edition(ring, now);
    for (const [role, { signers, signatures }] of incomplete) throw keysMissing(role, signers, signatures);
    return this.withSnapshot(files, ring, now);
  }

  /** The files with a snapshot over them, if its key is here. Throws `signing-key-missing` if some of its keys are. */
  async withSnapshot(
    files: ReadonlyMap<RoleName, Buffer>,
    ring: SigningKeys,
    now: Instant,
  ): Promise<ReadonlyMap<RoleName, Buffer>> {
    const snapshot = await signSnapshot(this.root, this.formerSnapshot, files, ring, now);
    return snapshot === undefined ? files : new Map([...files, ['snapshot', snapshot]]);
  }

  /** The draft of a role, an empty one if it was never published. */
  private draft(role: TargetsRole): Draft {
    return this.drafts.open(role);
  }

  private updateDelegation(role: DelegationName, update: (delegation: Delegation, keys: KeyMap) => Delegation): void {
    const parent = parentOf(role);
    const { payload } = this.draft(parent);
    const present = this.drafts.delegation(role);
    const updated = update(present, payload.delegationKeys);
    if (isSameDelegation(present, updated)) return;
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
    this.drafts.change(parent, {
      ...payload,
      delegations,
      delegationKeys: new Map([...keys].filter(([id]) => inUse.has(id))),
    });
  }
}

function checkThreshold(role: RoleName, threshold: number, keys: number): void {
  if (Number.isInteger(threshold) && threshold >= 1 && threshold <= keys) return;
  throw new SignetError(
    'threshold-invalid',
    `tuf: invalid role ${role}. it has ${keys} keys for a threshold of ${threshold}`,
    {
      detail: { role },
      next: 'Name more keys in the same command, or a lower threshold: --threshold NUMBER',
    },
  );
}

function isSameDelegation(one: Delegation, other: Delegation): boolean {
  return (
    one.threshold === other.threshold &&
    one.keyIds.length === other.keyIds.length &&
    one.paths.length === other.paths.length
  );
}

function sameTarget(a: Target, b: Target): boolean {
  return canonicalize(targetJson(a)).equals(canonicalize(targetJson(b)));
}

function union<T>(present: readonly T[], added: readonly T[]): readonly T[] {
  return [...new Set([...present, ...added])];
}

function replace(delegations: readonly Delegation[], changed: Delegation): readonly Delegation[] {
  return delegations.map((delegation) => (delegation.name === changed.name ? changed : delegation));
}
