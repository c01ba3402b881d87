import { expect, test } from 'bun:test';
import { fileInfoOf } from '../../src/core/metadata/file-info.ts';
import { digestHex, digestOf } from '../../src/core/names/digest.ts';
import { DAY } from '../../src/core/time.ts';
import { GUN, Owner, TestServer } from './fixture.ts';

/**
 * A server whose database another program has written to: its snapshot has a member that clients pass over, and Signet takes
 * from no one.
 */
async function serverWithForeignSnapshot(): Promise<{ server: TestServer; owner: Owner; snapshot: string }> {
  const server = new TestServer();
  const owner = new Owner(server);
  await owner.publishFirst();
  const read = async (name: string) => (await server.get(name)).text;
  const store = (role: string, text: string) =>
    server.database
      .query('UPDATE tuf_files SET data = ?, sha256 = ? WHERE role = ?')
      .run(Buffer.from(text), digestHex(digestOf(Buffer.from(text))), role);
  const former = await read('snapshot.json');
  const snapshot = former.replace('{"signed":', '{"comment":"from elsewhere","signed":');
  const timestamp = JSON.parse(await read('timestamp.json'));
  const { length, hashes } = fileInfoOf(Buffer.from(snapshot));
  timestamp.signed.meta.snapshot = {
    length,
    hashes: Object.fromEntries([...hashes].map(([name, hash]) => [name, hash.toString('base64')])),
  };
  store('snapshot', snapshot);
  store('timestamp', JSON.stringify(timestamp));
  // As another process would: the revision tells that something has changed.
  server.database
    .query("INSERT INTO changefeed (created_at, gun, version, sha256, category) VALUES (1, ?, 1, '', 'update')")
    .run(GUN);
  return { server, owner, snapshot };
}

test('what clients accept and Signet would not is served as it is, said once, and never renewed', async () => {
  const { server, snapshot } = await serverWithForeignSnapshot();
  const before = server.log.length;
  for (let round = 0; round < 3; round++) {
    for (const role of ['timestamp', 'root', 'targets']) expect((await server.get(`${role}.json`)).status).toBe(200);
    const reply = await server.get('snapshot.json');
    expect([reply.status, reply.text]).toEqual([200, snapshot]);
  }
  server.now += 30 * DAY;
  expect((await server.get('timestamp.json')).status).toBe(200);
  expect(server.log.slice(before)).toEqual([`what is stored of ${GUN} is served as it is, and not renewed`]);
});

test('a publish onto it is refused as what it is', async () => {
  const { server, owner } = await serverWithForeignSnapshot();
  const own = await server.post([], owner.gun);
  expect([own.status, own.text]).toEqual([
    400,
    `${JSON.stringify({
      errors: [
        {
          code: 'INVALID_UPDATE',
          message: 'Update sent by the client is invalid.',
          detail: {
            Name: 'ErrValidation',
            Error: {
              Msg: 'the stored snapshot cannot be built on: the snapshot file has an unknown member "comment"',
            },
          },
        },
      ],
    })}\n`,
  ]);
  expect(server.database.query('SELECT count(*) AS n FROM tuf_files').get()).toEqual({ n: 4 });
});
