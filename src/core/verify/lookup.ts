import { SignetError } from '../errors/index.ts';
import type { Target, Targets } from '../metadata/targets.ts';
import { RELEASES, type TargetsRole } from '../names/role.ts';
import { quoted } from '../printable.ts';
import type { Signature } from '../signature.ts';
import type { DelegatedRole, PassedOver, TrustedView } from './trusted-set.ts';

/** A target and the role that signed it. */
export interface FoundTarget {
  readonly name: string;
  readonly target: Target;
  readonly role: TargetsRole;
}

/** A target in one role's file, with all signatures of that file. */
interface SignedTarget extends FoundTarget {
  readonly signatures: readonly Signature[];
}

/** The order in which docker looks up an image's tag (protocol D.3). */
export const DOCKER_ROLES: readonly TargetsRole[] = [RELEASES, 'targets'];

/**
 * Looks up a target name in `roles`, in order, each with all roles below it except the other listed ones; the first
 * match wins (protocol C.14). The match may come from a delegation that was not listed: the caller checks `role`.
 *
 * Throws `role-unusable` if a role before the match may speak for the name but its file must not be used. What it would
 * say is unknown, and the later match may be one that it has replaced.
 */
export function findTarget(
  set: TrustedView,
  name: string,
  roles: readonly TargetsRole[] = ['targets'],
): FoundTarget | undefined {
  let passedOver: TargetsRole | undefined;
  for (const start of roles) {
    for (const role of walk(set, start, others(roles, start), name)) {
      if (set.passedOver.get(role)?.mayDecide(name) === true) passedOver ??= role;
      const target = set.targets.get(role)?.payload.targets.get(name);
      if (target === undefined) continue;
      if (passedOver !== undefined) throw unusable(set, passedOver, name);
      return { name, target, role };
    }
  }
  return undefined;
}

/** Every target that `findTarget` would find, by name. */
export function listTargets(
  set: TrustedView,
  roles: readonly TargetsRole[] = ['targets'],
): ReadonlyMap<string, FoundTarget> {
  const found = new Map<string, FoundTarget>();
  const passedOver: PassedOver[] = [];
  for (const start of roles) {
    for (const role of walk(set, start, others(roles, start))) {
      passedOver.push(...[set.passedOver.get(role) ?? []].flat());
      for (const [name, target] of set.targets.get(role)?.payload.targets ?? []) {
        const isHidden = found.has(name) || passedOver.some((before) => before.mayDecide(name));
        if (!isHidden && admits(set, role, name)) found.set(name, { name, target, role });
      }
    }
  }
  return found;
}

/** Every entry for `name` in the tree, or all entries if no name is given, within the paths of each role. */
export function allTargets(set: TrustedView, name?: string): readonly SignedTarget[] {
  const found: SignedTarget[] = [];
  for (const role of walk(set, 'targets', [], name)) {
    const trusted = set.targets.get(role);
    if (trusted === undefined) continue;
    const { signatures } = trusted.envelope;
    for (const [targetName, target] of saidOf(trusted.payload, name)) {
      if (admits(set, role, targetName)) found.push({ name: targetName, target, role, signatures });
    }
  }
  return found;
}

function saidOf({ targets }: Targets, name: string | undefined): Iterable<readonly [string, Target]> {
  if (name === undefined) return targets;
  const target = targets.get(name);
  return target === undefined ? [] : [[name, target]];
}

/** Every delegation reachable through trusted files, delegators before their delegations. */
export function allDelegations(set: TrustedView): readonly DelegatedRole[] {
  const found: DelegatedRole[] = [];
  for (const role of walk(set, 'targets', [])) found.push(...set.delegationsOf(role));
  return found;
}

/** Whether one of a role's paths is a prefix of a target name. */
export function admits(set: TrustedView, role: TargetsRole, name: string): boolean {
  return set.pathsOf(role).some((prefix) => name.startsWith(prefix));
}

/**
 * Walks breadth first from `targets` to the roles at and below `start`, leaving out `skipped` and all below them.
 * Includes roles whose files must not be used, because the caller must see that they come first.
 */
function* walk(
  set: TrustedView,
  start: TargetsRole,
  skipped: readonly TargetsRole[],
  name?: string,
): Generator<TargetsRole> {
  const queue: TargetsRole[] = ['targets'];
  for (let role = queue.shift(); role !== undefined; role = queue.shift()) {
    const isPassedOver = set.passedOver.has(role);
    if (!set.targets.has(role) && !isPassedOver) continue;
    const isBelowStart = role === start || role.startsWith(`${start}/`);
    const leadsToStart = start.startsWith(`${role}/`);
    // If the file of a role above it is missing, the content of `start` is unknown too.
    if (isBelowStart || (leadsToStart && isPassedOver)) {
      if (skipped.includes(role) || (name !== undefined && !admits(set, role, name))) continue;
      yield role;
    } else if (!leadsToStart) continue;
    queue.push(...set.delegationsOf(role).map((delegation) => delegation.name));
  }
}

function others(roles: readonly TargetsRole[], start: TargetsRole): readonly TargetsRole[] {
  return roles.filter((role) => role !== start);
}

/** Whether a tag has no answer by docker's rule because `targets/releases`, which decides on it, must not be used. */
export function isUnanswered(set: TrustedView, tag: string): boolean {
  return passedOverFor(set, tag, [RELEASES]) !== undefined;
}

/**
 * The error for a name without a match: `role-unusable` if one of `roles`, or a role below them, may speak for it but
 * has a file that must not be used; otherwise `target-not-found`.
 */
export function lookupError(set: TrustedView, name: string, roles: readonly TargetsRole[]): SignetError {
  const role = passedOverFor(set, name, roles);
  if (role !== undefined) return unusable(set, role, name);
  return new SignetError('target-not-found', `No valid trust data for ${nameOf(name)}`, { detail: { tag: name } });
}

/** Throws `role-unusable` if the file of one of `roles`, or of a role below them, must not be used. */
export function checkUsable(set: TrustedView, roles: readonly TargetsRole[]): void {
  const [role] = passedOverIn(set, roles);
  if (role !== undefined) throw unusable(set, role);
}

function passedOverFor(set: TrustedView, name: string, roles: readonly TargetsRole[]): TargetsRole | undefined {
  return passedOverIn(set, roles).find((role) => set.passedOver.get(role)?.mayDecide(name));
}

function passedOverIn(set: TrustedView, roles: readonly TargetsRole[]): readonly TargetsRole[] {
  return [...set.passedOver.keys()].filter((each) =>
    roles.some((role) => each === role || each.startsWith(`${role}/`)),
  );
}

function unusable(set: TrustedView, role: TargetsRole, name?: string): SignetError {
  const { gun } = set.root;
  const why = set.passedOver.get(role)?.why;
  const what = name === undefined ? gun : nameOf(name);
  return new SignetError(
    'role-unusable',
    `No valid trust data for ${what}: ${role} is asked first, and cannot be trusted now: ${why?.message}`,
    {
      cause: why,
      detail: { role, ...(why === undefined ? {} : { why: why.code }), ...(name === undefined ? {} : { tag: name }) },
      next: `Its signers sign it again: signet trust renew ${gun} ${role}\nOr whoever has the repository key ends it: signet trust delegation remove ${gun} ${role}`,
    },
  );
}

/** A target's name may be any text. */
function nameOf(name: string): string {
  return /^[!-~]+$/.test(name) ? name : quoted(name);
}
