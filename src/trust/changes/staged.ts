import type { Editor } from '../../core/edit/editor.ts';
import { SignetError } from '../../core/errors/index.ts';
import { type DelegationName, parentOf } from '../../core/names/role.ts';
import type { Change, DelegationChange } from '../../store/change.ts';
import type { Changelist } from '../../store/changelist.ts';
import { unpublished } from '../publish/create.ts';
import type { Publication } from '../publish/publication.ts';
import type { Repository } from '../publish/repository.ts';
import { republish } from '../publish/republish.ts';
import { type Consequences, consequencesOf, NO_CONSEQUENCES } from './consequences.ts';
import { type Kept, NOTHING_KEPT, resign } from './resigning.ts';

/** Makes one staged change (protocol C.10). Throws what the editor throws. */
export function applyChange(editor: Editor, change: Change): void {
  if (change.kind === 'add-target') editor.addTarget(change.role, change.name, change.target);
  else if (change.kind === 'remove-target') editor.removeTarget(change.role, change.name);
  else if (change.kind === 'remove-delegation') editor.removeDelegation(change.role);
  else if (change.kind === 'purge-keys') editor.purgeDelegationKeys(change.keys, change.below);
  else if (change.kind === 'witness') editor.witness(change.role);
  else applyDelegationChange(editor, change.role, change.kind, change.delegation);
}

function applyDelegationChange(
  editor: Editor,
  role: DelegationName,
  kind: 'create-delegation' | 'update-delegation',
  { threshold, addKeys, addPaths, removeKeys, removePaths, clearPaths }: DelegationChange,
): void {
  if (kind === 'update-delegation') {
    editor.removeDelegationKeys(role, removeKeys);
    if (clearPaths) editor.clearDelegationPaths(role);
    editor.removeDelegationPaths(role, removePaths);
  }
  if (kind === 'create-delegation' || addKeys.length + addPaths.length > 0) {
    if (kind === 'create-delegation') checkThreshold(editor, role, threshold);
    editor.addDelegation(role, addKeys, addPaths, threshold);
  }
}

/** Adding to a role leaves its threshold as it is. One is all that Notary ever writes there, so it asks for nothing. */
function checkThreshold(editor: Editor, role: DelegationName, threshold: number): void {
  const present = editor.delegationsOf(parentOf(role)).find(({ name }) => name === role);
  if (threshold <= 1 || present === undefined || present.threshold === threshold) return;
  throw new SignetError('threshold-invalid', `${role} has a threshold of ${present.threshold} already`, {
    next: `Change it with: signet trust role --threshold ${threshold} REPOSITORY ${role}`,
  });
}

/**
 * Publishes all staged changes together, in their order, and then forgets them, also if they wait for signatures of
 * others: then they are in the proposal. The first that cannot be made stops all of them, and they stay staged (protocol
 * C.11). A collection that was only prepared here is published with them. What loses its signatures by them is signed
 * again if the keys here are enough for that, with those of its targets that are `kept`; of them, `accepted` was shown.
 */
export async function publishStaged(
  repository: Repository,
  changelist: Changelist,
  accepted: Consequences = NO_CONSEQUENCES,
  kept: Kept = NOTHING_KEPT,
): Promise<Publication> {
  const staged = await changelist.read();
  const apply = (editor: Editor): void => {
    for (const { change } of staged) applyChange(editor, change);
  };
  const publication = await publishOrFound(repository, apply, (editor, { resigned }) =>
    resign(editor, resigned, accepted.resigned, kept),
  );
  await changelist.clear(staged);
  return publication;
}

/**
 * `publishStaged` of a collection that the server has lost: what is kept here of it goes there again (`republish`). Throws
 * `signing-key-missing` if the keys here do not suffice.
 */
export async function republishStaged(repository: Repository, changelist: Changelist): Promise<void> {
  const staged = await changelist.read();
  await republish(repository, (editor) => {
    for (const { change } of staged) applyChange(editor, change);
  });
  await changelist.clear(staged);
}

async function publishOrFound(
  repository: Repository,
  apply: (editor: Editor) => void,
  mend: (editor: Editor, consequences: Consequences) => void,
): Promise<Publication> {
  if ((await repository.current()) === undefined && (await unpublished(repository.source)) !== undefined) {
    await repository.initialize(apply);
    return { kind: 'published' };
  }
  return repository.publish(async (editor, collection) => {
    apply(editor);
    mend(editor, await consequencesOf(editor, collection, repository));
  });
}
