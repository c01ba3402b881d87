import { isSignetError, SignetError } from '../errors/index.ts';
import type { KeyMap, Metadata } from '../metadata/common.ts';
import { type Envelope, parseEnvelope } from '../metadata/envelope.ts';
import { checkFile, type FileInfo } from '../metadata/file-info.ts';
import { readSnapshot, type Snapshot } from '../metadata/snapshot.ts';
import { type Delegation, readTargets, type Targets } from '../metadata/targets.ts';
import { readTimestamp, type Timestamp } from '../metadata/timestamp.ts';
import { type DelegationName, isTargetsRole, parentOf, type RoleName, type TargetsRole } from '../names/role.ts';
import type { Instant } from '../time.ts';
import type { TrustedRoot } from './root-trust.ts';
import { baseSigners, type Signers, targetsSigners } from './signers.ts';
import { checkExpiry, checkVersion, verifyThreshold } from './verify.ts';

/** A verified file. */
export interface Trusted<Payload> {
  readonly payload: Payload;
  readonly envelope: Envelope;
}

/** A delegation as its delegator gives it: its keys, and its paths narrowed to those of the delegator (protocol A.8). */
export interface DelegatedRole extends Delegation {
  readonly keys: KeyMap;
}

/**
 * The client's trusted set: a state machine that turns files into trusted metadata, in this order only:
 * root, timestamp, snapshot, targets, then delegations, each after its delegator.
 *
 * Of every file it checks, and throws at the first that fails:
 * 1. the text is strict JSON of the expected type (`json-*`, `metadata-*`);
 * 2. it is the file that its predecessor promised: length and every known digest (`length-mismatch`, `checksum-mismatch`);
 * 3. the threshold of the role's keys signed it, as the *current* root or delegator names them (`threshold-not-met`);
 * 4. its version is not below that of the file known before, if that one still verifies (`version-rollback`);
 * 5. it has not expired at `now` (`metadata-expired`).
 * A file that fails leaves the set as it was.
 */
export class TrustedSet {
  readonly root: TrustedRoot;
  private readonly now: Instant;
  private trustedTimestamp: Trusted<Timestamp> | undefined;
  private trustedSnapshot: Trusted<Snapshot> | undefined;
  private readonly trustedTargets = new Map<TargetsRole, Trusted<Targets>>();
  private readonly delegated = new Map<TargetsRole, ReadonlyMap<DelegationName, DelegatedRole>>();

  /** `now` is the moment against which expiry is judged; the caller has judged the root (`checkRootCurrent`). */
  constructor(root: TrustedRoot, now: Instant) {
    this.root = root;
    this.now = now;
  }

  get timestamp(): Trusted<Timestamp> {
    return this.trustedTimestamp ?? outOfOrder('timestamp');
  }

  get snapshot(): Trusted<Snapshot> {
    return this.trustedSnapshot ?? outOfOrder('snapshot');
  }

  /** The trusted files of `targets` and its delegations. */
  get targets(): ReadonlyMap<TargetsRole, Trusted<Targets>> {
    return this.trustedTargets;
  }

  /** Trusts a timestamp. `known` is the file trusted before; only while it still verifies does its version bind. */
  updateTimestamp(bytes: Uint8Array, known?: Uint8Array): void {
    const timestamp = this.verified('timestamp', bytes, readTimestamp, this.signersOf('timestamp'), known);
    checkExpiry('timestamp', timestamp.payload, this.now);
    this.trustedTimestamp = timestamp;
  }

  /** Trusts the snapshot that the timestamp promises. Throws `root-outdated` where it belongs to another root. */
  updateSnapshot(bytes: Uint8Array, known?: Uint8Array): void {
    checkFile('snapshot', bytes, this.timestamp.payload.snapshot);
    const snapshot = this.verified('snapshot', bytes, readSnapshot, this.signersOf('snapshot'), known);
    this.checkRootIn(snapshot.payload);
    checkExpiry('snapshot', snapshot.payload, this.now);
    this.trustedSnapshot = snapshot;
  }

  /** What the snapshot promises of a role's file; undefined where the role was never published. */
  promised(role: TargetsRole): FileInfo | undefined {
    return this.snapshot.payload.meta.get(role);
  }

