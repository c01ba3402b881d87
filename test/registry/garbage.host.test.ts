import { beforeEach, describe, expect, test } from 'bun:test';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex, digestOf } from '../../src/core/names/digest.ts';
import { DAY, HOUR, type Instant } from '../../src/core/time.ts';
import { sqlRegistryIndex } from '../../src/registry/index/sql-index.ts';
import { SQL_REGISTRY_MIGRATIONS } from '../../src/registry/index/sql-schema.ts';
import type { RegistryOptions } from '../../src/registry/index.ts';
import { migrateSql } from '../../src/store/sql-migrations.ts';
import { random } from '../support/random.ts';
import { describeSqlServers, emptySqlDatabase } from '../support/sql-databases.ts';
import {
  content,
  image,
  imageIndex,
  OCI_INDEX,
  pushBlob,
  pushImage,
  putManifest,
  startRegistry,
  type TestRegistry,
} from './fixture.ts';

/** Now for the registry. Files have the time of the machine, so this one begins there and goes on by hand. */
let now: Instant;
let registry: TestRegistry;
let send: TestRegistry['send'];

describe('garbage collection', () => {
  beforeEach(async () => {
    now = Date.now();
    registry = await startRegistry({ clock: () => now });
    send = registry.send;
  });

  test('keeps what manifests need and removes the rest after a day', async () => {
    const manifest = await pushImage(registry, 'team/app', 1, 'v1');
    const loose = await pushBlob(registry, 'team/app', content(10, 100));
    now += DAY;
    expect(await registry.registry.collectGarbage()).toEqual({ manifests: 0, links: 0, blobs: 0 });
    now += 1;
    expect(await registry.registry.collectGarbage()).toEqual({ manifests: 0, links: 1, blobs: 1 });
    expect(await blobFiles()).toEqual(blobsOf(manifest));
    expect((await send('GET', `/v2/team/app/blobs/${loose}`)).status).toBe(404);
    for (const digest of blobsOf(manifest)) expect(await has('team/app', digest)).toBe(true);
  });

  test('keeps a blob for another day once a client was told that it is there', async () => {
    const loose = await pushBlob(registry, 'team/app', content(10, 100));
    now += DAY - HOUR;
    expect(await has('team/app', loose)).toBe(true);
    now += DAY - HOUR;
    await registry.registry.collectGarbage();
    expect((await send('GET', `/v2/team/app/blobs/${loose}`)).status).toBe(200);
    now += 2 * HOUR;
    await registry.registry.collectGarbage();
    expect((await send('GET', `/v2/team/app/blobs/${loose}`)).status).toBe(404);
  });

  test('keeps a blob for most of a day however recently it was seen before that', async () => {
    const loose = await pushBlob(registry, 'team/app', content(10, 100));
    for (let time = 0; time < 10; time++) {
      now += 5 * HOUR;
      expect(await has('team/app', loose)).toBe(true);
      now += 18 * HOUR;
      await registry.registry.collectGarbage();
    }
    expect(await has('team/app', loose)).toBe(true);
  });

  test('keeps a mounted blob, and the content of which any repository has a link', async () => {
    const loose = await pushBlob(registry, 'team/app', content(10, 100));
    now += DAY - HOUR;
    expect((await send('POST', `/v2/team/new/blobs/uploads/?mount=${loose}&from=team/app`)).status).toBe(201);
    now += 2 * HOUR;
    expect(await registry.registry.collectGarbage()).toEqual({ manifests: 0, links: 1, blobs: 0 });
    expect(await has('team/app', loose)).toBe(false);
    expect((await (await send('GET', `/v2/team/new/blobs/${loose}`)).bytes()).length).toBe(100);
  });

  test('removes the content of deleted manifests and blobs', async () => {
    const manifest = await pushImage(registry, 'team/app', 1, 'v1');
    const [config, layer] = blobsOf(manifest);
    await send('DELETE', `/v2/team/app/manifests/${digestOf(manifest)}`);
    await send('DELETE', `/v2/team/app/blobs/${layer}`);
    expect(await registry.registry.collectGarbage()).toEqual({ manifests: 0, links: 0, blobs: 0 });
    now += DAY + 1;
    expect(await registry.registry.collectGarbage()).toEqual({ manifests: 0, links: 1, blobs: 2 });
    expect(await blobFiles()).toEqual([]);
    expect(await has('team/app', config ?? '')).toBe(false);
    expect((await send('GET', '/v2/team/app/tags/list')).status).toBe(404);
  });

  test('keeps untagged manifests unless told otherwise', async () => {
    const old = await pushImage(registry, 'team/app', 1, 'v1');
    const current = await pushImage(registry, 'team/app', 3, 'v1');
    now += 2 * DAY;
    expect(await registry.registry.collectGarbage()).toEqual({ manifests: 0, links: 0, blobs: 0 });
    expect(await registry.registry.collectGarbage({ removeUntagged: true })).toEqual({
      manifests: 1,
      links: 2,
      blobs: 2,
    });
    expect((await send('GET', `/v2/team/app/manifests/${digestOf(old)}`)).status).toBe(404);
    expect(await blobFiles()).toEqual(blobsOf(current));
  });

  test('keeps what hangs together with a tag, and asks about the rest', async () => {
    const child = await pushImage(registry, 'team/app', 1);
    await putManifest(registry, 'team/app', 'all', imageIndex([child]), OCI_INDEX);
    const signature = await pushImage(registry, 'team/app', 1, undefined, { subject: digestOf(child) });
    const signed = await pushImage(registry, 'team/app', 1, undefined, { annotations: { is: 'signed' } });
    now += 2 * DAY;
    const isNeeded = async (repository: string, digest: Digest) =>
      repository === 'team/app' && digest === digestOf(signed);
    const remove = () => registry.registry.collectGarbage({ removeUntagged: true, isNeeded });
    expect((await remove()).manifests).toBe(0);
    await send('DELETE', '/v2/team/app/manifests/all');
    expect((await remove()).manifests).toBe(3);
    expect(await has('team/app', digestOf(signed), 'manifests')).toBe(true);
    expect(await has('team/app', digestOf(signature), 'manifests')).toBe(false);
  });

  test('keeps an untagged manifest that a client was told of', async () => {
    const digest = digestOf(await pushImage(registry, 'team/app', 1));
    now += DAY - HOUR;
    expect(await has('team/app', digest, 'manifests')).toBe(true);
    now += 2 * HOUR;
    expect((await registry.registry.collectGarbage({ removeUntagged: true })).manifests).toBe(0);
    now += DAY;
    expect((await registry.registry.collectGarbage({ removeUntagged: true })).manifests).toBe(1);
  });

  test('removes old files that the index does not know, and only those', async () => {
    const known = await pushBlob(registry, 'team/app', content(10, 100));
    const [old, fresh] = [await strayFile(11, now - 2 * DAY), await strayFile(12, now)];
    expect((await registry.registry.collectGarbage()).blobs).toBe(1);
    expect(await blobFiles()).toEqual([known, fresh].sort());
    expect(await registry.blobs.read(old)).toBeUndefined();
  });
});

