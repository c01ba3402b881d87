import { describe, expect, test } from 'bun:test';
import { canSign, keysMissing, signWith } from '../../../src/core/edit/signing.ts';
import { SignetError } from '../../../src/core/errors/index.ts';
import { generatePrivateKey } from '../../../src/core/keys/private-key.ts';
import { verifySignature } from '../../../src/core/signature.ts';
import type { Signers } from '../../../src/core/verify/signers.ts';
import { failure } from '../../support/failure.ts';
import { certified } from '../../support/private-keys.ts';
import { GUN, NOW } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';

const MESSAGE = Buffer.from('a payload');
const keys = new TestKeys();
const [A, B, C] = [keys.make(), keys.make('ed25519'), keys.make()];
const [X, Y] = [generatePrivateKey('ecdsa').publicKey, generatePrivateKey('ecdsa').publicKey];

function signers(threshold: number, ...of: (typeof A)[]): Signers {
  return { threshold, keyIds: of.map(({ id }) => id), keys: new Map(of.map((key) => [key.id, key])) };
}

describe('signing', () => {
  test('is done with every key that is here, not just with enough', async () => {
    const signatures = await signWith('targets', MESSAGE, signers(1, A, X, B, C), keys);
    expect(signatures.map(({ keyId }) => keyId)).toEqual([A.id, B.id, C.id]);
    for (const [at, key] of [A, B, C].entries()) {
      expect(verifySignature(key, signatures[at] ?? { keyId: key.id, method: '', bytes: MESSAGE }, MESSAGE)).toBe(true);
    }
  });

  test('names the key as the metadata does, though the private key has another ID', async () => {
    const secret = keys.add(generatePrivateKey('ecdsa'));
    const certificate = certified(secret, GUN, NOW);
    const [signature] = await signWith('root', MESSAGE, signers(1, certificate), keys);
    expect(signature?.keyId).toBe(certificate.id);
    expect(certificate.id).not.toBe(secret.id);
  });

  test('with no key here gives no signature', async () => {
    expect(await signWith('targets', MESSAGE, signers(1, X, Y), keys)).toEqual([]);
    expect(await canSign('targets', signers(1, X, Y), keys)).toBe(false);
    expect(await canSign('targets', signers(2, X, A), keys)).toBe(true);
  });

  test('stops where a key is here but stays closed', () => {
    const closed = {
      find: async () => {
        throw new SignetError('key-passphrase-wrong', 'no');
      },
    };
    return failure(signWith('targets', MESSAGE, signers(1, A, B), closed), 'key-passphrase-wrong');
  });
});

describe('what is missing (protocol A.5.2)', () => {
  const shortfall = async (of: Signers) => keysMissing('root', of, await signWith('root', MESSAGE, of, keys));

  test('is reported if no key is here', async () => {
    const error = await shortfall(signers(1, X, Y));
    expect(error.message).toBe(`signing keys not available: need 1 keys from 2 possible keys (${X.id}, ${Y.id})`);
    expect(error.code).toBe('signing-key-missing');
    expect(error.detail).toEqual({ role: 'root', missing: [X.id, Y.id] });
  });

  test('is reported if some keys are here', async () => {
    const error = await shortfall(signers(3, A, X, B, Y));
    expect(error.message).toBe(
      `not enough signing keys: found 2 of 3 needed keys - 2 other possible keys (${X.id}, ${Y.id})`,
    );
  });

  test('names certificates by the key inside, as key files are named', async () => {
    const secret = generatePrivateKey('ecdsa');
    const error = await shortfall(signers(1, certified(secret, GUN, NOW)));
    expect(error.detail.missing).toEqual([secret.id]);
  });
});
