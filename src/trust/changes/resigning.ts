import type { Editor } from '../../core/edit/editor.ts';
import { SignetError } from '../../core/errors/index.ts';
import { lifetimeOf } from '../../core/lifetimes.ts';
import { sameFile } from '../../core/metadata/file-info.ts';
import type { Target } from '../../core/metadata/targets.ts';
import { isDelegation, parentOf, type TargetsRole } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { allTargets } from '../../core/verify/lookup.ts';
import type { TrustedSet } from '../../core/verify/trusted-set.ts';
import { isSameTarget } from '../report/describe.ts';

/** A role whose file loses the signatures it needs, and that the keys here are enough to sign again. */
export interface ResignedRole {
  readonly role: TargetsRole;
  /** What its former signers have put into it: no one who stays has vouched for any of it. */
  readonly targets: ReadonlyMap<string, Target>;
  /** The roles that say the same of a name, and keep their signatures. */
  readonly vouchers: ReadonlyMap<string, readonly TargetsRole[]>;
  /** When the whole file was signed last, by its expiry; undefined if that tells nothing. */
  readonly signed: Instant | undefined;
}

/** The names of targets that stay in a file that is signed again; all others go. */
export type Kept = ReadonlyMap<TargetsRole, ReadonlySet<string>>;

export const NOTHING_KEPT: Kept = new Map();

/** A role as it is to be signed again: what is published in it and was not changed by the editor. */
export function resignedRole(editor: Editor, set: TrustedSet, role: TargetsRole, now: Instant): ResignedRole {
  const payload = set.targets.get(role)?.payload;
  const published = [...(payload?.targets ?? [])];
  const isUnchanged = (name: string, target: Target) => {
    const present = editor.targetsOf(role).get(name);
    return present !== undefined && isSameTarget(present, target);
  };
  const targets = new Map(published.filter(([name, target]) => isUnchanged(name, target)));
  const signed = (payload?.expires.at ?? 0) - lifetimeOf(role);
  return {
    role,
    targets,
    vouchers: new Map([...targets].map(([name, target]) => [name, vouchersOf(editor, set, role, name, target)])),
    signed: signed > 0 && signed <= now ? signed : undefined,
  };
}

/**
 * Signs roles again that lost their signatures, with those of their targets that a person has been shown and keeps.
 * Throws `publish-conflict` if there is one by now that was not shown.
 */
export function resign(
  editor: Editor,
  roles: readonly ResignedRole[],
  shown: readonly ResignedRole[],
  kept: Kept,
): void {
  for (const { role, targets } of roles) {
    const known = shown.find((each) => each.role === role)?.targets;
    for (const [name, target] of targets) {
      const former = known?.get(name);
      if (former === undefined || !isSameTarget(former, target)) throw notShown(role, name);
      if (kept.get(role)?.has(name) !== true) editor.removeTarget(role, name);
    }
    editor.witness(role);
  }
}

function vouchersOf(
  editor: Editor,
  set: TrustedSet,
  role: TargetsRole,
  name: string,
  target: Target,
): readonly TargetsRole[] {
  const broken = editor.brokenDelegations();
  const stays = (other: TargetsRole) =>
    !isDelegation(other) ||
    (editor.delegationsOf(parentOf(other)).some((each) => each.name === other) && !broken.includes(other));
  return allTargets(set, name)
    .filter((found) => found.role !== role && stays(found.role) && sameFile(found.target, target))
    .map((found) => found.role);
}

function notShown(role: TargetsRole, name: string): SignetError {
  return new SignetError('publish-conflict', `this would now sign a target of ${role} that was not shown`, {
    detail: { role, name },
    next: 'Somebody else has published in between: run the command again, and look at what it says.',
  });
}
