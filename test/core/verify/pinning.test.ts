import { describe, expect, test } from 'bun:test';
import { type RootCertificate, rootCertificateOf } from '../../../src/core/keys/certificate.ts';
import { canonicalKeyId, type PublicKey } from '../../../src/core/keys/public-key.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { applyPinning, type Pinning, type RootPin, TRUST_ON_FIRST_USE } from '../../../src/core/verify/pinning.ts';
import { Authority } from '../../support/authority.ts';
import { failure } from '../../support/failure.ts';
import { NO_FIRST_USE } from '../../support/pins.ts';
import { GUN, NOW } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

const keys = new TestKeys();

function certificateOf(key: PublicKey): RootCertificate {
  const found = rootCertificateOf(key);
  if (found === undefined) throw new Error('no certificate');
  return found;
}

const acme = Authority.root('Acme Root');
const other = Authority.root('Other Root');
const [A, B, C] = [keys.makeRoot(GUN, NOW), acme.rootKey(keys, GUN), keys.makeRoot(GUN, NOW)].map(certificateOf);
if (A === undefined || B === undefined || C === undefined) throw new Error('three');

const pins = (...certs: [string, RootPin[]][]): Pinning => ({ ...NO_FIRST_USE, certs: new Map(certs) });
const authorities = (...ca: [string, Authority[]][]): Pinning => ({
  ...NO_FIRST_USE,
  ca: new Map(ca.map(([prefix, list]) => [prefix, list.map(({ certificate }) => certificate)])),
});
const apply = (pinning: Pinning, gun = GUN) => applyPinning(pinning, gun, [A, B], NOW);
const refused = (pinning: Pinning) => failure(() => apply(pinning), 'root-pin-mismatch');

describe('pins (protocol C.7)', () => {
  test('admit the keys they name: by TUF ID, by canonical ID, by certificate', () => {
    for (const pin of [B.keyId, canonicalKeyId(B.key), B.leaf]) expect(apply(pins([GUN, [pin]]))).toEqual([B]);
    expect(apply(pins([GUN, [B.leaf, A.keyId, C.keyId]]))).toEqual([A, B]);
  });

  test('admit nothing else', async () => {
    for (const pin of [C.keyId, canonicalKeyId(C.key), C.leaf, acme.certificate]) await refused(pins([GUN, [pin]]));
    await refused(pins([GUN, []]));
    await refused({ ...pins([GUN, [C.keyId]]), tofu: 'on' });
  });

  test('by canonical ID hold for the key in a new certificate, by TUF ID and by certificate they do not', async () => {
    const again = certificateOf(acme.certify(keys.private(A.key), GUN));
    expect(canonicalKeyId(again.key)).toBe(canonicalKeyId(A.key));
    const renewed = (pin: RootPin) => applyPinning(pins([GUN, [pin]]), GUN, [again], NOW);
    expect(renewed(canonicalKeyId(A.key))).toEqual([again]);
    for (const pin of [A.keyId, A.leaf]) await failure(() => renewed(pin), 'root-pin-mismatch');
  });

  test('for the very name go before those for a prefix, the longer prefix before the shorter', () => {
    expect(apply(pins(['registry.example.com/*', [A.keyId]], [GUN, [B.keyId]]))).toEqual([B]);
    expect(
      apply(pins(['*', [C.keyId]], ['registry.example.com/acme/*', [A.keyId]], ['registry.example.com/*', [B.keyId]])),
    ).toEqual([A]);
    expect(apply(pins(['*', [B.keyId]]))).toEqual([B]);
  });

  test('are one of them alone: a second that would admit more does not apply', async () => {
    await refused(pins(['*', [A.keyId]], [GUN, [C.keyId]]));
    await refused(pins(['*', [A.keyId]], ['registry.example.com/*', [C.keyId]]));
    await refused({ ...authorities(['', [acme]]), certs: new Map([['*', [C.keyId]]]) });
  });

  test('for other names do not apply', async () => {
    for (const name of ['registry.example.com/acme', `${GUN}2`, 'registry.example.com/acm', '', `x${GUN}`, `${GUN}/*`])
      expect(apply(pins([name, [C.keyId]]))).toEqual([A, B]);
  });

  test('for a prefix hold at its very end too, and do not stop at a slash', () => {
    expect(apply(pins([`${GUN}*`, [A.keyId]]))).toEqual([A]);
    expect(apply(pins([`${GUN}*`, [A.keyId]]), parseGun(`${GUN}-2`))).toEqual([A]);
    expect(apply(pins(['registry.example.com/ac*', [A.keyId]]))).toEqual([A]);
    expect(apply(pins(['registry.example.com/acme/*', [A.keyId]]), parseGun('registry.example.com/acme2/a'))).toEqual([
      A,
      B,
    ]);
  });

  test('say by which pattern they refused, and which keys there were', async () => {
    const error = await refused(pins(['registry.example.com/*', [C.keyId]]));
    const found = [canonicalKeyId(A.key), canonicalKeyId(B.key)];
    expect(error.detail).toEqual({ gun: GUN, pattern: 'registry.example.com/*', found });
  });
});

describe('authorities (protocol C.7)', () => {
  test('admit what they issued', async () => {
    expect(apply(authorities(['registry.example.com/', [acme]]))).toEqual([B]);
    expect(apply(authorities(['registry.example.com/', [other, acme]]))).toEqual([B]);
    await refused(authorities(['registry.example.com/', [other]]));
    await refused(authorities(['registry.example.com/', []]));
  });

  test('of the longest prefix apply, with and without a star', async () => {
    for (const star of ['', '*']) {
      expect(apply(authorities([`registry.${star}`, [other]], [`registry.example.com/acme${star}`, [acme]]))).toEqual([
        B,
      ]);
      await refused(authorities([`registry.${star}`, [acme]], [`registry.example.com/acme${star}`, [other]]));
      expect(apply(authorities([`${GUN}${star}`, [acme]]))).toEqual([B]);
      expect(apply(authorities([`${GUN}/${star}`, [other]]))).toEqual([A, B]);
    }
    expect(apply(authorities(['*', [acme]]))).toEqual([B]);
    // The star counts for nothing beside a longer name.
    expect(apply(authorities(['registry*', [other]], ['registry.', [acme]]))).toEqual([B]);
  });

  test('give way to pins', () => {
    expect(apply({ ...authorities([GUN, [acme]]), certs: new Map([['*', [A.keyId]]]) })).toEqual([A]);
    expect(apply({ ...authorities([GUN, [acme]]), certs: new Map([['x*', [A.keyId]]]) })).toEqual([B]);
  });
});

test('without a pin, all are admitted', () => {
  for (const pinning of [TRUST_ON_FIRST_USE, NO_FIRST_USE]) expect(apply(pinning)).toEqual([A, B]);
});
