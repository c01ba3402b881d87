import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';

/** A new key for signing access tokens: PKCS#8 in PEM. All replicas need the same one. */
export function generateTokenKey(): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }));
}

/** Reads what `generateTokenKey` wrote. Throws `token-key-invalid`. */
export function parseTokenKey(pem: Uint8Array): KeyObject {
  const key = readPrivateKey(pem);
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new SignetError('token-key-invalid', 'the key for access tokens is not an EC key on P-256');
  }
  return key;
}

function readPrivateKey(pem: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(pem), format: 'pem' });
  } catch (cause) {
    throw new SignetError('token-key-invalid', 'the key for access tokens is not an unencrypted private key in PEM', {
      cause,
    });
  }
}
