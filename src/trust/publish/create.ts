import { Editor } from '../../core/edit/editor.ts';
import { issueRootCertificate } from '../../core/keys/certificate.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import type { Signer } from '../../core/keys/signer.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { readSnapshot } from '../../core/metadata/snapshot.ts';
import { readTargets } from '../../core/metadata/targets.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { RoleName } from '../../core/names/role.ts';
import { trustCachedRoot, trustFirstRoot } from '../../core/verify/root-trust.ts';
import { baseSigners } from '../../core/verify/signers.ts';
import { verifyThreshold } from '../../core/verify/verify.ts';
import type { StoredKey } from '../../store/key-store.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RepositorySource } from './repository-source.ts';

/** How a repository is founded; docker's way if nothing is said. */
export interface CreateOptions {
  /** Certificates of root keys whose private halves are here; the person's own root key in a new one otherwise. */
  readonly root?: readonly PublicKey[];
  /** Who signs the snapshot: `server` as docker has it, `client` as Notary's own command. */
  readonly snapshotBy?: 'server' | 'client';
}

/** An editor of a new collection. The server is asked first: if it cannot be reached, no key has been made for nothing. */
export async function createCollection(
  { gun, server, now }: RepositorySource,
  keys: KeyRing,
  { root, snapshotBy = 'server' }: CreateOptions,
): Promise<Editor> {
  const timestamp = await server.publicKey(gun, 'timestamp');
  const online = snapshotBy === 'server' ? await server.publicKey(gun, 'snapshot') : undefined;
  const certificates = root ?? [await issueRootCertificate(await rootKey(keys), gun, now)];
  const targets = (await ownKey(keys, gun, 'targets')).publicKey;
  const snapshot = online ?? (await ownKey(keys, gun, 'snapshot')).publicKey;
  return Editor.create({ root: certificates, targets, snapshot, timestamp });
}

/**
 * Signs the first files of a collection. They are given out only if its creator would trust its root as a
 * visitor, by the same pins; first use is no question to them. Throws `root-pin-mismatch`, `root-untrusted`,
 * `signing-key-missing`.
 */
export async function signFirst(
  { gun, pinning, now }: Pick<RepositorySource, 'gun' | 'pinning' | 'now'>,
  keys: KeyRing,
  editor: Editor,
): Promise<ReadonlyMap<RoleName, Buffer>> {
  const files = await editor.sign(keys, now);
  trustFirstRoot(gun, files.get('root') ?? Buffer.of(), { ...pinning, tofu: 'on' }, now);
  return files;
}

/**
 * An editor of a collection that was made here and never published, by Signet or by Notary's own command: trusted files
 * in the cache, without a timestamp, which only a server makes. Undefined if there is none.
 */
export async function unpublished({
  gun,
  cache,
}: Pick<RepositorySource, 'gun' | 'cache'>): Promise<Editor | undefined> {
  const [rootFile, targetsFile, snapshotFile, timestampFile] = await Promise.all(
    (['root', 'targets', 'snapshot', 'timestamp'] as const).map((role) => cache.read(gun, role)),
  );
  if (rootFile === undefined || targetsFile === undefined || timestampFile !== undefined) return undefined;
  const { root } = trustCachedRoot(gun, rootFile);
  const targets = parseEnvelope('targets', targetsFile);
  verifyThreshold(targets, baseSigners(root, 'targets'));
  const snapshot = snapshotFile === undefined ? undefined : parseEnvelope('snapshot', snapshotFile);
  return Editor.unpublished({
    root: { root, bytes: rootFile },
    targets: { payload: readTargets('targets', targets.signed), envelope: targets },
    snapshot: snapshot === undefined ? undefined : readSnapshot(snapshot.signed),
  });
}

/** Opens those of the keys of a new collection that are here already. Throws as `KeyRing.find`. */
export async function openCreationKeys(keys: KeyRing, gun: RepositorySource['gun']): Promise<void> {
  const stored = await keys.list();
  const root = firstRoot(stored);
  if (root !== undefined) await keys.find(root, 'root');
  const targets = stored.find((key) => key.role === 'targets' && key.gun === gun);
  if (targets !== undefined) await keys.find(targets.id, 'targets');
}

/** The person's root key: the first one on disk, else a new one, as docker chooses it. */
async function rootKey(keys: KeyRing): Promise<Signer> {
  const first = firstRoot(await keys.list());
  const present = first === undefined ? undefined : await keys.find(first, 'root');
  return present ?? keys.create('root');
}

function firstRoot(stored: readonly StoredKey[]): KeyId | undefined {
  return stored
    .filter(({ role }) => role === 'root')
    .map(({ id }) => id)
    .sort()[0];
}

/** The repository's key that an earlier attempt to found it left behind, else a new one. */
async function ownKey(keys: KeyRing, gun: RepositorySource['gun'], role: 'targets' | 'snapshot'): Promise<Signer> {
  const left = (await keys.list()).find((key) => key.role === role && key.gun === gun);
  const present = left === undefined ? undefined : await keys.find(left.id, role);
  return present ?? keys.create(role, gun);
}
