import type { Target } from '../metadata/targets.ts';
import type { TargetsRole } from '../names/role.ts';
import { RELEASES } from '../names/role.ts';
import type { Signature } from '../signature.ts';
import type { DelegatedRole, TrustedView } from './trusted-set.ts';

/** A target and the role that vouches for it. */
export interface FoundTarget {
  readonly name: string;
  readonly target: Target;
  readonly role: TargetsRole;
}

/** A target in one role's file, with all signatures of that file. */
export interface SignedTarget extends FoundTarget {
  readonly signatures: readonly Signature[];
}

/** The order in which docker asks roles for an image's tag (protocol D.3). */
export const DOCKER_ROLES: readonly TargetsRole[] = [RELEASES, 'targets'];

/**
 * Looks a target name up in `roles`, in their order, each with all roles below it except the others listed; the first
 * hit wins (protocol C.14). The hit may come from a role that was not asked for by name: the caller checks `role`.
 */
export function findTarget(
  set: TrustedView,
  name: string,
  roles: readonly TargetsRole[] = ['targets'],
): FoundTarget | undefined {
  for (const start of roles) {
    for (const role of walk(set, start, others(roles, start), name)) {
      const target = set.targets.get(role)?.payload.targets.get(name);
      if (target !== undefined) return { name, target, role };
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
  for (const start of roles) {
    for (const role of walk(set, start, others(roles, start))) {
      for (const [name, target] of set.targets.get(role)?.payload.targets ?? []) {
        if (!found.has(name) && admits(set, role, name)) found.set(name, { name, target, role });
      }
    }
  }
  return found;
}

/** What every role of the tree says of `name`, or of all names where none is given, as far as its paths let it speak. */
export function allTargets(set: TrustedView, name?: string): readonly SignedTarget[] {
  const found: SignedTarget[] = [];
  for (const role of walk(set, 'targets', [], name)) {
    const trusted = set.targets.get(role);
    if (trusted === undefined) continue;
    for (const [targetName, target] of trusted.payload.targets) {
      const isAsked = name === undefined || targetName === name;
      if (isAsked && admits(set, role, targetName))
        found.push({ name: targetName, target, role, signatures: trusted.envelope.signatures });
    }
  }
  return found;
}

/** Every delegation of the tree that is reachable through trusted files, delegators before their delegations. */
export function allDelegations(set: TrustedView): readonly DelegatedRole[] {
  const found: DelegatedRole[] = [];
  for (const role of walk(set, 'targets', [])) found.push(...set.delegationsOf(role));
  return found;
}

/** Whether a role may speak for a target name: one of its paths is a prefix of it. */
export function admits(set: TrustedView, role: TargetsRole, name: string): boolean {
  return set.pathsOf(role).some((prefix) => name.startsWith(prefix));
}

/** Breadth first from `targets` to the roles at and below `start`, passing over `skipped` and all below them. */
function* walk(
  set: TrustedView,
  start: TargetsRole,
  skipped: readonly TargetsRole[],
  name?: string,
): Generator<TargetsRole> {
  const queue: TargetsRole[] = ['targets'];
  for (let role = queue.shift(); role !== undefined; role = queue.shift()) {
    if (!set.targets.has(role)) continue;
    const isBelowStart = role === start || role.startsWith(`${start}/`);
    const leadsToStart = start.startsWith(`${role}/`);
    if (isBelowStart) {
      if (skipped.includes(role) || (name !== undefined && !admits(set, role, name))) continue;
      yield role;
    } else if (!leadsToStart) continue;
    queue.push(...set.delegationsOf(role).map((delegation) => delegation.name));
  }
}

function others(roles: readonly TargetsRole[], start: TargetsRole): readonly TargetsRole[] {
  return roles.filter((role) => role !== start);
}
