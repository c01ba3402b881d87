import { expect, test } from 'bun:test';
import { temporaryFolder } from '../support/temp.ts';
import { content } from './fixture.ts';
import { type ServerChild, startServer } from './server-child.ts';

const MiB = 1024 * 1024;
const SIZE = (process.env.TEST_SIGNET_BIG === '1' ? 5 * 1024 : 1024) * MiB;
const MOST_MEMORY = 150 * MiB;
const BLOCK = content(1, MiB);
const TLS = { tls: { rejectUnauthorized: false } };

test(`a blob of ${SIZE / MiB} MiB passes through push and pull without filling the memory`, async () => {
  const server = await startServer(temporaryFolder());
  const digest = await hexDigestOf(blocks());

  const begun = await fetch(`${server.url}/v2/big/blobs/uploads/`, { method: 'POST', ...TLS });
  const location = server.url + begun.headers.get('location');
  const patched = await fetch(location, { method: 'PATCH', body: blockStream(), ...TLS });
  expect([patched.status, patched.headers.get('range')]).toEqual([202, `0-${SIZE - 1}`]);
  const finished = await fetch(`${location}?digest=sha256:${digest}`, { method: 'PUT', ...TLS });
  expect(finished.status).toBe(201);
  expectLittleMemory(server);

  const pulled = await fetch(`${server.url}/v2/big/blobs/sha256:${digest}`, TLS);
  expect(pulled.headers.get('content-length')).toBe(String(SIZE));
  expect(await hexDigestOf(pulled.body as unknown as AsyncIterable<Uint8Array>)).toBe(digest);
  expectLittleMemory(server);

  // The hash goes with the process: the restarted one reads the upload from the disk instead.
  expectLittleMemory(await finishAfterRestart(digest));
}, 300_000);

/** Pushes the blob again, to a server that is killed before it is finished. Returns the one that finishes it. */
async function finishAfterRestart(digest: string): Promise<ServerChild> {
  const folder = temporaryFolder();
  const first = await startServer(folder);
  const begun = await fetch(`${first.url}/v2/big/blobs/uploads/`, { method: 'POST', ...TLS });
  const location = begun.headers.get('location');
  await fetch(first.url + location, { method: 'PATCH', body: blockStream(), ...TLS });
  await first.kill();
  const second = await startServer(folder);
  const finished = await fetch(`${second.url}${location}?digest=sha256:${digest}`, { method: 'PUT', ...TLS });
  expect(finished.status).toBe(201);
  return second;
}

function expectLittleMemory(server: ServerChild): void {
  expect(server.peakMemory()).toBeGreaterThan(0);
  expect(server.peakMemory()).toBeLessThan(MOST_MEMORY);
}

/** The blob: blocks that differ from one another in their first bytes. */
async function* blocks(): AsyncGenerator<Uint8Array> {
  for (let number = 0; number < SIZE / MiB; number++) {
    const block = Buffer.from(BLOCK);
    block.writeUInt32BE(number);
    yield block;
  }
}

function blockStream(): ReadableStream<Uint8Array> {
  const source = blocks();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

async function hexDigestOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hasher = new Bun.CryptoHasher('sha256');
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.digest('hex');
}
