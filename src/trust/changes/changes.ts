import { Editor } from '../../core/edit/editor.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { Change } from '../../store/change.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import type { Collection } from '../update/collection.ts';
import { type Consequences, consequencesOf, NO_CONSEQUENCES } from './consequences.ts';
import { type Kept, NOTHING_KEPT, resign } from './resigning.ts';
import { applyChange } from './staged.ts';

/** What changes would lead to if they were published now. */
export interface ChangePlan {
  readonly collection: Collection;
  readonly consequences: Consequences;
}

/** Makes the changes on paper, for a person to decide. Throws what publishing them would, before anything is signed. */
export async function planChanges(repository: Repository, changes: readonly Change[]): Promise<ChangePlan> {
  return planOn(repository, await repository.present(), changes);
}

/** `planChanges` on a collection that was loaded already. */
export async function planOn(
  repository: Repository,
  collection: Collection,
  changes: readonly Change[],
): Promise<ChangePlan> {
  const editor = Editor.of(collection.set, collection.unusable);
  for (const change of changes) applyChange(editor, change);
  return { collection, consequences: await consequencesOf(editor, collection, repository) };
}

/**
 * Publishes changes, none of them staged. What loses its signatures by them is signed again in the same publish if the
 * keys here are enough for that, with those of its targets that are `kept`. Throws `publish-conflict` if, by what
 * someone else has published in between, a role would be lost, or a target signed, that the person who decided was not
 * told of.
 */
export function publishChanges(
  repository: Repository,
  changes: readonly Change[],
  accepted: Consequences = NO_CONSEQUENCES,
  kept: Kept = NOTHING_KEPT,
): Promise<Publication> {
  const known = new Set(accepted.lost.map(({ role }) => role));
  return repository.publish(async (editor, collection) => {
    for (const change of changes) applyChange(editor, change);
    const { resigned, lost } = await consequencesOf(editor, collection, repository);
    const surprise = lost.find(({ role }) => !known.has(role));
    if (surprise !== undefined) {
      throw new SignetError('publish-conflict', `this would now make ${surprise.role} unusable as well`, {
        detail: { role: surprise.role },
        next: 'Somebody else has published in between: run the command again, and look at what it says.',
      });
    }
    resign(editor, resigned, accepted.resigned, kept);
  });
}
