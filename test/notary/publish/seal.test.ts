import { expect, test } from 'bun:test';
import { Vault } from '../../../src/notary/publish/seal.ts';
import { codeOf, MASTER_KEY } from '../fixture.ts';

const SECRET = Buffer.from('the private half of a key');
const CONTEXT = ['key id', 'example.com/app', 'timestamp'];

test('opens what it sealed, and never seals twice alike', () => {
  const vault = new Vault(MASTER_KEY);
  const [first, second] = [vault.seal(SECRET, CONTEXT), vault.seal(SECRET, CONTEXT)];
  expect(vault.open(first, CONTEXT)).toEqual(SECRET);
  expect(new Vault(Buffer.from(MASTER_KEY)).open(second, CONTEXT)).toEqual(SECRET);
  expect(first.equals(second)).toBe(false);
  expect(first.includes(SECRET)).toBe(false);
});

test('keeps a copy of the master key', () => {
  const key = Buffer.from(MASTER_KEY);
  const vault = new Vault(key);
  key.fill(0);
  expect(vault.open(new Vault(MASTER_KEY).seal(SECRET, CONTEXT), CONTEXT)).toEqual(SECRET);
});

test.each([
  ['another key ID', ['other id', 'example.com/app', 'timestamp']],
  ['another GUN', ['key id', 'example.com/app2', 'timestamp']],
  ['another role', ['key id', 'example.com/app', 'snapshot']],
  ['names that run together the same way', ['key id', 'example.com/ap', 'ptimestamp']],
])('does not open for %s', async (_, context) => {
  const vault = new Vault(MASTER_KEY);
  expect(await codeOf(() => vault.open(vault.seal(SECRET, CONTEXT), context))).toBe('online-key-unreadable');
});

test('does not open with another master key, or a single changed byte, or a piece missing', async () => {
  const vault = new Vault(MASTER_KEY);
  const sealed = vault.seal(SECRET, CONTEXT);
  expect(await codeOf(() => new Vault(Buffer.alloc(32, 8)).open(sealed, CONTEXT))).toBe('online-key-unreadable');
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(await codeOf(() => vault.open(changed, CONTEXT))).toBe('online-key-unreadable');
    expect(await codeOf(() => vault.open(sealed.subarray(0, at), CONTEXT))).toBe('online-key-unreadable');
  }
});

test.each([0, 16, 31, 33, 64])('refuses a master key of %d bytes', async (length) => {
  expect(await codeOf(() => new Vault(Buffer.alloc(length)))).toBe('master-key-invalid');
});
