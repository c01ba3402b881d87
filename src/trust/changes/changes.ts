import { Editor } from '../../core/edit/editor.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { Change } from '../../store/change.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';
import { type Consequences, consequencesOf, NO_CONSEQUENCES } from './consequences.ts';
import { applyChange } from './staged.ts';

/** What changes would lead to if they were published now. */
export interface ChangePlan {
  readonly collection: Collection;
  readonly consequences: Consequences;
}

/** Makes the changes on paper, for a person to decide. Throws what publishing them would, before anything is signed. */
export async function planChanges(repository: Repository, changes: readonly Change[]): Promise<ChangePlan> {
  const collection = await repository.present();
  const editor = Editor.of(collection.set, collection.unusable);
  for (const change of changes) applyChange(editor, change);
  return { collection, consequences: await consequencesOf(editor, collection, repository.keys) };
}

/**
 * Publishes changes, none of them staged. What loses its signatures by them is signed anew in the same publish where the
 * keys here are enough for that. Throws `publish-conflict` where, by what somebody else has published in between, a role
 * would be lost of which whoever decided was not told.
 */
export function publishChanges(
  repository: Repository,
  changes: readonly Change[],
  accepted: Consequences = NO_CONSEQUENCES,
): Promise<Publication> {
  const known = new Set(accepted.lost.map(({ role }) => role));
  return repository.publish(async (editor, collection) => {
    for (const change of changes) applyChange(editor, change);
    const { resigned, lost } = await consequencesOf(editor, collection, repository.keys);
    const surprise = lost.find(({ role }) => !known.has(role));
    if (surprise !== undefined) {
      throw new SignetError('publish-conflict', `this would now make ${surprise.role} unusable as well`, {
        detail: { role: surprise.role },
        next: 'Somebody else has published in between: run the command again, and look at what it says.',
      });
    }
    for (const role of resigned) editor.witness(role);
  });
}
