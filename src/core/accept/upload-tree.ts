import { SignetError } from '../errors/index.ts';
import { type Envelope, parseEnvelope } from '../metadata/envelope.ts';
import type { Root } from '../metadata/root.ts';
import { readTargets, type Targets } from '../metadata/targets.ts';
import { parentOf, type RoleName, type TargetsRole } from '../names/role.ts';
import type { Instant } from '../time.ts';
import { type Signers, targetsSigners } from '../verify/signers.ts';
import { checkExpiry, verifyThreshold } from '../verify/verify.ts';
import { readCurrent } from './stored-file.ts';
import { checkVersionStep } from './version-step.ts';

/** The targets files of the collection as it will be: the uploaded ones, and stored ones loaded on demand. */
export class Tree {
  private readonly root: Root;
  private readonly current: ReadonlyMap<RoleName, Buffer>;
  private readonly accepted = new Map<TargetsRole, Targets>();

  constructor(root: Root, current: ReadonlyMap<RoleName, Buffer>) {
    this.root = root;
    this.current = current;
  }

  /** Accepts an uploaded file. Its delegators must be accepted or stored already. */
  accept(role: TargetsRole, envelope: Envelope, now: Instant): void {
    const payload = readTargets(role, envelope.signed);
    verifyThreshold(envelope, this.signersOf(role));
    const known = readCurrent(role, this.current, (signed) => readTargets(role, signed))?.version;
    checkVersionStep(role, payload.version, known);
    checkExpiry(role, payload, now);
    this.accepted.set(role, payload);
  }

  /** The collection needs a `targets` file that the root's keys signed: a new root alone could leave it without one. */
  checkTop(): void {
    this.load('targets');
  }

  /**
   * Whether delegations lead from `targets` to a role, whether or not the files of its delegators are validly signed.
   */
  isDelegated(role: TargetsRole): boolean {
    if (role === 'targets') return true;
    const parent = parentOf(role);
    const delegator =
      this.accepted.get(parent) ?? readCurrent(parent, this.current, (signed) => readTargets(parent, signed));
    return delegator?.delegations.some(({ name }) => name === role) === true && this.isDelegated(parent);
  }

  versionOf(role: RoleName): number {
    return this.load(role as TargetsRole).version;
  }

  private load(role: TargetsRole): Targets {
    const accepted = this.accepted.get(role);
    if (accepted !== undefined) return accepted;
    const bytes = this.current.get(role);
    if (bytes === undefined) throw new SignetError('upload-incomplete', `${role} must be loaded first`);
    const envelope = parseEnvelope(role, bytes);
    verifyThreshold(envelope, this.signersOf(role));
    const payload = readTargets(role, envelope.signed);
    this.accepted.set(role, payload);
    return payload;
  }

  private signersOf(role: TargetsRole): Signers {
    return targetsSigners(role, this.root, (delegator) => this.load(delegator));
  }
}
