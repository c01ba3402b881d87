import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseGun } from '../../../src/core/names/gun.ts';
import { expiryWarnings } from '../../../src/core/verify/expiry-warnings.ts';
import { trustCachedRoot } from '../../../src/core/verify/root-trust.ts';
import { TrustedSet } from '../../../src/core/verify/trusted-set.ts';

const VECTORS = join(import.meta.dir, '../../vectors/acme-app');
const file = (name: string) => readFileSync(join(VECTORS, `${name}.json`));
const NOW = Date.parse('2026-11-23T17:45:36Z');

function acmeApp(): TrustedSet {
  const set = new TrustedSet(trustCachedRoot(parseGun('docker.io/acme/app'), file('root')), NOW);
  set.updateTimestamp(file('timestamp'));
  set.updateSnapshot(file('snapshot'));
  set.updateTargets('targets', file('targets'));
  return set;
}

test('nothing is said of files that have years to go, nor of the timestamp that renews itself', () => {
  expect(expiryWarnings(acmeApp(), NOW)).toEqual([]);
});

test('half a year ahead the signer is told, in the words of Notary', () => {
  const words = 'is nearing expiry, you should re-sign the role metadata';
  expect(expiryWarnings(acmeApp(), Date.parse('2029-07-01T00:00:00Z'))).toEqual([
    `targets metadata ${words}`,
    `snapshot ${words}`,
  ]);
  expect(expiryWarnings(acmeApp(), Date.parse('2036-07-01T00:00:00Z'))).toHaveLength(3);
});
