import { expect, test } from 'bun:test';
import {
  checkPassword,
  hashPassword,
  unknownPasswordHash,
  verifyPassword,
} from '../../../src/accounts/identity/password.ts';
import { parseUserName } from '../../../src/accounts/identity/user-name.ts';
import { codeOf, PASSWORD, PASSWORD_HASH } from '../world.ts';

const alice = parseUserName('alice');

test.each(['12345678', 'pässwörd', '🐳🐳🐳🐳🐳🐳🐳🐳', 'alice12345678', 'a'.repeat(256), '🐳'.repeat(256), '        '])(
  '%p is fit',
  (password) => {
    expect(() => checkPassword(Buffer.from(password), alice)).not.toThrow();
  },
);

test.each(['', '1234567', '🐳🐳🐳🐳', 'alicealice', 'ALICE-Alice', 'alice1234', 'a'.repeat(257)])(
  '%p is not',
  async (password) => {
    expect(await codeOf(() => checkPassword(Buffer.from(password), alice))).toBe('password-unfit');
  },
);

test('hashes with argon2id, 19 MiB, two passes and a salt of its own', async () => {
  const again = await hashPassword(Buffer.from(PASSWORD));
  expect(PASSWORD_HASH).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
  expect(await unknownPasswordHash()).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
  expect(again).not.toBe(PASSWORD_HASH);
});

test('verifies exactly the password', async () => {
  expect(await verifyPassword(Buffer.from(PASSWORD), PASSWORD_HASH)).toBe(true);
  expect(await verifyPassword(Buffer.from(`${PASSWORD} `), PASSWORD_HASH)).toBe(false);
  expect(await verifyPassword(Buffer.from(''), PASSWORD_HASH)).toBe(false);
  expect(await verifyPassword(Buffer.alloc(5000, 'a'), await hashPassword(Buffer.alloc(5000, 'a')))).toBe(false);
});

test('the longest password that is fit verifies', async () => {
  const password = Buffer.from('🐳'.repeat(256));
  expect(await verifyPassword(password, await hashPassword(password))).toBe(true);
});