  /** Trusts the file of `targets` or of a delegation whose delegator is trusted already. */
  updateTargets(role: TargetsRole, bytes: Uint8Array, known?: Uint8Array): void {
    const promised = this.promised(role);
    if (promised === undefined)
      throw new SignetError('role-unknown', `role does not exist: ${role}`, { detail: { role } });
    checkFile(role, bytes, promised);
    const targets = this.verified(role, bytes, (signed) => readTargets(role, signed), this.signersOf(role), known);
    checkExpiry(role, targets.payload, this.now);
    if (this.trustedTargets.has(role)) this.delegated.clear();
    this.trustedTargets.set(role, targets);
  }

  /** Who may sign a role, by the trusted root or the role's trusted delegator. Throws `role-unknown`. */
  signersOf(role: RoleName): Signers {
    return isTargetsRole(role)
      ? targetsSigners(role, this.root.root, (name) => this.trustedTargets.get(name)?.payload)
      : baseSigners(this.root.root, role);
  }

  /** The delegations that a trusted role makes, their paths narrowed to what it may itself sign; in its own order. */
  delegationsOf(role: TargetsRole): readonly DelegatedRole[] {
    return [...this.delegatedBy(role).values()];
  }

  /** The prefixes of target names for which a role may speak. */
  pathsOf(role: TargetsRole): readonly string[] {
    return role === 'targets' ? [''] : (this.delegation(role)?.paths ?? []);
  }

  private delegation(role: DelegationName): DelegatedRole | undefined {
    return this.delegatedBy(parentOf(role)).get(role);
  }

  /** Worked out once: a look-up asks for it once for every role of the tree. */
  private delegatedBy(role: TargetsRole): ReadonlyMap<DelegationName, DelegatedRole> {
    const present = this.delegated.get(role);
    const payload = this.trustedTargets.get(role)?.payload;
    if (present !== undefined || payload === undefined) return present ?? new Map();
    const own = this.pathsOf(role);
    const roles = payload.delegations.map((delegation) => ({
      ...delegation,
      keys: payload.delegationKeys,
      paths: delegation.paths.filter((path) => own.some((prefix) => path.startsWith(prefix))),
    }));
    const delegated = new Map(roles.map((each) => [each.name, each]));
    this.delegated.set(role, delegated);
    return delegated;
  }

  private verified<Payload extends Metadata>(
    role: RoleName,
    bytes: Uint8Array,
    read: (signed: Envelope['signed']) => Payload,
    signers: Signers,
    known: Uint8Array | undefined,
  ): Trusted<Payload> {
    const open = (file: Uint8Array): Trusted<Payload> => {
      const envelope = parseEnvelope(role, file);
      const payload = read(envelope.signed);
      verifyThreshold(envelope, signers);
      return { payload, envelope };
    };
    const trusted = open(bytes);
    if (known !== undefined && !Buffer.from(known).equals(trusted.envelope.bytes)) {
      checkVersion(
        role,
        trusted.payload.version,
        versionOf(() => open(known)),
      );
    }
    return trusted;
  }

  private checkRootIn(snapshot: Snapshot): void {
    const promised = snapshot.meta.get('root');
    try {
      if (promised !== undefined) checkFile('root', this.root.envelope.bytes, promised);
    } catch (cause) {
      throw new SignetError('root-outdated', 'the snapshot belongs to another version of the root', { cause });
    }
  }
}

/**
 * The version of a file kept from before. One that no longer verifies binds nothing: after a compromised key was
 * replaced, the huge version it may have signed must not lock the repository (fast-forward recovery, TUF 5.3.11).
 */
function versionOf(open: () => Trusted<Metadata>): number {
  try {
    return open().payload.version;
  } catch (error) {
    if (isSignetError(error)) return 0;
    throw error;
  }
}

/** A trusted set that can only be read. */
export type TrustedView = Omit<TrustedSet, 'updateTimestamp' | 'updateSnapshot' | 'updateTargets'>;

function outOfOrder(role: RoleName): never {
  throw new SignetError('role-order', `${role} must be loaded first`);
}
