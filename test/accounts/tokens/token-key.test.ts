import { expect, test } from 'bun:test';
import { generateKeyPairSync } from 'node:crypto';
import { generateTokenKey, parseTokenKey } from '../../../src/accounts/tokens/token-key.ts';
import { codeOf } from '../world.ts';

const pem = (curve: string) =>
  generateKeyPairSync('ec', { namedCurve: curve }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

test('reads what it makes, and makes another key each time', () => {
  const made = generateTokenKey();
  const read = parseTokenKey(made);
  expect(read.type).toBe('private');
  expect(read.export({ type: 'pkcs8', format: 'pem' }).toString()).toBe(made.toString());
  expect(generateTokenKey().equals(made)).toBe(false);
});

test.each([
  ['nothing', ''],
  ['noise', 'noise'],
  ['a key on another curve', pem('P-384')],
  [
    'a damaged key',
    pem('P-256')
      .replace(/[A-Za-z0-9+/]{8}\n/, 'AAAAAAAA\n')
      .slice(0, -60),
  ],
  ['an Ed25519 key', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  [
    'a public key',
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  ],
])('%s is refused', async (_, text) => {
  expect(await codeOf(() => parseTokenKey(Buffer.from(text)))).toBe('token-key-invalid');
});
