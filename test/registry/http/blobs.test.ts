import { beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:tls';
import { type Digest, digestOf } from '../../../src/core/names/digest.ts';
import { content, errorCodes, pushBlob, startRegistry, type TestRegistry } from '../fixture.ts';

const BYTES = content(1, 1_000_000);
const UNKNOWN = digestOf(content(2, 10));

let registry: TestRegistry;
let send: TestRegistry['send'];
let digest: Digest;
let path: string;
beforeAll(async () => {
  registry = await startRegistry();
  send = registry.send;
  digest = await pushBlob(registry, 'team/app', BYTES);
  path = `/v2/team/app/blobs/${digest}`;
});

describe('a blob', () => {
  test('is sent whole, as content that no one should interpret', async () => {
    const response = await send('GET', path);
    expect(response.status).toBe(200);
    expect(headers(response)).toEqual({
      'content-type': 'application/octet-stream',
      'content-length': '1000000',
      'docker-content-digest': digest,
      etag: `"${digest}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'max-age=31536000',
      'content-range': null,
    });
    expect(await response.bytes()).toEqual(new Uint8Array(BYTES));
  });

  test('is described without being sent', async () => {
    const response = await send('HEAD', path);
    expect(response.status).toBe(200);
    expect(headers(response)).toEqual(headers(await send('GET', path)));
    expect(await response.text()).toBe('');
  });

  test('is sent in part', async () => {
    for (const [range, start, end] of [
      ['bytes=0-99', 0, 100],
      ['bytes=999990-', 999_990, 1_000_000],
      ['bytes=-10', 999_990, 1_000_000],
      ['bytes=500000-2000000', 500_000, 1_000_000],
    ] as const) {
      const response = await send('GET', path, undefined, { Range: range });
      expect([range, response.status]).toEqual([range, 206]);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/1000000`);
      expect(response.headers.get('content-length')).toBe(String(end - start));
      expect(response.headers.get('docker-content-digest')).toBe(digest);
      expect(await response.bytes()).toEqual(new Uint8Array(BYTES.subarray(start, end)));
    }
  });

  test('is sent in part on a condition only if it is what the client has a part of', async () => {
    const digest = path.slice(path.lastIndexOf('/') + 1);
    for (const [condition, status] of [
      [`"${digest}"`, 206],
      ['"sha256:0000"', 200],
      [`W/"${digest}"`, 200],
      ['Mon, 01 Jan 2024 00:00:00 GMT', 200],
    ] as const) {
      const response = await send('GET', path, undefined, { Range: 'bytes=0-9', 'If-Range': condition });
      expect([condition, response.status]).toEqual([condition, status]);
    }
  });

  test('is sent whole where the range may be ignored', async () => {
    for (const range of ['bytes=0-1,4-5', 'bytes=9-1', 'lines=1-2', 'bytes=x']) {
      const response = await send('GET', path, undefined, { Range: range });
      expect([range, response.status]).toEqual([range, 200]);
      expect(digestOf(await response.bytes())).toBe(digest);
    }
  });

  test('has nothing behind its end', async () => {
    const response = await send('GET', path, undefined, { Range: 'bytes=1000000-' });
    expect([response.status, await errorCodes(response)]).toEqual([416, ['RANGE_INVALID']]);
    expect(response.headers.get('content-range')).toBe('bytes */1000000');
  });

  test('is not sent to who has it', async () => {
    for (const tag of [`"${digest}"`, `W/"${digest}"`, `"other", "${digest}"`]) {
      const response = await send('GET', path, undefined, { 'If-None-Match': tag });
      expect([tag, response.status, await response.text()]).toEqual([tag, 304, '']);
    }
    expect((await send('GET', path, undefined, { 'If-None-Match': '"other"' })).status).toBe(200);
  });

  test('is there only in its repository', async () => {
    for (const unknown of [`/v2/team/other/blobs/${digest}`, `/v2/team/app/blobs/${UNKNOWN}`]) {
      const response = await send('GET', unknown);
      expect([response.status, await errorCodes(response)]).toEqual([404, ['BLOB_UNKNOWN']]);
      expect((await send('HEAD', unknown)).status).toBe(404);
      expect((await send('DELETE', unknown)).status).toBe(404);
    }
  });

  test('has a digest of a known form', async () => {
    for (const malformed of [
      'latest',
      'sha256:abc',
      `sha256:${'A'.repeat(64)}`,
      `md5:${'0'.repeat(32)}`,
      '..;x',
      '%00',
    ]) {
      for (const method of ['GET', 'DELETE']) {
        const response = await send(method, `/v2/team/app/blobs/${malformed}`);
        expect([malformed, response.status, await errorCodes(response)]).toEqual([malformed, 400, ['DIGEST_INVALID']]);
      }
    }
  });

  test('that lost its file is unknown, and can be pushed again', async () => {
    const bytes = content(3, 1000);
    const lost = await pushBlob(registry, 'team/app', bytes);
    await registry.blobs.remove(lost, (await registry.blobs.version(lost)) ?? '');
    expect((await send('GET', `/v2/team/app/blobs/${lost}`)).status).toBe(404);
    expect((await send('HEAD', `/v2/team/app/blobs/${lost}`)).status).toBe(404);
    await pushBlob(registry, 'team/app', bytes);
    expect((await send('GET', `/v2/team/app/blobs/${lost}`)).status).toBe(200);
  });

  test('can be taken from its repository', async () => {
    const bytes = content(4, 1000);
    const deleted = await pushBlob(registry, 'team/app', bytes);
    await pushBlob(registry, 'team/other', bytes);
    expect((await send('DELETE', `/v2/team/app/blobs/${deleted}`)).status).toBe(202);
    expect((await send('GET', `/v2/team/app/blobs/${deleted}`)).status).toBe(404);
    expect((await send('DELETE', `/v2/team/app/blobs/${deleted}`)).status).toBe(404);
    expect((await send('GET', `/v2/team/other/blobs/${deleted}`)).status).toBe(200);
  });

  test('is given up by the server when the client hangs up', async () => {
    const big = await pushBlob(registry, 'team/app', Buffer.alloc(50_000_000, 7));
    const before = await openFiles();
    for (let time = 0; time < 5; time++) await hangUp(`/v2/team/app/blobs/${big}`);
    while ((await openFiles()) > before) await Bun.sleep(5);
    expect((await (await send('GET', `/v2/team/app/blobs/${big}`)).bytes()).length).toBe(50_000_000);
  });
});

function headers(response: Response): Record<string, string | null> {
  const names = ['content-type', 'content-length', 'docker-content-digest', 'etag', 'accept-ranges', 'cache-control'];
  return Object.fromEntries([...names, 'content-range'].map((name) => [name, response.headers.get(name)]));
}

/** Asks for a blob and closes the connection after the first bytes. */
async function hangUp(blob: string): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: registry.port, rejectUnauthorized: false });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.once('data', () => socket.destroy());
  socket.write(`GET ${blob} HTTP/1.1\r\nHost: x\r\n\r\n`);
  await ended;
}

/** Files of the store that this process, in which the server runs, has open. */
async function openFiles(): Promise<number> {
  const { readdirSync, readlinkSync } = await import('node:fs');
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.includes('/registry/blobs/')).length;
}
