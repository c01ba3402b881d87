import { beforeEach, expect, test } from 'bun:test';
import { parseEnvelope, writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import { readRoot } from '../../../src/core/metadata/root.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { type ProvenKeys, provenKeys } from '../../../src/notary/publish/proven-keys.ts';
import { SqliteMetadataStore } from '../../../src/notary/store/sqlite-metadata-store.ts';
import { GUN, Owner, TestServer } from '../fixture.ts';

const MALLORYS = parseGun('registry.example.com:5000/mallory/app');

let server: TestServer;
let proven: ProvenKeys;
beforeEach(() => {
  server = new TestServer({ keyType: 'ecdsa' });
  proven = provenKeys(new SqliteMetadataStore(server.database));
});

const rootOf = async (gun = GUN) =>
  readRoot(parseEnvelope('root', Buffer.from((await server.get('root.json', gun)).text)).signed);

test('are those that signed the timestamp and the snapshot that are stored', async () => {
  expect(await proven(GUN)).toEqual(new Map());
  await new Owner(server).publishFirst();
  const { roles } = await rootOf();
  const [timestamp, snapshot] = [roles.get('timestamp')?.keyIds[0], roles.get('snapshot')?.keyIds[0]];
  expect([...(await proven(GUN))].sort()).toEqual(
    [
      [timestamp, 'timestamp'],
      [snapshot, 'snapshot'],
    ].sort() as never,
  );
});

test('are none that a root only lists, nor those of a signature that is made up', async () => {
  await new Owner(server).publishFirst();
  const victims = (await rootOf()).roles.get('snapshot')?.keyIds[0];
  const listed = (await rootOf()).keys.get(victims as never);
  if (victims === undefined || listed === undefined) throw new Error('no snapshot key');
  const mallory = new Owner(server, MALLORYS);
  const own = await mallory.publishFirst({ ownSnapshotKey: true }).then(async () => (await rootOf(MALLORYS)).roles);
  const ownId = own.get('snapshot')?.keyIds[0];
  const ownKey = (await rootOf(MALLORYS)).keys.get(ownId as never);
  if (ownKey === undefined) throw new Error('no key of mallory’s');
  // Mallory's root lists the key of another repository beside her own, and her snapshot has a signature in its name.
  const files = new Map(await mallory.edited((editor) => editor.replaceKeys('snapshot', [ownKey, listed], 1)));
  const { signed, signatures } = parseEnvelope('snapshot', files.get('snapshot') ?? Buffer.of());
  const [right] = signatures;
  if (right === undefined) throw new Error('no signature');
  files.set('snapshot', writeEnvelope(signed, [right, { ...right, keyId: victims }]));
  expect((await server.post(files, MALLORYS)).status).toBe(200);
  expect((await rootOf(MALLORYS)).roles.get('snapshot')?.keyIds).toContain(victims);
  expect([...(await proven(MALLORYS)).keys()]).not.toContain(victims);
  expect([...(await proven(MALLORYS)).keys()]).toContain(ownKey.id);
});
