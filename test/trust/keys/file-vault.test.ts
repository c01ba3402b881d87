import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { SignetError } from '../../../src/core/errors/index.ts';
import type { BundledKey } from '../../../src/core/keys/key-bundle.ts';
import { openKeyFile, sealKey } from '../../../src/core/keys/key-file.ts';
import { generatePrivateKey, type PrivateKey } from '../../../src/core/keys/private-key.ts';
import type { Signer } from '../../../src/core/keys/signer.ts';
import type { KeyId } from '../../../src/core/names/key-id.ts';
import { KeyFolder } from '../../../src/store/key-folder.ts';
import { FileVault } from '../../../src/trust/keys/file-vault.ts';
import type { PassphraseOwner, PassphraseRequest, Passphrases } from '../../../src/trust/keys/passphrases.ts';
import { failure } from '../../support/failure.ts';
import { MemoryKeyStore } from '../../support/memory-key-store.ts';
import { fileOf } from '../../support/private-keys.ts';
import { GUN } from '../../support/simulator.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { keyVaultSuite } from './key-vault.suite.ts';

/** Answers with `answers`, in their order, and remembers what it was asked and what it gave. */
class Script implements Passphrases {
  readonly asked: [kind: 'existing' | 'fresh', alias: string, attempt?: number][] = [];
  readonly given: Buffer[] = [];
  /** What turned out to be right, for which key. */
  readonly approved: [id: string, alias: string, passphrase: string][] = [];
  private readonly answers: string[];

  constructor(...answers: string[]) {
    this.answers = answers;
  }

  async existing({ alias }: PassphraseRequest, attempt: number): Promise<Buffer> {
    this.asked.push(['existing', alias, attempt]);
    return this.next();
  }

  async fresh({ alias }: PassphraseRequest): Promise<Buffer> {
    this.asked.push(['fresh', alias]);
    return this.next();
  }

  async approve({ id, alias }: PassphraseOwner, passphrase: Buffer): Promise<void> {
    expect(this.given).toContain(passphrase);
    this.approved.push([id, alias, passphrase.toString()]);
  }

  private next(): Buffer {
    const answer = this.answers.shift();
    if (answer === undefined) throw new Error('asked once too often');
    const passphrase = Buffer.from(answer);
    this.given.push(passphrase);
    return passphrase;
  }

  get wiped(): boolean[] {
    return this.given.map((passphrase) => passphrase.every((byte) => byte === 0));
  }
}

async function storeWith(...keys: [key: PrivateKey, role: string, passphrase: string][]): Promise<MemoryKeyStore> {
  const store = new MemoryKeyStore();
  for (const [key, role, passphrase] of keys) {
    await store.add(key.id, sealKey(key, { role, passphrase: Buffer.from(passphrase), iterations: 1 }));
  }
  return store;
}

keyVaultSuite('docker’s folder of key files', async () => {
  const folder = new KeyFolder(join(temporaryFolder(), 'trust'));
  return {
    open: () => {
      let asked = 0;
      const answer = async () => {
        asked++;
        return Buffer.from('a passphrase');
      };
      return { vault: new FileVault(folder, { existing: answer, fresh: answer }), questions: () => asked };
    },
    provision: async (role, gun) => {
      const key = generatePrivateKey('ecdsa');
      const passphrase = Buffer.from('a passphrase');
      await folder.add(
        key.id,
        sealKey(key, { role, passphrase, iterations: 1, ...(gun === undefined ? {} : { gun }) }),
      );
      return key.id;
    },
  };
});

const [A, B] = [generatePrivateKey('ecdsa'), generatePrivateKey('ecdsa')];
const MESSAGE = Buffer.from('message');

