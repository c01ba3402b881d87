import { describe, expect, test } from 'bun:test';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { makePublicKey, type PublicKey } from '../../../src/core/keys/public-key.ts';
import type { RoleKeys } from '../../../src/core/metadata/common.ts';
import { parseEnvelope, writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { parseDelegation } from '../../../src/core/names/role.ts';
import type { Signature } from '../../../src/core/signature.ts';
import { DAY, formatTime, parseTime } from '../../../src/core/time.ts';
import { checkExpiry, checkVersion, validSigners, verifyThreshold } from '../../../src/core/verify/verify.ts';
import { failure } from '../../support/failure.ts';
import { type Signer, signaturesOver, tree } from '../../support/forgery.ts';
import { certified } from '../../support/private-keys.ts';
import { GUN, NOW } from '../../support/simulator.ts';

const PAYLOAD = tree({ a: 1 });
const ROLE = parseDelegation('targets/a');

function signer(type: 'ecdsa' | 'ed25519' = 'ecdsa'): Signer {
  const key = generatePrivateKey(type);
  return { key: key.publicKey, private: key };
}

const [A, B, C] = [signer(), signer('ed25519'), signer()];
const sign = (...signers: Signer[]) => signaturesOver(PAYLOAD, signers);
const signed = (signatures: readonly Signature[]) => parseEnvelope(ROLE, writeEnvelope(PAYLOAD, signatures));
const role = (threshold: number, ...keys: PublicKey[]): RoleKeys => ({ keyIds: keys.map(({ id }) => id), threshold });
const keysOf = (...keys: PublicKey[]) => new Map(keys.map((key) => [key.id, key]));
const ALL = keysOf(A.key, B.key, C.key);

function check(signatures: readonly Signature[], { threshold, keyIds }: RoleKeys, keys = ALL) {
  verifyThreshold(signed(signatures), { keys, threshold, keyIds });
}

describe('a threshold', () => {
  test('is met by as many keys of the role, in any order', () => {
    check(sign(A), role(1, A.key));
    check(sign(B, A), role(2, A.key, B.key));
    check(sign(C, A, B), role(3, A.key, B.key, C.key));
    check(sign(B, C), role(1, A.key, B.key));
  });

  const short: [what: string, signatures: readonly Signature[], keys: RoleKeys, known?: typeof ALL][] = [
    ['fewer keys', sign(A), role(2, A.key, B.key)],
    ['keys of others', sign(B, C), role(1, A.key)],
    ['one key twice', [...sign(A), ...sign(A)], role(2, A.key, B.key)],
    ['the same signature twice', Array(5).fill(sign(A)[0]), role(2, A.key, B.key)],
    ['signatures under the ID of another', sign(B).map((one) => ({ ...one, keyId: A.key.id })), role(1, A.key)],
    ['signatures over another payload', signaturesOver(tree({ a: 2 }), [A]), role(1, A.key)],
    ['keys that the role lists, but nobody knows', sign(A), role(1, A.key), keysOf(B.key)],
    ['no key at all', sign(A), role(1)],
  ];
  for (const [what, signatures, keys, known] of short) {
    test(`is not met by ${what}`, async () => {
      const error = await failure(() => check(signatures, keys, known), 'threshold-not-met');
      expect(error.message).toBe('valid signatures did not meet threshold for targets/a');
      expect(error.detail).toMatchObject({ role: ROLE, threshold: keys.threshold });
    });
  }

  test('is not met by nothing', async () => {
    const error = await failure(() => check([], role(1, A.key)), 'signatures-missing');
    expect(error.message).toBe('tuf: data has no signatures');
  });

  test('is met beside any number of useless signatures', () => {
    const bad = sign(A).map((one) => ({ ...one, bytes: Buffer.from(one.bytes.map((byte) => byte ^ 0xff)) }));
    const strange = sign(A).map((one) => ({ ...one, method: 'none' }));
    check([...bad, ...strange, ...sign(C), ...sign(A)], role(1, A.key));
  });
});

describe('one public key counts once', () => {
  const first = certified(A.private, GUN, NOW);
  const second = certified(A.private, GUN, NOW - DAY);
  const keys = keysOf(A.key, first, second, B.key);
  const bySame = [A.key, first, second].flatMap((key) => sign({ key, private: A.private }));

  test('whatever certificates wrap it', async () => {
    expect(new Set(bySame.map(({ keyId }) => keyId)).size).toBe(3);
    expect(validSigners(signed(bySame), { keys, keyIds: [A.key.id, first.id, second.id] })).toEqual(
      new Set([A.key.id]),
    );
    await failure(() => check(bySame, role(2, A.key, first, second), keys), 'threshold-not-met');
    check([...bySame, ...sign(B)], role(2, A.key, first, second, B.key), keys);
  });
});

test('the algorithm comes from the key, whatever the signature says', async () => {
  for (const method of ['eddsa', 'rsapss', 'rsapkcs1v15', 'none', 'ECDSA ']) {
    const renamed = sign(A).map((one) => ({ ...one, method }));
    await failure(() => check(renamed, role(1, A.key)), 'threshold-not-met');
  }
});

test('a key that cannot be used verifies nothing', async () => {
  const broken = makePublicKey('ecdsa', Buffer.from('abc'));
  const claimed = sign(A).map((one) => ({ ...one, keyId: broken.id }));
  await failure(() => check(claimed, role(1, broken), keysOf(broken)), 'threshold-not-met');
});

describe('expiry', () => {
  const at = parseTime('2026-12-07T17:40:23Z');
  const metadata = { version: 1, expires: { text: '2026-12-07T17:40:23Z', at } };

  for (const name of ['root', 'targets', 'snapshot', 'timestamp', ROLE] as const) {
    test(`of ${name} is its last valid moment`, async () => {
      checkExpiry(name, metadata, at - 1);
      checkExpiry(name, metadata, at);
      const error = await failure(() => checkExpiry(name, metadata, at + 1), 'metadata-expired');
      expect(error.next).toEndWith(
        `. If that cannot be, check the clock of this machine: it says ${formatTime(at + 1)}`,
      );
      expect(error.message).toBe(`${name} expired at Mon Dec 7 17:40:23 UTC 2026`);
      expect(error.detail).toEqual({ role: name, expires: '2026-12-07T17:40:23Z' });
    });
  }
});

test('a version may stay or rise', async () => {
  checkVersion('targets', 2, 2);
  checkVersion('targets', 9, 2);
  const error = await failure(() => checkVersion('targets', 1, 2), 'version-rollback');
  expect(error.message).toBe('version 1 is lower than current version 2');
  expect(error.detail).toEqual({ role: 'targets', found: 1, known: 2 });
});
