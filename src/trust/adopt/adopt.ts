import type { Editor } from '../../core/edit/editor.ts';
import type { Target } from '../../core/metadata/targets.ts';
import { digestHex } from '../../core/names/digest.ts';
import type { TrustedView } from '../../core/verify/trusted-set.ts';
import type { TrustedTag } from '../decide/resolve.ts';
import { signableRoles } from '../keys/signer-roles.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import { type Adoption, adoptionJson } from './adoption.ts';
import { type AdoptionPlan, planAdoption } from './plan.ts';

/**
 * Signs, in one publish, the tags of an old collection that are not signed yet. Creates the repository if it does not
 * exist, and otherwise signs into every role that the user has keys for. What others publish in between is kept.
 * Returns undefined if it created the repository.
 */
export async function vouch(
  repository: Repository,
  old: TrustedView,
  names: readonly string[],
  adoption: Adoption,
): Promise<Publication | undefined> {
  if ((await repository.current()) === undefined) {
    await repository.initialize((editor) => {
      for (const tag of toSign(planAdoption(old, undefined, names))) add(editor, 'targets', tag, adoption);
    });
    return undefined;
  }
  return repository.publish(async (editor, { set }) => {
    for (const tag of toSign(planAdoption(old, set, names))) {
      for (const role of await signableRoles(set, tag.tag, repository.keys)) add(editor, role, tag, adoption);
    }
  });
}

function toSign({ added, moved }: AdoptionPlan): readonly TrustedTag[] {
  return [...added, ...moved];
}

function add(
  editor: Editor,
  role: Parameters<Editor['addTarget']>[0],
  { tag, digest, length }: TrustedTag,
  adoption: Adoption,
): void {
  const target: Target = {
    length,
    hashes: new Map([['sha256', Buffer.from(digestHex(digest), 'hex')]]),
    custom: adoptionJson(adoption),
  };
  editor.addTarget(role, tag, target);
}
