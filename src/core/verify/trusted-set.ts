import { isSignetError, SignetError } from '../errors/index.ts';
import type { KeyMap, Metadata } from '../metadata/common.ts';
import { type Envelope, parseEnvelope } from '../metadata/envelope.ts';
import { checkFile, type FileInfo } from '../metadata/file-info.ts';
import { readSnapshot, type Snapshot } from '../metadata/snapshot.ts';
import { type Delegation, readTargets, type Targets } from '../metadata/targets.ts';
import { readTimestamp, type Timestamp } from '../metadata/timestamp.ts';
import {
  type DelegationName,
  isDelegation,
  isTargetsRole,
  parentOf,
  type RoleName,
  type TargetsRole,
} from '../names/role.ts';
import type { Instant } from '../time.ts';
import type { TrustedRoot } from './root-trust.ts';
import { baseSigners, type Signers, targetsSigners } from './signers.ts';
import { checkExpiry, checkVersion, verifyThreshold } from './verify.ts';

/** A verified file. */
export interface Trusted<Payload> {
  readonly payload: Payload;
  readonly envelope: Envelope;
}

/**
 * A delegation as its delegator defines it: its keys, and its paths narrowed to those of the delegator (protocol A.8).
 */
export interface DelegatedRole extends Delegation {
  readonly keys: KeyMap;
}

/** A delegation whose file must not be used. */
export interface PassedOver {
  readonly why: SignetError;
  /** Whether it may decide on a target, in which case no later role may answer for it. */
  mayDecide(name: string): boolean;
}

/**
 * The client's trusted set: a state machine that turns files into trusted metadata, in this order only: root,
 * timestamp, snapshot, targets, then delegations, each after its delegator.
 *
 * It checks the following of every file, and throws at the first failure, leaving the set unchanged:
 * 1. the text is strict JSON of the expected type (`json-*`, `metadata-*`);
 * 2. it is the file that its predecessor lists: length and every known digest (`length-mismatch`, `checksum-mismatch`);
 * 3. the threshold of the role's keys signed it, as the *current* root or delegator defines them (`threshold-not-met`);
 * 4. its version is not below that of the file known before, if that one still verifies (`version-rollback`);
 * 5. it has not expired at `now` (`metadata-expired`).
 *
 * A delegation without a file must not have had one before (`role-withheld`; TUF 5.5.6).
 */
export class TrustedSet {
  readonly root: TrustedRoot;
  private readonly now: Instant;
  private trustedTimestamp: Trusted<Timestamp> | undefined;
  private trustedSnapshot: Trusted<Snapshot> | undefined;
  private formerSnapshot: Snapshot | undefined;
  private readonly notTrusted = new Map<TargetsRole, PassedOver>();
  private readonly trustedTargets = new Map<TargetsRole, Trusted<Targets>>();
  private readonly delegated = new Map<TargetsRole, ReadonlyMap<DelegationName, DelegatedRole>>();

  /** `now` is the time that expiry is checked against. The caller has checked the root (`checkRootCurrent`). */
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

  /** The delegations whose files must not be used. For targets that they decide on, no later role may answer. */
  get passedOver(): ReadonlyMap<TargetsRole, PassedOver> {
    return this.notTrusted;
  }

  /** Trusts a timestamp. `known` is the one trusted before; its version counts only while it still verifies. */
  updateTimestamp(bytes: Uint8Array, known?: Uint8Array): void {
    const { trusted: timestamp } = this.verified('timestamp', bytes, readTimestamp, known);
    checkExpiry('timestamp', timestamp.payload, this.now);
    this.trustedTimestamp = timestamp;
  }

  /**
   * Trusts the snapshot that the timestamp lists. `known` is the one trusted before: while it still verifies, expired
   * or not, neither its version nor its list may be rolled back (`checkUnlisted`). Throws `root-outdated` if the new
   * one belongs to another root.
   */
  updateSnapshot(bytes: Uint8Array, known?: Uint8Array): void {
    checkFile('snapshot', bytes, this.timestamp.payload.snapshot);
    const { trusted: snapshot, former } = this.verified('snapshot', bytes, readSnapshot, known);
    this.checkRootIn(snapshot.payload);
    checkExpiry('snapshot', snapshot.payload, this.now);
    this.trustedSnapshot = snapshot;
    this.formerSnapshot = former;
  }

  /** What the snapshot lists for a role's file; undefined if the role was never published. */
  promised(role: TargetsRole): FileInfo | undefined {
    return this.snapshot.payload.meta.get(role);
  }

  /** Trusts the file of `targets`, or of a delegation whose delegator is trusted already. */
  updateTargets(role: TargetsRole, bytes: Uint8Array, known?: Uint8Array): void {
    const promised = this.promised(role);
    if (promised === undefined)
      throw new SignetError('role-unknown', `role does not exist: ${role}`, { detail: { role } });
    checkFile(role, bytes, promised);
    const { trusted: targets } = this.verified(role, bytes, (signed) => readTargets(role, signed), known);
    checkExpiry(role, targets.payload, this.now);
    if (this.trustedTargets.has(role)) this.delegated.clear();
    this.trustedTargets.set(role, targets);
  }

