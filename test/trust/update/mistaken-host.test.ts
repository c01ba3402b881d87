import { beforeEach, expect, test } from 'bun:test';
import { parseGun } from '../../../src/core/names/gun.ts';
import { gunOf, parseReference } from '../../../src/core/names/reference.ts';
import { inspectExpired, updateCollection } from '../../../src/trust/update/collection.ts';
import { failure } from '../../support/failure.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { Simulator, sourceOf } from '../../support/simulator.ts';

let simulator: Simulator;
beforeEach(async () => {
  simulator = await Simulator.start();
  simulator.isOffline = true;
});

const CHECK = 'Check the address and the network, then try again.';

test.each([
  [
    'Alice/x',
    'alice',
    '"Alice" is read as the host of a registry, as docker reads a first part with a capital letter. Names on Docker Hub are in small letters: alice/x',
  ],
  // What is one by more than its capital letter, and a server that was named otherwise.
  ['Alice.example.com/x', 'alice.example.com', CHECK],
  ['Alice:5000/x', 'alice:5000', CHECK],
  ['localhost/x', 'localhost', CHECK],
  ['Alice/x', 'trust.example.com', CHECK],
])('%s, whose server %s cannot be reached', async (name, host, next) => {
  const gun = gunOf(parseReference(name));
  expect(gun).toBe(parseGun(name));
  const source = { ...sourceOf(simulator, simulator.now, gun), host, cache: new MemoryCache() };
  for (const load of [updateCollection, inspectExpired]) {
    const error = await failure(load({ ...source, purpose: 'publish' }), 'network-unreachable');
    expect(error.next).toBe(next);
  }
});
