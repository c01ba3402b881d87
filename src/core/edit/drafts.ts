import { SignetError } from '../errors/index.ts';
import { expiryAt } from '../metadata/common.ts';
import type { Envelope } from '../metadata/envelope.ts';
import type { Snapshot } from '../metadata/snapshot.ts';
import type { Delegation, Target, Targets } from '../metadata/targets.ts';
import { type DelegationName, parentOf, type TargetsRole } from '../names/role.ts';
import { unknownDelegation } from '../verify/signers.ts';
import type { UnusableFile } from '../verify/tolerated.ts';
import type { TrustedSet } from '../verify/trusted-set.ts';

/** More than anyone publishes of one role, and far from the last version that there can be. */
const MAX_CLAIMED_VERSION = 1_000_000;

/** A targets file under edit. */
export interface Draft {
  readonly payload: Targets;
  /** The file as it stands on the server; undefined for a role that was never published. */
  readonly envelope: Envelope | undefined;
  readonly dirty: boolean;
}

/** The targets files of a collection under edit: as they were published until they are changed. */
export class Drafts {
  private readonly drafts = new Map<TargetsRole, Draft>();
  private readonly unusable: Map<TargetsRole, UnusableFile>;
  /** The removed delegations, with the versions that files of new delegations of the same names must exceed. */
  private readonly removed = new Map<TargetsRole, number>();
  /** The targets of roles under edit, which nothing else holds: a further change is made in place. */
  private readonly ownTargets = new Map<TargetsRole, Map<string, Target>>();

  constructor(published: TrustedSet['targets'], unusable: ReadonlyMap<TargetsRole, UnusableFile>) {
    for (const [role, { payload, envelope }] of published) this.drafts.set(role, { payload, envelope, dirty: false });
    this.unusable = new Map(unusable);
  }

  get isDirty(): boolean {
    return this.dirty().length > 0;
  }

  all(): readonly (readonly [TargetsRole, Draft])[] {
    return [...this.drafts];
  }

  /** The files that changed, delegators before their delegations. */
  dirty(): readonly (readonly [TargetsRole, Draft])[] {
    return this.all().filter(([, { dirty }]) => dirty);
  }

  payloadOf(role: TargetsRole): Targets | undefined {
    return this.drafts.get(role)?.payload;
  }

  /** The file as it was published; undefined for a role that never was, or that no one may trust. */
  envelopeOf(role: TargetsRole): Envelope | undefined {
    return this.drafts.get(role)?.envelope;
  }

  delegationsOf(role: TargetsRole): readonly Delegation[] {
    return this.payloadOf(role)?.delegations ?? [];
  }

  /** A delegation as its delegator makes it now. Throws `role-unknown`. */
  delegation(role: DelegationName): Delegation {
    const delegation = this.delegationsOf(parentOf(role)).find(({ name }) => name === role);
    if (delegation === undefined) throw unknownDelegation(role);
    return delegation;
  }

  /** The prefixes of target names that a role may sign, narrowed by every role above it. Throws `role-unknown`. */
  pathsOf(role: TargetsRole): readonly string[] {
    if (role === 'targets') return [''];
    const allowed = this.pathsOf(parentOf(role));
    return this.delegation(role).paths.filter((path) => allowed.some((prefix) => path.startsWith(prefix)));
  }

  /** The draft of a role, an empty one if it was never published. Throws `role-unknown` if no one delegates to it. */
  open(role: TargetsRole): Draft {
    const present = this.drafts.get(role);
    if (present !== undefined) return present;
    if (role !== 'targets') this.delegation(role);
    return this.put(role, this.firstDraft(role));
  }

  change(role: TargetsRole, payload: Targets): void {
    this.put(role, { ...this.open(role), payload, dirty: true });
  }

  /** Adds or replaces a target, or removes it if none is given. What is published stays as it is. */
  setTarget(role: TargetsRole, name: string, target: Target | undefined): void {
    const { payload } = this.open(role);
    const own = this.ownTargets.get(role);
    const targets = own !== undefined && own === payload.targets ? own : new Map(payload.targets);
    this.ownTargets.set(role, targets);
    if (target === undefined) targets.delete(name);
    else targets.set(name, target);
    this.change(role, { ...payload, targets });
  }

  /** Marks a role to be signed again with all that its file says, whether or not anyone vouches for it any more. */
  renew(role: TargetsRole): void {
    const unsigned = this.drafts.has(role) ? undefined : this.unusable.get(role);
    if (unsigned?.why === 'unsigned') checkClaimed(role, unsigned.payload.version);
    this.put(role, { ...(unsigned ?? this.open(role)), dirty: true });
  }

  /** Drops the files of a role and of all below it. */
  remove(role: DelegationName): void {
    this.removed.set(role, 0);
    for (const [name, { payload }] of [...this.unusable, ...this.drafts]) {
      if (name !== role && !name.startsWith(`${role}/`)) continue;
      this.unusable.delete(name);
      this.drafts.delete(name);
      this.removed.set(name, payload.version);
    }
  }

  /**
   * New files of roles that were published once, by the snapshot, before their delegation was removed: what version
   * they reached only the old file tells, and a server takes no version twice.
   */
  forgotten(published: Snapshot | undefined): readonly TargetsRole[] {
    const isForgotten = ([role, { payload, envelope }]: readonly [TargetsRole, Draft]) =>
      envelope === undefined && payload.version === 0 && published?.meta.has(role) === true;
    return this.dirty()
      .filter(isForgotten)
      .map(([role]) => role);
  }

  /** Makes a new file follow a version that was published before. */
  continueAfter(role: TargetsRole, version: number): void {
    checkClaimed(role, version);
    const draft = this.open(role);
    this.put(role, { ...draft, payload: { ...draft.payload, version } });
  }

  private put(role: TargetsRole, { payload, envelope, dirty }: Draft): Draft {
    const draft = { payload, envelope, dirty };
    this.drafts.set(role, draft);
    return draft;
  }

  /** A file that is there but unusable still decides the next version; only what was rightly signed is kept of it. */
  private firstDraft(role: TargetsRole): Draft {
    const present = this.unusable.get(role);
    if (present === undefined)
      return { payload: emptyTargets(this.removed.get(role)), envelope: undefined, dirty: false };
    const { payload, envelope, why } = present;
    if (why === 'unsigned') checkClaimed(role, payload.version);
    return { payload: why === 'expired' ? payload : emptyTargets(payload.version), envelope, dirty: false };
  }
}

/**
 * Refuses to go on after a version that only an unsigned file claims, which is whatever the server likes, if that uses
 * up the versions that there are. Throws `version-jump`.
 */
function checkClaimed(role: TargetsRole, version: number): void {
  if (version <= MAX_CLAIMED_VERSION) return;
  throw new SignetError('version-jump', `a file of ${role} that no one signed claims to be version ${version}`, {
    detail: { role, found: version },
    next: 'Nothing is signed after it: few versions would be left. Ask the operator of the trust server where it comes from.',
  });
}

/** A targets file that says nothing, after `version`. */
export function emptyTargets(version = 0): Targets {
  return { version, expires: expiryAt(0), targets: new Map(), delegationKeys: new Map(), delegations: [] };
}