  /**
   * Checks that a delegation missing from the snapshot was never published: a file that was listed once stays listed as
   * long as its delegator delegates to it (TUF 5.5.6). If the previous snapshot does not count, because its key was
   * replaced or the file was lost, a cached file of the role (`isKept`) proves the same. Expiry does not matter for
   * either. Throws `role-withheld`.
   */
  checkUnlisted(role: DelegationName, isKept: boolean): void {
    const wasListed = this.formerSnapshot === undefined ? isKept : this.formerSnapshot.meta.has(role);
    if (wasListed) throw roleWithheld(role);
  }

  /**
   * Records that a delegation's file must not be used: `updateTargets` threw `why`. It decides on the tags that it had
   * when it last verified (`known`), and on those that its current file names, whether or not that is genuine. If
   * `known` is missing or damaged, it decides on every tag that its paths match.
   *
   * Whether it still delegates to the roles below it is unknown too, so their files must stay listed: throws
   * `role-withheld`.
   */
  passOver(role: DelegationName, why: SignetError, bytes: Uint8Array, known?: Uint8Array): void {
    const below = [...(this.formerSnapshot?.meta.keys() ?? [])].filter(isDelegation);
    const hidden = below.find((name) => name.startsWith(`${role}/`) && this.promised(name) === undefined);
    if (hidden !== undefined) throw roleWithheld(hidden);
    const said = [bytes, known ?? Buffer.of()].map((file) =>
      unlessUnfit(() => readTargets(role, parseEnvelope(role, file).signed)),
    );
    const speaksFor = (name: string) => said.some((payload) => payload === undefined || speaks(payload, name));
    this.notTrusted.set(role, {
      why,
      mayDecide: (name) => startsWithAny(name, this.pathsOf(role)) && speaksFor(name),
    });
  }

  /** Who may sign a role, according to the trusted root or the role's trusted delegator. Throws `role-unknown`. */
  signersOf(role: RoleName): Signers {
    return isTargetsRole(role)
      ? targetsSigners(role, this.root.root, (name) => this.trustedTargets.get(name)?.payload)
      : baseSigners(this.root.root, role);
  }

  /** The delegations of a trusted role in its own order, their paths narrowed to those the role may sign itself. */
  delegationsOf(role: TargetsRole): readonly DelegatedRole[] {
    return [...this.delegatedBy(role).values()];
  }

  /** The prefixes of target names that a role may sign. */
  pathsOf(role: TargetsRole): readonly string[] {
    return role === 'targets' ? [''] : (this.delegation(role)?.paths ?? []);
  }

  private delegation(role: DelegationName): DelegatedRole | undefined {
    return this.delegatedBy(parentOf(role)).get(role);
  }

  /** Cached, because a look-up needs it once for every role of the tree. */
  private delegatedBy(role: TargetsRole): ReadonlyMap<DelegationName, DelegatedRole> {
    const present = this.delegated.get(role);
    const payload = this.trustedTargets.get(role)?.payload;
    if (present !== undefined || payload === undefined) return present ?? new Map();
    const own = this.pathsOf(role);
    const roles = payload.delegations.map((delegation) => ({
      ...delegation,
      keys: payload.delegationKeys,
      paths: delegation.paths.filter((path) => startsWithAny(path, own)),
    }));
    const delegated = new Map(roles.map((each) => [each.name, each]));
    this.delegated.set(role, delegated);
    return delegated;
  }

  private verified<Payload extends Metadata>(
    role: RoleName,
    bytes: Uint8Array,
    read: (signed: Envelope['signed']) => Payload,
    known: Uint8Array | undefined,
  ): { readonly trusted: Trusted<Payload>; readonly former: Payload | undefined } {
    const signers = this.signersOf(role);
    const open = (file: Uint8Array): Trusted<Payload> => {
      const envelope = parseEnvelope(role, file);
      const payload = read(envelope.signed);
      verifyThreshold(envelope, signers);
      return { payload, envelope };
    };
    const trusted = open(bytes);
    if (known === undefined) return { trusted, former: undefined };
    if (Buffer.from(known).equals(trusted.envelope.bytes)) return { trusted, former: trusted.payload };
    // A file that no longer verifies does not count: after a compromised key was replaced, the huge version that it may
    // have signed must not lock the repository (fast-forward recovery, TUF 5.3.11).
    const former = unlessUnfit(() => open(known).payload);
    if (former !== undefined) checkVersion(role, trusted.payload.version, former.version);
    return { trusted, former };
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

/** Undefined if opening the file fails because of its content. */
function unlessUnfit<Payload>(open: () => Payload): Payload | undefined {
  try {
    return open();
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

/** A read-only view of a trusted set. */
export type TrustedView = Omit<TrustedSet, 'updateTimestamp' | 'updateSnapshot' | 'updateTargets' | 'passOver'>;

/** Whether a file, or one of its delegations, may name a target. */
function speaks({ targets, delegations }: Targets, name: string): boolean {
  return targets.has(name) || delegations.some(({ paths }) => startsWithAny(name, paths));
}

function startsWithAny(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}

function outOfOrder(role: RoleName): never {
  throw new SignetError('role-order', `${role} must be loaded first`);
}

/** The error for a snapshot without a file that was published and whose delegation still exists. */
export function roleWithheld(role: DelegationName): SignetError {
  return new SignetError(
    'role-withheld',
    `the snapshot no longer lists ${role}, which was published before and whose delegation was not removed`,
    { detail: { role } },
  );
}
