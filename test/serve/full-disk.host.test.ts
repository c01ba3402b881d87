import { afterEach, beforeEach, expect, test } from 'bun:test';
import { closeSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/core/names/digest.ts';
import { content, image, OCI_MANIFEST } from '../registry/fixture.ts';
import { atEnd } from '../support/cleanup.ts';
import { run } from '../support/run.ts';
import { target } from '../support/simulator.ts';
import { temporaryFolder } from '../support/temp.ts';
import { Publisher } from './attacks/victim.ts';
import { request, startTestServer, type TestServer } from './fixture.ts';

// A data folder on a small file system of its own, and what is answered when that is full.

const MiB = 2 ** 20;
const SIZE = 48 * MiB;
const UPLOADS = '/v2/alice/app/blobs/uploads/';
const FULL = '{"errors":[{"code":"DISK_FULL","message":"the disk of the server is full"}]}\n';

let disk: string;
let server: TestServer;
beforeEach(async () => {
  disk = temporaryFolder();
  const mounted = await run(['mount', '-t', 'tmpfs', '-o', `size=${SIZE},nr_inodes=2000`, 'signet-test', disk]);
  expect([mounted.stderr, mounted.exitCode]).toEqual(['', 0]);
  const unmount = once(async () => {
    expect((await run(['umount', disk])).exitCode).toBe(0);
  });
  server = await startTestServer({ auth: false, data: join(disk, 'data') });
  close = async () => {
    await server.stop();
    await unmount();
  };
  atEnd(close);
});
afterEach(() => close());
let close: () => Promise<void>;

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

function free(): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

/** Fills the disk to its last byte; the function that it returns empties it again. */
function fill(): () => void {
  const path = join(disk, 'filler');
  const file = openSync(path, 'w');
  try {
    for (const size of [MiB, 4096]) {
      for (;;) writeSync(file, Buffer.alloc(size));
    }
  } catch {
    // A write that is cut short comes before the one that fails.
  }
  try {
    for (;;) writeSync(file, Buffer.alloc(1));
  } catch {
    closeSync(file);
  }
  expect(free()).toBe(0);
  return () => unlinkSync(path);
}

function send(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return request(server, path, { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) });
}

async function answered(response: Promise<Response>): Promise<readonly [number, string]> {
  const { status, headers } = await response;
  expect([status, headers.get('retry-after')]).toEqual([status, status === 507 ? '5' : null]);
  return [status, await (await response).text()];
}

async function begin(): Promise<string> {
  const started = await send('POST', UPLOADS);
  expect(started.status).toBe(202);
  return started.headers.get('location') ?? '';
}

async function pushBlob(bytes: Buffer): Promise<number> {
  return (await send('POST', `${UPLOADS}?digest=${digestOf(bytes)}`, bytes)).status;
}

function publisher(path: string): Publisher {
  const origin = {
    gun: (name: string) => `localhost:${server.port}/${name}`,
    fetch: (url: string, init: BunFetchRequestInit = {}) => request(server, url, init),
    bearer: async () => ({ Authorization: '' }),
  };
  return new Publisher(origin, 'alice', path);
}

async function health(): Promise<readonly [number, string]> {
  const response = await send('GET', '/_signet/health');
  return [response.status, await response.text()];
}

test('an upload that does not fit is refused with 507, and what came of it is freed', async () => {
  const tooMuch = content(1, SIZE + MiB);
  const digest = digestOf(tooMuch);
  const [patched, put] = [await begin(), await begin()];
  const before = free();
  const ways = [
    { method: 'POST', path: `${UPLOADS}?digest=${digest}`, upload: UPLOADS },
    { method: 'PATCH', path: patched, upload: patched },
    { method: 'PUT', path: `${put}?digest=${digest}`, upload: put },
  ];
  for (const { method, path, upload } of ways) {
    expect([method, ...(await answered(send(method, path, tooMuch)))]).toEqual([method, 507, FULL]);
    expect(free()).toBeGreaterThan(before - MiB);
    if (upload !== UPLOADS) expect((await send('GET', upload)).status).toBe(404);
  }
  expect(await health()).toEqual([200, '{}']);
  expect(await pushBlob(content(2, 5 * MiB))).toBe(201);
  expect(server.logged.filter((line) => line.includes('disk-full') || line.includes('is full')).length).toBe(3);
}, 60_000);

test('when nothing is left, pushes and publishes say so, health says so, and reading goes on', async () => {
  const [config, layer] = [Buffer.from('{"architecture":"amd64","os":"linux"}'), content(3, 300_000)];
  for (const blob of [config, layer]) expect(await pushBlob(blob)).toBe(201);
  const manifest = image(config, [layer]);
  const put = (tag: string) =>
    send('PUT', `/v2/alice/app/manifests/${tag}`, manifest, { 'Content-Type': OCI_MANIFEST });
  expect((await put('1')).status).toBe(201);
  const owner = publisher('alice/app');
  await owner.create();
  const location = await begin();

  const empty = fill();
  expect(await health()).toEqual([503, '{"disk":"it is full: 0 bytes are left"}']);
  expect(await answered(send('POST', `${UPLOADS}?digest=${digestOf(content(4, 50_000))}`, content(4, 50_000)))).toEqual(
    [507, FULL],
  );
  expect(await answered(send('PATCH', location, content(5, 50_000)))).toEqual([507, FULL]);
  const statuses = new Set<number>();
  // The journal has room for some; then it has to grow.
  for (let tag = 0; tag < 3000 && !statuses.has(507); tag++) statuses.add((await put(`t${tag}`)).status);
  expect([...statuses].at(-1)).toBe(507);
  const large = await owner.signed(['a', 'a'.repeat(2 * MiB)]);
  expect(await owner.post([['targets', large]])).toBe(507);
  for (const method of ['GET', 'HEAD']) {
    expect((await send(method, '/v2/alice/app/manifests/1')).status).toBe(200);
    expect((await send(method, `/v2/alice/app/blobs/${digestOf(layer)}`)).status).toBe(200);
  }
  expect((await owner.load()).targets.size).toBe(1);

  empty();
  expect(await health()).toEqual([200, '{}']);
  expect((await put('2')).status).toBe(201);
  await owner.edit((editor) => editor.addTarget('targets', '2', target(1)));
}, 60_000);