test('uploads that lie still for a day are removed, others are not', async () => {
  now = Date.now();
  registry = await startRegistry({ clock: () => now });
  send = registry.send;
  const begin = async () => (await send('POST', '/v2/team/app/blobs/uploads/')).headers.get('location') ?? '';
  const [still, busy] = [await begin(), await begin()];
  for (const location of [still, busy]) await send('PATCH', location, content(1, 100));
  const uploads = join(registry.folder, 'registry', 'uploads');
  utimesSync(join(uploads, still.slice(-36)), new Date(now - DAY - 1000), new Date(now - DAY - 1000));
  now += 1000;
  expect(await registry.registry.removeStaleUploads()).toBe(1);
  expect((await send('GET', still)).status).toBe(404);
  now += DAY;
  // The other one began long ago, too, by this clock, but its file was written to since.
  utimesSync(join(uploads, busy.slice(-36)), new Date(now), new Date(now));
  expect(await registry.registry.removeStaleUploads()).toBe(0);
  expect((await send('GET', busy)).headers.get('range')).toBe('0-99');
  expect(await registry.index.uploads.startedBefore(now + DAY, '', 10)).toHaveLength(1);
});

test('tidying begins at once and can be ended', async () => {
  const options = { clock: () => Date.now() + 8 * DAY };
  registry = await startRegistry(options);
  const location = (await registry.send('POST', '/v2/team/app/blobs/uploads/')).headers.get('location') ?? '';
  const errors: unknown[] = [];
  const stop = registry.registry.keepTidy((error) => errors.push(error));
  while ((await registry.send('GET', location)).status !== 404) await Bun.sleep(1);
  stop();
  expect(errors).toEqual([]);
});

/**
 * Three clients push and re-use the same few blobs while garbage is collected without pause. The grace period is far
 * too short, so that blobs go all the time; a push may fail for it, but what was acknowledged must be whole.
 */
