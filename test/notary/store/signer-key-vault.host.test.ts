import { expect, test } from 'bun:test';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { isSignetError, type SignetError } from '../../../src/core/errors/index.ts';
import { decryptKey, encryptKey } from '../../../src/notary/store/key-encryption.ts';
import { SignerKeyVault } from '../../../src/notary/store/signer-key-vault.ts';
import { parsePassphraseFile, signerPassphrases } from '../../../src/notary/store/signer-passphrases.ts';
import { execute } from '../../support/database-server.ts';
import { notarySignerSchema } from '../../support/notary-schema.ts';
import { describeSqlServers, openSql, serverOf } from '../../support/sql-databases.ts';
import { newKey, onlineKeyVaultSuite } from './online-key-vault.suite.ts';

const AT = Date.parse('2026-11-29T12:34:56.789Z');
const ENVIRONMENT = {
  NOTARY_SIGNER_DEFAULT_ALIAS: 'new.er',
  NOTARY_SIGNER_NEW_ER: 'the newer passphrase',
  NOTARY_SIGNER_OLD: 'the older passphrase',
};
const COLUMNS = 'key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, public, private, gun, role';

describeSqlServers(({ name, dialect, start }) => {
  async function signerDatabase(): Promise<string> {
    const url = await (await start()).makeDatabase();
    await execute(url, ...notarySignerSchema(dialect));
    return url;
  }
  async function openVault(url: string, environment: Record<string, string> = ENVIRONMENT): Promise<SignerKeyVault> {
    return new SignerKeyVault(await openSql(serverOf(url), { poolSize: 3 }), signerPassphrases(environment));
  }
  const bytes = (value: Uint8Array | string) => {
    const hex = Buffer.from(value as string).toString('hex');
    return dialect === 'postgres' ? `decode('${hex}', 'hex')` : `X'${hex}'`;
  };
  /** Puts a key there as a signer had it. */
  async function put(
    url: string,
    { key, secret }: ReturnType<typeof newKey>,
    alias: string,
    encrypted: Uint8Array | string,
  ) {
    expect(secret.length).toBeGreaterThan(0);
    await execute(
      url,
      `INSERT INTO private_keys (${COLUMNS}) VALUES ('${key.id}', 'A256GCM', 'PBES2-HS256+A128KW', '${key.type}', '${alias}',
       ${bytes(key.publicBytes)}, ${bytes(encrypted)}, '${key.gun}', '${key.role}')`,
    );
  }

  onlineKeyVaultSuite(`the keys of notary-signer in ${name}`, async () => {
    const url = await signerDatabase();
    return { vault: await openVault(url), second: await openVault(url) };
  });

  test('adds keys as notary-signer does, and marks them when they are used', async () => {
    const url = await signerDatabase();
    const vault = await openVault(url);
    const { key, secret } = newKey('ecdsa');
    await vault.add(key, secret, AT);
    const time = (column: string) =>
      dialect === 'postgres' ? `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS')` : `CAST(${column} AS CHAR)`;
    const times = `${time('created_at')} AS created, ${time('updated_at')} AS updated, ${time('last_used')} AS used`;
    const [row] = await execute(url, `SELECT ${COLUMNS}, deleted_at, ${times} FROM private_keys`);
    const { private: encrypted, public: publicBytes, ...rest } = row ?? {};
    expect(rest).toEqual({
      key_id: key.id,
      encryption_alg: 'A256GCM',
      keywrap_alg: 'PBES2-HS256+A128KW',
      algorithm: 'ecdsa',
      passphrase_alias: 'new.er',
      gun: key.gun,
      role: 'timestamp',
      deleted_at: null,
      created: '2026-11-29 12:34:56',
      updated: '2026-11-29 12:34:56',
      used: null,
    });
    expect(publicBytes).toEqual(key.publicBytes);
    const text = Buffer.from(encrypted as Uint8Array).toString('latin1');
    const header = Buffer.from(text.split('.')[0] ?? '', 'base64url').toString('latin1');
    expect(header).toMatch(/^\{"alg":"PBES2-HS256\+A128KW","enc":"A256GCM","p2c":8192,"p2s":"[\w-]{16}"\}$/);
    expect(text).not.toContain(secret.toString('base64url').slice(10, 40));
    await vault.markUsed(key.id, AT + 61_000);
    const [marked] = await execute(url, `SELECT ${times} FROM private_keys`);
    expect(marked).toEqual({
      created: '2026-11-29 12:34:56',
      updated: '2026-11-29 12:35:57',
      used: '2026-11-29 12:35:57',
    });
  });

  test('opens what signers have sealed: older aliases, more rounds, both forms of Ed25519', async () => {
    const url = await signerDatabase();
    const vault = await openVault(url);
    const [older, slow, short] = [newKey('ecdsa'), newKey('ecdsa'), newKey('ed25519')];
    const old = Buffer.from(ENVIRONMENT.NOTARY_SIGNER_OLD);
    await put(url, older, 'OLD', await encryptKey(older.secret, old));
    const twentyThousand = await new CompactEncrypt(slow.secret)
      .setProtectedHeader({ alg: 'PBES2-HS256+A128KW', enc: 'A256GCM' })
      .setKeyManagementParameters({ p2c: 20_000 })
      .encrypt(old);
    expect(decodeProtectedHeader(twentyThousand).p2c).toBe(20_000);
    await put(url, slow, 'old', twentyThousand);
    await put(url, short, 'old', await encryptKey(short.secret.subarray(32), old));
    for (const { key, secret } of [older, slow, short]) expect(await vault.open(key)).toEqual(secret);
    expect(await vault.lockedAliases()).toEqual([]);
    expect(await (await openVault(url, { NOTARY_SIGNER_OTHER: 'x' })).lockedAliases()).toEqual(
      expect.arrayContaining([{ alias: 'old', keys: 2 }]),
    );
    // None of them is of the alias of new keys, which is what must work.
    await vault.check();
    expect(await vault.newKeysType()).toBe('ed25519');
  });

  test('says which key does not open, why, and what to do', async () => {
    const url = await signerDatabase();
    const { key, secret } = newKey('ecdsa');
    await put(url, { key, secret }, 'lost.one', await encryptKey(secret, Buffer.from('nobody knows')));
    const unknown = await failure(openVault(url).then((vault) => vault.open(key)));
    expect([unknown.code, unknown.message, unknown.next]).toEqual([
      'online-key-unreadable',
      'the passphrase of the alias "lost.one" is not given',
      'Give it as notary-signer takes it: NOTARY_SIGNER_LOST_ONE=PASSPHRASE, in the environment or in the file of --signer-passphrases',
    ]);
    const environment = { ...ENVIRONMENT, NOTARY_SIGNER_LOST_ONE: 'a guess' };
    const checked = openVault(url, { ...environment, NOTARY_SIGNER_DEFAULT_ALIAS: 'lost.one' });
    const wrong = await failure(checked.then((vault) => vault.check()));
    const opened = await failure(openVault(url, environment).then((vault) => vault.open(key)));
    expect(opened.message).toBe(wrong.message);
    expect([wrong.code, wrong.message, wrong.next]).toEqual([
      'online-key-unreadable',
      `cannot open the key ${key.id}: the passphrase given for the alias "lost.one" is wrong`,
      'Give the right one: NOTARY_SIGNER_LOST_ONE=PASSPHRASE',
    ]);
    expect(`${wrong.message}${wrong.next}${String(wrong.cause)}`).not.toContain('a guess');

    const passphrase = Buffer.from(ENVIRONMENT.NOTARY_SIGNER_OLD);
    const [foreign, tooSlow, plain] = [newKey('ecdsa'), newKey('ecdsa'), newKey('ecdsa')];
    await put(url, foreign, 'old', await encryptKey(newKey('ecdsa').secret, passphrase));
    await put(url, plain, 'old', plain.secret);
    const costly = (await encryptKey(tooSlow.secret, passphrase)).toString('latin1').split('.');
    const header = Buffer.from(
      '{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2000000000,"p2s":"AAAAAAAAAAAAAAAA"}',
    );
    await put(url, tooSlow, 'old', [header.toString('base64url'), ...costly.slice(1)].join('.'));
    const vault = await openVault(url);
    const why = async (made: ReturnType<typeof newKey>) => (await failure(vault.open(made.key))).message;
    expect(await why(foreign)).toBe(`cannot open the key ${foreign.key.id}: what is stored is not its private half`);
    for (const made of [plain, tooSlow]) {
      expect(await why(made)).toBe(`cannot open the key ${made.key.id}: it is not encrypted as notary-signer does it`);
    }
  });

  test('a deleted key is gone, and a key for another role or of another kind is none of the server', async () => {
    const url = await signerDatabase();
    const vault = await openVault(url);
    const { key, secret } = newKey();
    await vault.add(key, secret, AT);
    await execute(url, 'UPDATE private_keys SET deleted_at = CURRENT_TIMESTAMP');
    expect(await vault.find(key.id)).toBeUndefined();
    expect(await vault.pending(key.gun, 'timestamp', 'ed25519')).toBeUndefined();
    expect((await failure(vault.open(key))).message).toBe(`cannot open the key ${key.id}: it is no longer there`);
    await execute(url, "UPDATE private_keys SET deleted_at = NULL, role = 'root'");
    expect(await vault.find(key.id)).toBeUndefined();
    await execute(url, "UPDATE private_keys SET role = 'timestamp', algorithm = 'rsa'");
    expect(await vault.find(key.id)).toBeUndefined();
  });

  test('without a default alias new keys get that of the newest key; without any there is no new key', async () => {
    const url = await signerDatabase();
    const { NOTARY_SIGNER_DEFAULT_ALIAS: _, ...environment } = ENVIRONMENT;
    const vault = await openVault(url, environment);
    const [first, next] = [newKey(), newKey('ecdsa')];
    for (const attempt of [() => vault.add(next.key, next.secret, AT), () => vault.check()]) {
      expect((await failure(attempt())).message).toBe('there is no alias of a passphrase for new keys');
    }
    await put(url, first, 'old', await encryptKey(first.secret, Buffer.from(ENVIRONMENT.NOTARY_SIGNER_OLD)));
    await vault.add(next.key, next.secret, AT);
    expect(await execute(url, 'SELECT passphrase_alias AS alias FROM private_keys ORDER BY id')).toEqual([
      { alias: 'old' },
      { alias: 'old' },
    ]);
    const missing = await openVault(url, { NOTARY_SIGNER_DEFAULT_ALIAS: 'nothing' });
    expect((await failure(missing.check())).message).toBe('the passphrase of the alias "nothing" is not given');
    expect(await execute(url, 'SELECT count(*) AS n FROM private_keys').then(([row]) => Number(row?.n))).toBe(2);
  });
});

