import { describe, expect, test } from 'bun:test';
import { type RootCertificate, rootCertificateOf } from '../../src/core/keys/certificate.ts';
import { parseGun } from '../../src/core/names/gun.ts';
import type { KeyId } from '../../src/core/names/key-id.ts';
import { applyPinning, type Pinning, TRUST_ON_FIRST_USE } from '../../src/core/pinning.ts';
import { failure } from '../support/failure.ts';
import { GUN, NOW } from '../support/simulator.ts';
import { TestKeys } from '../support/test-keys.ts';

const keys = new TestKeys();

function certificate(): RootCertificate {
  const found = rootCertificateOf(keys.makeRoot(GUN, NOW));
  if (found === undefined) throw new Error('no certificate');
  return found;
}

const [A, B, C] = [certificate(), certificate(), certificate()];
const pins = (certs: [string, RootCertificate[]][], tofu = false): Pinning => ({
  certs: new Map(certs.map(([name, list]) => [name, list.map(({ keyId }): KeyId => keyId)])),
  tofu,
});
const apply = (pinning: Pinning, first = true) => applyPinning(pinning, GUN, [A, B], first);

describe('pins (protocol C.7)', () => {
  test('admit the keys they name', () => {
    expect(apply(pins([[GUN, [B]]]))).toEqual([B]);
    expect(apply(pins([[GUN, [B, A, C]]]))).toEqual([A, B]);
  });

  test('admit nothing else, trusted before or not', async () => {
    for (const first of [true, false]) {
      await failure(() => apply(pins([[GUN, [C]]], true), first), 'root-pin-mismatch');
      await failure(() => apply(pins([[GUN, []]], true), first), 'root-pin-mismatch');
    }
  });

  test('for the very name go before those for a prefix, the longer prefix before the shorter', () => {
    expect(
      apply(
        pins([
          ['registry.example.com/*', [A]],
          [GUN, [B]],
        ]),
      ),
    ).toEqual([B]);
    expect(
      apply(
        pins([
          ['*', [C]],
          ['registry.example.com/acme/*', [A]],
          ['registry.example.com/*', [B]],
        ]),
      ),
    ).toEqual([A]);
    expect(apply(pins([['*', [B]]]))).toEqual([B]);
  });

  test('for other names do not apply', async () => {
    for (const name of [
      'registry.example.com/acme',
      `${GUN}2`,
      'registry.example.com/acm',
      '',
      `x${GUN}`,
      `${GUN}/*`,
    ]) {
      expect(apply(pins([[name, [C]]], true))).toEqual([A, B]);
      await failure(() => apply(pins([[name, [A]]])), 'root-pin-mismatch');
    }
  });

  test('for a prefix hold at its very end too', () => {
    expect(apply(pins([[`${GUN}*`, [A]]]))).toEqual([A]);
    const neighbour = parseGun(`${GUN}-2`);
    expect(applyPinning(pins([[`${GUN}*`, [A]]]), neighbour, [A, B], true)).toEqual([A]);
  });
});

describe('without a pin', () => {
  test('the first root is trusted, if that is allowed', async () => {
    expect(apply(TRUST_ON_FIRST_USE)).toEqual([A, B]);
    const error = await failure(() => apply(pins([])), 'root-pin-mismatch');
    expect(error.message).toBe(
      `invalid trust pinning specified: nothing is pinned for ${GUN}, and trust on first use is off`,
    );
  });

  test('what is trusted already stays so', () => {
    expect(apply(pins([]), false)).toEqual([A, B]);
  });
});