describe('finding a key', () => {
  test('that is not here finds nothing, and asks nothing', async () => {
    const vault = new FileVault(await storeWith(), new Script());
    expect(await vault.find(A.id, 'targets')).toBeUndefined();
    expect(await vault.has(A.id)).toBe(false);
  });

  test('opens it once', async () => {
    const script = new Script('secret');
    const vault = new FileVault(await storeWith([A, 'alice', 'secret']), script);
    expect(await vault.has(A.id)).toBe(true);
    expect(script.asked).toEqual([]);
    const found = await vault.find(A.id, 'targets');
    expect(found?.id).toBe(A.id);
    expect(await vault.find(A.id, 'root')).toBe(found as Signer);
    expect(script.asked).toEqual([['existing', 'alice', 0]]);
  });

  test('asks for nothing where it lies open', async () => {
    const vault = new FileVault(await storeWith([A, 'alice', '']), new Script());
    expect((await vault.find(A.id, 'targets'))?.id).toBe(A.id);
  });

  test('calls it by the role that asks where its file has none', async () => {
    const script = new Script('secret');
    const vault = new FileVault(await storeWith([A, '', 'secret']), script);
    await vault.find(A.id, 'targets');
    expect(script.asked).toEqual([['existing', 'targets', 0]]);
  });

  test('under the name of another is refused, and the other is wiped', async () => {
    const store = new MemoryKeyStore();
    await store.add(A.id, sealKey(B, { role: 'alice', passphrase: Buffer.of() }));
    const vault = new FileVault(store, new Script());
    await failure(vault.find(A.id, 'targets'), 'key-id-mismatch');
    expect(await vault.has(B.id)).toBe(false);
  });

  test('lists what there is', async () => {
    const vault = new FileVault(await storeWith([A, 'root', 'x']), new Script());
    expect(await vault.list()).toEqual([{ id: A.id, role: 'root', gun: undefined, encrypted: true }]);
  });
});

