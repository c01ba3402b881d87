import { ChainWriter, type KnownFiles } from '../../core/chain.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import type { FileInfo } from '../../core/metadata/file-info.ts';
import { readSnapshot } from '../../core/metadata/snapshot.ts';
import { readTimestamp } from '../../core/metadata/timestamp.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { CurrentFiles, MetadataFile, MetadataStore } from '../store/metadata-store.ts';

/**
 * The current files that a client lacks, as one body (protocol I.1): the timestamp, the roots since its own one, and what
 * the snapshot lists and the snapshot of its own timestamp did not. What does not fit is left out.
 */
export async function writeMissing(
  store: MetadataStore,
  gun: Gun,
  { files }: CurrentFiles,
  known: KnownFiles,
): Promise<Buffer> {
  const [timestamp, root] = [files.get('timestamp'), files.get('root')];
  const writer = new ChainWriter();
  if (timestamp !== undefined) writer.add('timestamp', timestamp.bytes);
  if (root !== undefined && root.sha256 !== known.root) await writeRoots(writer, store, gun, root, known.root);
  const owned = await ownedFiles(store, gun, known.timestamp);
  for (const [role, { sha256, bytes }] of files) {
    if (role !== 'timestamp' && role !== 'root' && !owned.has(sha256)) writer.add(role, bytes);
  }
  return writer.finish();
}

/** The newest root, and those that lead to it from the client's one. */
async function writeRoots(
  writer: ChainWriter,
  store: MetadataStore,
  gun: Gun,
  newest: MetadataFile,
  known: string | undefined,
): Promise<void> {
  writer.add('root', newest.bytes);
  const own = known === undefined ? undefined : await store.byChecksum(gun, 'root', known);
  if (own === undefined || newest.version - own.version > LIMITS.rootChain) return;
  for (let version = own.version + 1; version < newest.version; version++) {
    const root = await store.byVersion(gun, 'root', version);
    // The client walks from root to root; what comes after one that it has to ask for can wait as well.
    if (root === undefined || !writer.add(`${version}.root`, root.bytes)) return;
  }
}

/** Checksums of the files that a client with this timestamp has too. */
async function ownedFiles(store: MetadataStore, gun: Gun, known: string | undefined): Promise<ReadonlySet<string>> {
  const timestamp = known === undefined ? undefined : await store.byChecksum(gun, 'timestamp', known);
  if (timestamp === undefined) return new Set();
  const promised = sha256Of(readTimestamp(parseEnvelope('timestamp', timestamp.bytes).signed).snapshot);
  const snapshot = await store.byChecksum(gun, 'snapshot', promised);
  if (snapshot === undefined) return new Set();
  const { meta } = readSnapshot(parseEnvelope('snapshot', snapshot.bytes).signed);
  return new Set([promised, ...[...meta.values()].map(sha256Of)]);
}

function sha256Of({ hashes }: FileInfo): string {
  return hashes.get('sha256')?.toString('hex') ?? '';
}
