import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { readRoot } from '../../core/metadata/root.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { baseSigners } from '../../core/verify/signers.ts';
import { validSigners } from '../../core/verify/verify.ts';
import type { MetadataStore } from '../store/metadata-store.ts';
import type { OnlineRole } from '../store/online-key-store.ts';

/**
 * The keys that have signed the timestamp or the snapshot of a GUN as they are stored, by what the stored root says: what
 * a root lists proves nothing, since its owner can list any key, but only the key itself can have signed.
 */
export type ProvenKeys = (gun: Gun) => Promise<ReadonlyMap<KeyId, OnlineRole>>;

/** Reads `ProvenKeys` from a store. Throws what the store throws, or a reader of its files. */
export function provenKeys(store: MetadataStore): ProvenKeys {
  return async (gun) => {
    const { files } = await store.current(gun);
    const rootFile = files.get('root');
    if (rootFile === undefined) return new Map();
    const root = readRoot(parseEnvelope('root', rootFile.bytes).signed);
    const proven = new Map<KeyId, OnlineRole>();
    for (const role of ['timestamp', 'snapshot'] as const) {
      const file = files.get(role);
      if (file === undefined) continue;
      for (const id of validSigners(parseEnvelope(role, file.bytes), baseSigners(root, role))) proven.set(id, role);
    }
    return proven;
  };
}