test('opens what Go has encrypted', async () => {
  const encrypted = [
    'eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJlbmMiOiJBMjU2R0NNIiwicDJjIjo4MTkyLCJwMnMiOiI1Q2dINXNOdVJ4dWhFUHh4In0',
    'QOt0W9QqxToEhHdr8il9TD2ghmH6rfRPu_0wiSylqLlfbI5C5u_7Dg',
    'G82AenyK7ceLMiPt',
    'wHvv8hg',
    'I7wKfhHz0u_6X22btylMHw',
  ].join('.');
  expect((await decryptKey(Buffer.from(encrypted), Buffer.from('testpassword'))).toString()).toBe('hello');
});

test('reads a file of variables as docker does, and says which line it cannot', () => {
  const file = parsePassphraseFile(
    ['# the signer', '', 'NOTARY_SIGNER_DEFAULTALIAS=a =b# c ', '  NOTARY_SIGNER_X="q"\r', 'OTHER=1'].join('\n'),
    'signer.env',
  );
  expect(file).toEqual({ NOTARY_SIGNER_DEFAULTALIAS: 'a =b# c ', NOTARY_SIGNER_X: '"q"' });
  const passphrases = signerPassphrases({ NOTARY_SIGNER_X: 'of the environment', NOTARY_SIGNER_EMPTY: '' }, file);
  expect(passphrases.of('x')?.toString()).toBe('of the environment');
  expect(passphrases.of('defaultalias')?.toString()).toBe('a =b# c ');
  expect(passphrases.of('empty')).toBeUndefined();
  expect(passphrases.defaultAlias).toBeUndefined();
  try {
    parsePassphraseFile('NOTARY_SIGNER_X=1\nsecret', 'signer.env');
    expect.unreachable();
  } catch (error) {
    expect((error as SignetError).message).toBe('line 2 of "signer.env" is not NAME=VALUE');
  }
});

async function failure(work: Promise<unknown>): Promise<SignetError> {
  try {
    await work;
  } catch (error) {
    if (isSignetError(error)) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