describe('a wrong passphrase', () => {
  test('may be corrected three times', async () => {
    const script = new Script('wrong', 'wrong again', 'and again', 'secret');
    const vault = new FileVault(await storeWith([A, 'alice', 'secret']), script);
    expect((await vault.find(A.id, 'targets'))?.id).toBe(A.id);
    expect(script.asked.map(([, , attempt]) => attempt)).toEqual([0, 1, 2, 3]);
    expect(script.wiped).toEqual([true, true, true, false]);
  });

  test('four times is the end', async () => {
    const script = new Script('a', 'b', 'c', 'd', 'secret');
    const vault = new FileVault(await storeWith([A, 'alice', 'secret']), script);
    const error = await failure(vault.find(A.id, 'targets'), 'key-passphrase-wrong');
    expect(error.message).toBe('maximum number of passphrase attempts exceeded');
    expect(error.detail).toEqual({ id: A.id, alias: 'alice' });
    expect(script.wiped).toEqual([true, true, true, true]);
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  test('of a source that has no other is the end at once, as with docker’s variables', async () => {
    let asked = 0;
    const source: Passphrases = {
      existing: async (_request, attempt) => {
        asked++;
        if (attempt > 0) throw new SignetError('key-passphrase-wrong', 'password invalid, operation has failed.');
        return Buffer.from('from the environment');
      },
      fresh: async () => Buffer.of(),
    };
    const vault = new FileVault(await storeWith([A, 'alice', 'secret']), source);
    const error = await failure(vault.find(A.id, 'targets'), 'key-passphrase-wrong');
    expect([error.message, asked]).toEqual(['password invalid, operation has failed.', 2]);
  });

  test('does not hide that the file is damaged', async () => {
    const store = await storeWith([A, 'alice', 'secret']);
    const file = await store.load(A.id);
    if (file === undefined) throw new Error('no file');
    const damaged = { ...file, block: { ...file.block, bytes: file.block.bytes.subarray(0, 40) } };
    const script = new Script('secret');
    const vault = new FileVault({ ...store, load: async () => damaged } as unknown as MemoryKeyStore, script);
    await failure(vault.find(A.id, 'targets'), 'key-malformed');
    expect(script.wiped).toEqual([true]);
  });
});

describe('a passphrase that was right', () => {
  test('is tried first on the next key of its alias (protocol C.3)', async () => {
    const script = new Script('secret');
    const vault = new FileVault(await storeWith([A, 'alice', 'secret'], [B, 'alice', 'secret']), script);
    await vault.find(A.id, 'targets');
    expect((await vault.find(B.id, 'targets'))?.id).toBe(B.id);
    expect(script.asked).toHaveLength(1);
  });

  test('is not tried on keys of other aliases', async () => {
    const script = new Script('secret', 'secret');
    const vault = new FileVault(await storeWith([A, 'alice', 'secret'], [B, 'bob', 'secret']), script);
    await vault.find(A.id, 'targets');
    await vault.find(B.id, 'targets');
    expect(script.asked.map(([, alias]) => alias)).toEqual(['alice', 'bob']);
  });

  test('is asked for again, with all attempts, where it does not fit', async () => {
    const script = new Script('one', 'wrong', 'wrong', 'other');
    const vault = new FileVault(await storeWith([A, 'alice', 'one'], [B, 'alice', 'other']), script);
    await vault.find(A.id, 'targets');
    expect((await vault.find(B.id, 'targets'))?.id).toBe(B.id);
    expect(script.asked.map(([, , attempt]) => attempt)).toEqual([0, 0, 1, 2]);
    expect(script.wiped).toEqual([true, true, true, false]);
  });
});

describe('a new key', () => {
  test('is stored under the passphrase that was chosen, for its repository', async () => {
    const script = new Script('chosen');
    const store = new MemoryKeyStore();
    const vault = new FileVault(store, script);
    const key = await vault.create('targets', GUN);
    expect(script.asked).toEqual([['fresh', 'targets']]);
    const file = await store.load(key.id);
    expect(file).toMatchObject({ role: 'targets', gun: GUN, encrypted: true });
    if (file === undefined) throw new Error('no file');
    expect(openKeyFile(file, Buffer.from('chosen')).id).toBe(key.id);
    expect(await vault.find(key.id, 'targets')).toBe(key);
    expect(key.type).toBe('ecdsa');
  });

  test('has the passphrase of its alias, as docker does it', async () => {
    const script = new Script('chosen');
    const vault = new FileVault(new MemoryKeyStore(), script);
    await vault.create('targets', GUN);
    await vault.create('targets', GUN);
    expect(script.asked).toHaveLength(1);
  });

  test('may lie open', async () => {
    const store = new MemoryKeyStore();
    const vault = new FileVault(store, new Script(''));
    expect((await store.load((await vault.create('alice')).id))?.encrypted).toBe(false);
  });

  test('that cannot be stored is not here', async () => {
    const script = new Script('chosen');
    const store = new MemoryKeyStore();
    store.add = async () => {
      throw new SignetError('file-unwritable', 'no space');
    };
    const vault = new FileVault(store, script);
    await failure(vault.import(fileOf(A), { name: 'alice' }), 'file-unwritable');
    expect(await vault.has(A.id)).toBe(false);
    vault.close();
    expect(script.wiped).toEqual([true]);
  });
});

describe('an imported key', () => {
  test('keeps the passphrase that it has, and gets a name if it has none', async () => {
    const script = new Script('wrong', 'secret');
    const store = new MemoryKeyStore();
    const vault = new FileVault(store, script);
    await vault.import(fileOf(A, '', { passphrase: 'secret' }), { name: 'signer' });
    expect(script.asked).toEqual([
      ['existing', 'encrypted', 0],
      ['existing', 'encrypted', 1],
    ]);
    const file = await store.load(A.id);
    expect(file).toMatchObject({ role: 'signer', encrypted: true });
    if (file === undefined) throw new Error('no file');
    expect(openKeyFile(file, Buffer.from('secret')).id).toBe(A.id);
    vault.close();
    expect(script.wiped).toEqual([true, true]);
  });

  test('gets a passphrase where it lies open, and keeps the name it has', async () => {
    const script = new Script('chosen');
    const store = new MemoryKeyStore();
    await new FileVault(store, script).import(fileOf(A, 'alice'), { name: 'signer' });
    expect(script.asked).toEqual([['fresh', 'alice']]);
    expect(await store.load(A.id)).toMatchObject({ role: 'alice', encrypted: true });
  });

  test('that cannot be opened is not stored', async () => {
    const store = new MemoryKeyStore();
    await failure(
      new FileVault(store, new Script('a', 'b', 'c', 'd')).import(fileOf(A, '', { passphrase: 'secret' }), {
        name: 'signer',
      }),
      'key-passphrase-wrong',
    );
    expect(await store.list()).toEqual([]);
  });
});

describe('a key of a bundle', () => {
  const bundled = (role: string, passphrase: string, id?: KeyId): BundledKey => ({
    ...fileOf(A, role, { passphrase }),
    id,
  });
  const AS = { name: 'alice', alias: 'alice' };

  test('that says which it is stays sealed as it is', async () => {
    const store = new MemoryKeyStore();
    const vault = new FileVault(store, new Script());
    expect(await vault.import(bundled('alice', 'secret', A.id), AS)).toEqual({ id: A.id, isNew: true });
    expect(await vault.import(bundled('alice', 'other', A.id), AS)).toEqual({ id: A.id, isNew: false });
    const file = await store.load(A.id);
    expect(file?.block.bytes.length).toBe(bundled('alice', 'secret').file.block.bytes.length);
    await failure(vault.import(bundled('bob', 'secret', A.id), AS), 'key-role-conflict');
  });

  test('is opened with the passphrase of its role where it does not say which it is', async () => {
    const script = new Script('wrong', 'secret');
    const vault = new FileVault(new MemoryKeyStore(), script);
    expect(await vault.import(bundled('alice', 'secret'), AS)).toEqual({ id: A.id, isNew: true });
    expect(script.asked).toEqual([
      ['existing', 'alice', 0],
      ['existing', 'alice', 1],
    ]);
    expect(script.approved).toEqual([[A.id, 'alice', 'secret']]);
  });

  test('that lies open gets a passphrase, whatever it says, and none where it is here already', async () => {
    const script = new Script('chosen');
    const vault = new FileVault(new MemoryKeyStore(), script);
    expect(await vault.import(bundled('alice', '', B.id), AS)).toEqual({ id: A.id, isNew: true });
    vault.close();
    expect(await vault.import(bundled('alice', ''), AS)).toEqual({ id: A.id, isNew: false });
    await failure(vault.import(bundled('bob', ''), AS), 'key-role-conflict');
    expect(script.asked).toEqual([['fresh', 'alice']]);
  });
});

describe('another passphrase', () => {
  test('opens the key in place of the one before, and keeps its role and repository', async () => {
    const store = new MemoryKeyStore();
    await store.add(A.id, sealKey(A, { role: 'targets', gun: GUN, passphrase: Buffer.from('old'), iterations: 1 }));
    const script = new Script('old');
    const vault = new FileVault(store, script);
    const former = await vault.passphraseOf(A.id);
    expect(former?.toString()).toBe('old');
    await vault.reseal(A.id, Buffer.from('new'));
    expect(script.asked).toEqual([['existing', 'targets', 0]]);
    expect(script.approved).toEqual([]);
    const file = await store.load(A.id);
    expect(file).toMatchObject({ role: 'targets', gun: GUN, encrypted: true });
    if (file === undefined) throw new Error('no file');
    expect(openKeyFile(file, Buffer.from('new')).id).toBe(A.id);
    await failure(() => openKeyFile(file, Buffer.from('old')), 'key-passphrase-wrong');
  });

  test('the passphrase of a key is that of this key, not of another of its alias', async () => {
    const script = new Script('one', 'other');
    const vault = new FileVault(await storeWith([A, 'alice', 'one'], [B, 'alice', 'other']), script);
    await vault.find(A.id, 'targets');
    expect((await vault.passphraseOf(B.id))?.toString()).toBe('other');
    const given = await vault.passphraseOf(B.id);
    given?.fill(0);
    expect((await vault.passphraseOf(B.id))?.toString()).toBe('other');
    expect(script.asked).toHaveLength(2);
  });

  test('of a key that lies open is none, and of one that is not here cannot be told', async () => {
    const vault = new FileVault(await storeWith([A, '', '']), new Script());
    expect(await vault.passphraseOf(A.id)).toBeUndefined();
    const error = await failure(vault.passphraseOf(B.id), 'signing-key-missing');
    expect(error.message).toBe(`signing key not found: ${B.id}`);
    await failure(vault.reseal(B.id, Buffer.from('new')), 'signing-key-missing');
  });
});

test('a new key has a passphrase of its own where that is wanted', async () => {
  const script = new Script('secret', 'its own');
  const store = await storeWith([A, 'root', 'secret']);
  const vault = new FileVault(store, script);
  await vault.find(A.id, 'root');
  const { id } = await vault.create('root', undefined, 'its own');
  const file = await store.load(id);
  if (file === undefined) throw new Error('no file');
  expect(openKeyFile(file, Buffer.from('its own')).id).toBe(id);
});

test('an Ed25519 key is no root key', async () => {
  const key = generatePrivateKey('ed25519');
  const store = new MemoryKeyStore();
  const vault = new FileVault(store, new Script('secret'));
  await failure(vault.import(fileOf(key), { name: 'root' }), 'key-unsupported');
  await failure(vault.import(fileOf(key, '', { passphrase: 'secret' }), { name: 'root' }), 'key-unsupported');
  expect(await store.list()).toEqual([]);
});

describe('whoever gave the passphrases is told', () => {
  test('which opened which key, each once', async () => {
    const script = new Script('wrong', 'secret');
    const vault = new FileVault(await storeWith([A, 'alice', 'secret'], [B, 'alice', 'secret']), script);
    for (const { id } of [A, A, B]) await vault.find(id, 'targets');
    expect(script.approved).toEqual([
      [A.id, 'alice', 'secret'],
      [B.id, 'alice', 'secret'],
    ]);
  });

  test('which new keys were sealed with, but not where a key was there already', async () => {
    const script = new Script('chosen');
    const vault = new FileVault(new MemoryKeyStore(), script);
    const { id } = await vault.create('root');
    await vault.import(fileOf(A), { name: 'root' });
    await vault.import(fileOf(A), { name: 'root' });
    expect(script.approved).toEqual([
      [id, 'root', 'chosen'],
      [A.id, 'root', 'chosen'],
    ]);
  });

  test('which an imported key came with, under the name that it gets', async () => {
    const script = new Script('secret');
    const file = fileOf(A, '', { passphrase: 'secret' });
    await new FileVault(new MemoryKeyStore(), script).import(file, { name: 'signer' });
    expect(script.approved).toEqual([[A.id, 'signer', 'secret']]);
  });

  test('nothing of keys that lie open or stay closed', async () => {
    const script = new Script('a', 'b', 'c', 'd');
    const vault = new FileVault(await storeWith([A, 'alice', ''], [B, 'alice', 'secret']), script);
    await vault.find(A.id, 'targets');
    await failure(vault.find(B.id, 'targets'), 'key-passphrase-wrong');
    expect(script.approved).toEqual([]);
  });
});

test('closing wipes every key and every passphrase', async () => {
  const script = new Script('secret', 'chosen');
  const vault = new FileVault(await storeWith([A, 'alice', 'secret'], [B, 'bob', '']), script);
  const keys = [await vault.find(A.id, 'targets'), await vault.find(B.id, 'targets'), await vault.create('root')];
  for (const key of keys) await key?.sign(MESSAGE);
  vault.close();
  expect(script.wiped).toEqual([true, true]);
  for (const key of keys) await failure(async () => key?.sign(MESSAGE), 'key-wiped');
  vault.close();
});

test('a key that is opened again keeps the signers that were given away', async () => {
  const vault = new FileVault(await storeWith([A, 'alice', 'secret']), new Script('secret'));
  const signer = await vault.find(A.id, 'targets');
  await vault.passphraseOf(A.id);
  await vault.reseal(A.id, Buffer.from('new'));
  expect((await signer?.sign(MESSAGE))?.keyId).toBe(A.id);
  expect(await vault.find(A.id, 'targets')).toBe(signer as Signer);
});
