import { expect, test } from 'bun:test';
import { SignetError } from '../../src/core/errors/index.ts';
import { DAY } from '../../src/core/time.ts';
import { LocalOnlineKeys } from '../../src/notary/publish/local-online-keys.ts';
import type { OnlineKeyService } from '../../src/notary/publish/online-key-service.ts';
import { Vault } from '../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../src/notary/publish/sealed-key-vault.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../src/notary/store/sqlite-online-key-store.ts';
import { IN_MEMORY, openDatabase } from '../../src/store/sqlite.ts';
import { MASTER_KEY, NOW, Owner, TestServer } from './fixture.ts';

/** Keys behind a signer that can be lost: everything but the database then fails, as the client of a signer has it. */
function keysThatCanFail() {
  const store = new SqliteOnlineKeyStore(openDatabase(IN_MEMORY, ONLINE_KEY_MIGRATIONS));
  const own = new LocalOnlineKeys(new SealedKeyVault(store, new Vault(MASTER_KEY)), 'ecdsa', () => NOW);
  const state: { failure: SignetError | undefined } = { failure: undefined };
  const check = () => {
    if (state.failure !== undefined) throw state.failure;
  };
  const keys: OnlineKeyService = {
    current: (gun, role, listed) => own.current(gun, role, listed),
    next: async (gun, role, listed) => {
      check();
      return own.next(gun, role, listed);
    },
    signer: (gun, which) => {
      const signer = own.signer(gun, which);
      return {
        sign: async (id, message) => {
          check();
          return signer.sign(id, message);
        },
        settle: () => signer.settle(),
      };
    },
    check: async () => check(),
  };
  return { keys, state };
}

const SILENT = new SignetError('signer-silent', 'the signer signer:7899 did not answer within 5 seconds');

test('without its signer a server publishes nothing, says so, and serves what is stored, expired or not', async () => {
  const { keys, state } = keysThatCanFail();
  const server = new TestServer({ keys });
  const owner = new Owner(server);
  await owner.publishFirst();
  const files = await owner.edited((editor) => editor.witness('targets'));
  const timestamp = (await server.get('timestamp.json')).text;
  state.failure = SILENT;
  const refused = await server.post(files);
  expect([refused.status, refused.text]).toEqual([
    500,
    '{"errors":[{"code":"UNKNOWN","message":"unknown error","detail":{}}]}\n',
  ]);
  expect(server.log.at(-1)).toBe(`POST /v2/${owner.gun}/_trust/tuf/ failed`);
  expect((await server.get('timestamp.json')).text).toBe(timestamp);
  server.now += 30 * DAY;
  expect((await server.get('timestamp.json')).text).toBe(timestamp);
  expect(server.log.at(-1)).toBe(`cannot renew the timestamp of ${owner.gun}`);
  expect(await server.server.health()).toEqual({ 'Trust operational': SILENT.message });
  expect((await server.send('POST', `/v2/${owner.gun}/_trust/tuf/timestamp.key`)).status).toBe(500);

  state.failure = undefined;
  expect((await server.get('timestamp.json')).text).not.toBe(timestamp);
  expect((await server.post(files)).status).toBe(200);
});
