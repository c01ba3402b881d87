import type { Editor } from '../../core/edit/editor.ts';
import { type DelegationName, isDelegation, parentOf } from '../../core/names/role.ts';
import { admits, allDelegations } from '../../core/verify/lookup.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import { type Signatory, signatoryOf } from '../keys/signatories.ts';
import { countHere } from '../keys/signer-roles.ts';
import type { Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';
import { type ResignedRole, resignedRole } from './resigning.ts';

/** A role that counts for nothing any more once a change is published, with all roles below it. */
export interface LostRole {
  readonly role: DelegationName;
  /** Whose signatures would fix it: so many of these, which may be too few. */
  readonly threshold: number;
  readonly signatories: readonly Signatory[];
}

/** What a change does to what others have signed. */
export interface Consequences {
  /** Roles that lose the signatures they need, and that the keys here are enough to sign again. */
  readonly resigned: readonly ResignedRole[];
  readonly lost: readonly LostRole[];
  /** Targets that their roles may not speak for any more. */
  readonly silenced: readonly { readonly role: DelegationName; readonly names: readonly string[] }[];
}

export const NO_CONSEQUENCES: Consequences = { resigned: [], lost: [], silenced: [] };

/** What the changes made so far in an editor of the collection lead to, beyond what they say themselves. */
export async function consequencesOf(
  editor: Editor,
  { set }: Collection,
  { keys, source: { now } }: Pick<Repository, 'keys' | 'source'>,
): Promise<Consequences> {
  const broken = editor.brokenDelegations();
  const remaining = allDelegations(set).filter(({ name }) => isDelegated(editor, name));
  const resigned: ResignedRole[] = [];
  const lost: LostRole[] = [];
  for (const former of remaining) {
    const signers = editor.signersOf(former.name);
    const isBroken = broken.includes(former.name) && set.targets.has(former.name);
    const wasUsable = former.keyIds.length >= former.threshold;
    if (!isBroken && (!wasUsable || signers.keyIds.length >= signers.threshold)) continue;
    const ids = canonicalKeyIds(signers);
    if ((await countHere(keys, ids)) >= signers.threshold) resigned.push(resignedRole(editor, set, former.name, now));
    else {
      const signatories = ids.map((id) => signatoryOf(set, id));
      lost.push({ role: former.name, threshold: signers.threshold, signatories });
    }
  }
  return { resigned, lost, silenced: silencedBy(editor, set) };
}

function silencedBy(editor: Editor, set: Collection['set']): Consequences['silenced'] {
  return [...set.targets].flatMap(([role, { payload }]) => {
    if (!isDelegation(role) || !isDelegated(editor, role)) return [];
    const paths = editor.pathsOf(role);
    const names = [...payload.targets.keys()].filter(
      (name) => admits(set, role, name) && !paths.some((prefix) => name.startsWith(prefix)),
    );
    return names.length === 0 ? [] : [{ role, names }];
  });
}

function isDelegated(editor: Editor, role: DelegationName): boolean {
  return editor.delegationsOf(parentOf(role)).some(({ name }) => name === role);
}