async function pushWhileCollecting(options: Partial<RegistryOptions>): Promise<void> {
  registry = await startRegistry(options);
  send = registry.send;
  const pool = Array.from({ length: 40 }, (_, number) => content(100 + number, 2000));
  const acknowledged = new Map<string, Buffer>();
  const [start, longest, shortest] = [Date.now(), 50_000, 4000];
  let [pushed, refused, collected, running] = [0, 0, 0, true];
  /** Four seconds, and on a loaded machine as many more as it takes to see pushes, refusals and removals. */
  const isEnough = () => Date.now() - start > shortest && pushed > 10 && refused > 0 && collected > 10;

  const collector = (async () => {
    while (running) {
      const { blobs } = await registry.registry.collectGarbage({ removeUntagged: true });
      collected += blobs;
      await Bun.sleep(1);
    }
  })();
  const pushers = [1, 2, 3].map(async (number) => {
    const next = random(number);
    const pick = () => pool[Math.floor(next() * pool.length)] ?? Buffer.alloc(0);
    for (let count = 0; !isEnough() && Date.now() - start < longest; count++) {
      const repository = `team/app${Math.floor(next() * 2)}`;
      const blobs = [pick(), pick(), pick()];
      for (const blob of blobs) if (!(await providedOnce(repository, blob, next))) refused++;
      // Often enough the push stalls here for longer than the grace period.
      if (next() < 0.1) await Bun.sleep(30);
      const manifest = image(pick(), blobs, { annotations: { count: `${number}-${count}` } });
      const tag = `${number}-${count % 3}`;
      const path = `${repository}/manifests/${tag}`;
      const response = await putManifest(registry, repository, tag, manifest);
      await response.body?.cancel();
      if (response.status === 201) {
        acknowledged.set(path, manifest);
        pushed++;
      } else if (response.status === 400) refused++;
      else throw new Error(`a manifest was answered ${response.status}`);
      const current = acknowledged.get(path);
      if (current !== undefined && next() < 0.5) {
        await expectWhole(path, current);
        acknowledged.delete(path);
        await send('DELETE', `/v2/${path}`);
      }
    }
  });
  await Promise.all(pushers);
  running = false;
  await collector;
  await Bun.sleep(30);
  await registry.registry.collectGarbage({ removeUntagged: true });

  expect(pushed).toBeGreaterThan(10);
  expect(refused).toBeGreaterThan(0);
  expect(collected).toBeGreaterThan(10);
  const needed = new Set<string>();
  for (const [path, manifest] of acknowledged) {
    await expectWhole(path, manifest);
    for (const digest of blobsOf(manifest)) needed.add(digest);
  }
  expect(await blobFiles()).toEqual([...needed].sort() as Digest[]);
}

const TITLE = 'whatever is acknowledged while garbage is collected can be pulled afterwards';
test(TITLE, () => pushWhileCollecting({ grace: 15 }), 90_000);

describeSqlServers((server) => {
  test(TITLE, async () => {
    const database = await emptySqlDatabase(server);
    await migrateSql(database, SQL_REGISTRY_MIGRATIONS);
    await pushWhileCollecting({ grace: 40, index: sqlRegistryIndex(database) });
  }, 90_000);
});

/** The manifest under `<repository>/manifests/<tag>`, and each of its blobs, can be pulled. */
async function expectWhole(path: string, manifest: Buffer): Promise<void> {
  expect(digestOf(await (await send('GET', `/v2/${path}`)).bytes())).toBe(digestOf(manifest));
  for (const digest of blobsOf(manifest)) {
    const blob = await send('GET', `/v2/${path.slice(0, path.indexOf('/manifests/'))}/blobs/${digest}`);
    expect([digest, blob.status]).toEqual([digest, 200]);
    expect(digestOf(await blob.bytes())).toBe(digest);
  }
}

/** Sees to it that the repository has the blob: it has it already, mounts it, or has it pushed. False where it went at once. */
async function providedOnce(repository: string, blob: Buffer, next: () => number): Promise<boolean> {
  const digest = digestOf(blob);
  if (await has(repository, digest)) return true;
  const other = repository === 'team/app0' ? 'team/app1' : 'team/app0';
  if (next() < 0.5) {
    const mounted = await send('POST', `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${other}`);
    if (mounted.status === 201) return true;
  }
  const pushed = await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, blob);
  await pushed.body?.cancel();
  if (pushed.status !== 201 && pushed.status !== 404) throw new Error(`a blob was answered ${pushed.status}`);
  return pushed.status === 201;
}

async function has(repository: string, digest: string, kind = 'blobs'): Promise<boolean> {
  return (await send('HEAD', `/v2/${repository}/${kind}/${digest}`)).status === 200;
}

function blobsOf(manifest: Buffer): Digest[] {
  const { config, layers } = JSON.parse(manifest.toString()) as {
    config: { digest: Digest };
    layers: { digest: Digest }[];
  };
  return [...new Set([config, ...layers].map(({ digest }) => digest))].sort();
}

/** Every blob in the folder, whatever the index says. */
async function blobFiles(): Promise<Digest[]> {
  const files: Digest[] = [];
  for await (const { digest } of registry.blobs.blobs()) files.push(digest);
  return files.sort();
}

/** Puts a blob into the folder that the index has never heard of. */
async function strayFile(seed: number, modified: Instant): Promise<Digest> {
  const bytes = content(seed, 100);
  const digest = digestOf(bytes);
  const upload = await registry.blobs.startUpload();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  await registry.blobs.append(upload, body, { offset: 0, limit: 1000 });
  await registry.blobs.commit(upload, digest, async () => {});
  const prefix = join(registry.folder, 'registry', 'blobs', 'sha256', digestHex(digest).slice(0, 2));
  for (const name of readdirSync(prefix)) {
    if (name === digestHex(digest)) utimesSync(join(prefix, name), new Date(modified), new Date(modified));
  }
  return digest;
}
