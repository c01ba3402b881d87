import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { readRoot } from '../../core/metadata/root.ts';
import { readTargets } from '../../core/metadata/targets.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { BASE_ROLES, type RoleName, type TargetsRole } from '../../core/names/role.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import type { MetadataCache } from '../../store/metadata-cache.ts';

/** A collection, and its roles for which a key signs. */
interface KeyUse {
  readonly gun: Gun;
  readonly roles: readonly RoleName[];
}

/** What is known here of a key's uses. */
export interface KeyUses {
  readonly uses: readonly KeyUse[];
  /** Collections of which that cannot be told: their files are damaged. */
  readonly unreadable: readonly Gun[];
}

/** What a key (by its canonical ID) signs for, as of the trust data in the cache; it may have changed on the server. */
export async function usesOfKey(cache: MetadataCache, id: KeyId): Promise<KeyUses> {
  const uses: KeyUse[] = [];
  const unreadable: Gun[] = [];
  for (const gun of await cache.guns()) {
    try {
      const roles = [...(await baseRoles(cache, gun, id)), ...(await delegations(cache, gun, id))];
      if (roles.length > 0) uses.push({ gun, roles });
    } catch (error) {
      if (!isSignetError(error)) throw error;
      unreadable.push(gun);
    }
  }
  return { uses, unreadable };
}

async function baseRoles(cache: MetadataCache, gun: Gun, id: KeyId): Promise<readonly RoleName[]> {
  const file = await cache.read(gun, 'root');
  if (file === undefined) return [];
  const root = readRoot(parseEnvelope('root', file).signed);
  return BASE_ROLES.filter((role) => canonicalKeyIds(baseSigners(root, role)).includes(id));
}

async function delegations(cache: MetadataCache, gun: Gun, id: KeyId): Promise<readonly RoleName[]> {
  const found: RoleName[] = [];
  const queue: TargetsRole[] = ['targets'];
  for (let at = 0; at < queue.length && at < LIMITS.delegations; at++) {
    const role = queue[at] ?? 'targets';
    const file = await cache.read(gun, role);
    if (file === undefined) continue;
    const payload = readTargets(role, parseEnvelope(role, file).signed);
    for (const { name, keyIds } of payload.delegations) {
      if (canonicalKeyIds({ keyIds, keys: payload.delegationKeys }).includes(id)) found.push(name);
      queue.push(name);
    }
  }
  return found;
}
