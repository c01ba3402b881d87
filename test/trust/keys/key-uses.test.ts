import { expect, test } from 'bun:test';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation } from '../../../src/core/names/role.ts';
import { baseSigners, canonicalKeyIds } from '../../../src/core/verify/signers.ts';
import { usesOfKey } from '../../../src/trust/keys/key-uses.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { GUN, Simulator } from '../../support/simulator.ts';

const ALICE = generatePrivateKey('ecdsa');
const OTHER = parseGun('registry.example.com/acme/other');
const DAMAGED = parseGun('registry.example.com/acme/damaged');

/** A cache with one collection whose files are whole, and two that are not. */
async function cached() {
  const simulator = await Simulator.start({
    snapshotKeyBy: 'owner',
    edit: (editor) => {
      editor.addDelegation(parseDelegation('targets/team'), [simulatedKey.publicKey], ['']);
      editor.addDelegation(parseDelegation('targets/alice'), [ALICE.publicKey], ['']);
    },
  });
  const cache = new MemoryCache();
  for (const [role, bytes] of simulator.state) await cache.write(GUN, role, bytes);
  await cache.write(OTHER, 'root', simulator.file('root'));
  await cache.write(DAMAGED, 'root', simulator.file('root'));
  await cache.write(DAMAGED, 'targets', Buffer.from('{"signed": 1}'));
  const { set } = await simulator.trusted();
  const idOf = (role: 'root' | 'targets' | 'snapshot') => canonicalKeyIds(baseSigners(set.root.root, role))[0];
  return { cache, idOf };
}

const simulatedKey = generatePrivateKey('ed25519');

test('the roles of a key, in all collections, by the ID of its file', async () => {
  const { cache, idOf } = await cached();
  for (const role of ['root', 'targets', 'snapshot'] as const) {
    const { uses, unreadable } = await usesOfKey(cache, idOf(role) as never);
    expect(uses).toEqual([
      { gun: GUN, roles: [role] },
      { gun: OTHER, roles: [role] },
    ]);
    expect(unreadable).toEqual([DAMAGED]);
  }
});

test('delegations, and keys that sign for nothing', async () => {
  const { cache } = await cached();
  expect((await usesOfKey(cache, ALICE.id)).uses).toEqual([{ gun: GUN, roles: [parseDelegation('targets/alice')] }]);
  expect((await usesOfKey(cache, generatePrivateKey('ecdsa').id)).uses).toEqual([]);
  expect(await usesOfKey(new MemoryCache(), ALICE.id)).toEqual({ uses: [], unreadable: [] });
});
