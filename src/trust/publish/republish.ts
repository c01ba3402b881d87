import { Editor } from '../../core/edit/editor.ts';
import { checkOwnRoot } from '../../core/edit/own-root.ts';
import { keysMissing } from '../../core/edit/signing.ts';
import type { RoleName } from '../../core/names/role.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import { countHere } from '../keys/signer-roles.ts';
import { inspectExpired } from '../update/collection.ts';
import type { Repository } from './repository.ts';
import { send } from './send.ts';

/**
 * Publishes a collection that was trusted here and that the server has nothing of any more, as it is kept here and with
 * what `edit` changes, under the same root, which its readers go on to trust. If the server has
 * other keys of its own by now, the root has to name them, for which the root key has to be here. Throws as `inspectExpired` if too little is
 * kept, `signing-key-missing`, and `root-unconfirmed`.
 */
export async function republish(repository: Repository, edit: (editor: Editor) => void): Promise<void> {
  const { source, keys, gun } = repository;
  // That the cache has to serve is the very point.
  const warn = () => undefined;
  const { set } = await inspectExpired({ ...source, purpose: 'read', whenUnreachable: 'cache', warn });
  const editor = Editor.of(set);
  await takeServerKeys(repository, editor, set.root.root);
  edit(editor);
  const kept = new Map<RoleName, Buffer>([['root', set.root.envelope.bytes]]);
  for (const [role, { envelope }] of set.targets) kept.set(role, envelope.bytes);
  const { files: changed, incomplete } = await editor.edition(keys, source.now);
  if (changed.has('root')) await checkOwnRoot(set.root, source.pinning, (id) => keys.has(id));
  for (const [role, { signers, signatures }] of incomplete) throw keysMissing(role, signers, signatures);
  const files = await editor.withSnapshot(new Map([...kept, ...changed]), keys, source.now);
  await send(source, keys, files);
  for (const role of ['snapshot', 'timestamp'] as const) await source.cache.remove(gun, role);
  for (const [role, bytes] of files) await source.cache.write(gun, role, bytes);
}

/** The server signs timestamps, and snapshots if no one here does. */
async function takeServerKeys(
  { source, keys, gun }: Repository,
  editor: Editor,
  root: Parameters<typeof baseSigners>[0],
): Promise<void> {
  const isSnapshotOurs = (await countHere(keys, canonicalKeyIds(baseSigners(root, 'snapshot')))) > 0;
  for (const role of isSnapshotOurs ? (['timestamp'] as const) : (['timestamp', 'snapshot'] as const)) {
    const key = await source.server.publicKey(gun, role);
    if (!baseSigners(root, role).keyIds.includes(key.id)) editor.replaceKeys(role, [key]);
  }
}
