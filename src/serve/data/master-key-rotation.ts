import { randomBytes } from 'node:crypto';
import { existsSync, renameSync } from 'node:fs';
import { isSignetError } from '../../core/errors/index.ts';
import { Vault } from '../../notary/publish/seal.ts';
import { contextOf } from '../../notary/publish/sealed-key-vault.ts';
import type { OnlineKeyStore, SealedKey } from '../../notary/store/online-key-store.ts';
import { removeFile, writePrivateFile } from '../../store/files.ts';
import { MASTER_KEY_BYTES, readMasterKey } from './master-key.ts';

/** A file with a master key, and the keys that are sealed under it. No other process may use them. */
interface MasterKeyPlace {
  readonly path: string;
  readonly store: OnlineKeyStore;
}

/**
 * Seals every online key under a new master key, and returns how many there are. The new key lies beside the old one until
 * the database has taken everything, in one transaction; then it takes its place. Whatever happens in between,
 * `settleMasterKey` finds which of both is the right one. Throws `master-key-unreadable` or `online-key-unreadable`, and
 * nothing has changed then.
 */
export async function rotateMasterKey({ path, store }: MasterKeyPlace): Promise<number> {
  await settleMasterKey({ path, store });
  const [old, key] = [readMasterKey(path), randomBytes(MASTER_KEY_BYTES)];
  try {
    const [from, to] = [new Vault(old), new Vault(key)];
    const text = Buffer.from(`${key.toString('base64')}\n`, 'latin1');
    writePrivateFile(nextOf(path), text);
    text.fill(0);
    const count = await store.resealAll((sealed) => to.sealAgain(from, sealed.sealed, contextOf(sealed)));
    renameSync(nextOf(path), path);
    return count;
  } catch (error) {
    await settleMasterKey({ path, store });
    throw error;
  } finally {
    old.fill(0);
    key.fill(0);
  }
}

/** Ends a rotation that was cut short: the new master key takes the place of the old one, or is dropped. */
export async function settleMasterKey({ path, store }: MasterKeyPlace): Promise<void> {
  const next = nextOf(path);
  if (!existsSync(next)) return;
  const sample = await store.sample();
  if (sample !== undefined && !opens(path, sample) && opens(next, sample)) renameSync(next, path);
  else removeFile(next);
}

function nextOf(path: string): string {
  return `${path}.next`;
}

function opens(path: string, sample: SealedKey): boolean {
  const key = readMasterKey(path);
  try {
    new Vault(key).open(sample.sealed, contextOf(sample)).fill(0);
    return true;
  } catch (error) {
    if (isSignetError(error, 'online-key-unreadable')) return false;
    throw error;
  } finally {
    key.fill(0);
  }
}
