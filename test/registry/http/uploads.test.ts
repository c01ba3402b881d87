import { beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:tls';
import { type Digest, digestOf } from '../../../src/core/names/digest.ts';
import { newUploadId } from '../../../src/registry/names.ts';
import {
  ALLOW_ALL,
  answer,
  content,
  errorCodes,
  gateWith,
  pushBlob,
  startRegistry,
  type TestRegistry,
} from '../fixture.ts';

const UPLOADS = '/v2/team/app/blobs/uploads/';
const MAX_BLOB = 50_000_000;
const STREAM = { 'Content-Type': 'application/octet-stream' };

let registry: TestRegistry;
let send: TestRegistry['send'];
beforeAll(async () => {
  registry = await startRegistry({ maxBlob: MAX_BLOB });
  send = registry.send;
});

describe('a whole blob', () => {
  test('in one POST', async () => {
    const bytes = content(1, 512);
    const digest = digestOf(bytes);
    const response = await send('POST', `${UPLOADS}?digest=${digest}`, bytes, STREAM);
    await expectCreated(response, digest, bytes);
  });

  test('in a POST and a PUT', async () => {
    const bytes = content(2, 300_000);
    const location = await start();
    const response = await send('PUT', `${location}?digest=${digestOf(bytes)}`, bytes, STREAM);
    await expectCreated(response, digestOf(bytes), bytes);
    expect((await send('GET', location)).status).toBe(404);
  });

  test('of no bytes', async () => {
    const nothing = new Uint8Array();
    const digest = digestOf(nothing);
    await expectCreated(await send('POST', `${UPLOADS}?digest=${digest}`, nothing), digest, nothing);
    await expectCreated(await send('PUT', `${await start()}?digest=${digest}`), digest, nothing);
  });

  test('under a SHA-512 digest', async () => {
    const bytes = content(3, 512);
    const digest = digestOf(bytes, 'sha512');
    await expectCreated(await send('POST', `${UPLOADS}?digest=${digest}`, bytes), digest, bytes);
    await expectCreated(await send('PUT', `${await start()}?digest=${digest}`, bytes), digest, bytes);
  });

  test('with the wrong digest is refused and leaves nothing behind', async () => {
    const [bytes, wrong] = [content(4, 512), digestOf(content(5, 512))];
    const posted = await send('POST', `${UPLOADS}?digest=${wrong}`, bytes);
    expect([posted.status, await errorCodes(posted)]).toEqual([400, ['DIGEST_INVALID']]);
    const location = await start();
    const put = await send('PUT', `${location}?digest=${wrong}`, bytes);
    expect([put.status, await errorCodes(put)]).toEqual([400, ['DIGEST_INVALID']]);
    expect((await send('HEAD', `/v2/team/app/blobs/${wrong}`)).status).toBe(404);
    expect((await send('HEAD', `/v2/team/app/blobs/${digestOf(bytes)}`)).status).toBe(404);
    expect((await send('GET', location)).status).toBe(404);
  });

  test('without a usable digest is refused, and the upload goes on', async () => {
    const bytes = content(6, 512);
    const location = await start();
    for (const query of ['', '?digest=', '?digest=sha256:abc', `?digest=md5:${'0'.repeat(32)}`]) {
      const response = await send('PUT', location + query, bytes);
      expect([response.status, await errorCodes(response)]).toEqual([400, ['DIGEST_INVALID']]);
    }
    expect((await send('POST', `${UPLOADS}?digest=sha256:abc`, bytes)).status).toBe(400);
    await expectCreated(await send('PUT', `${location}?digest=${digestOf(bytes)}`, bytes), digestOf(bytes), bytes);
  });

  test('larger than the registry takes is refused', async () => {
    const response = await send('PATCH', await start(), stream(MAX_BLOB + 1));
    expect([response.status, await errorCodes(response)]).toEqual([413, ['SIZE_INVALID']]);
  });
});

describe('a blob in chunks', () => {
  test('with Content-Range, the last one in the PUT', async () => {
    const bytes = content(10, 3000);
    const location = await start();
    await expectProgress(await patch(location, bytes, 0, 1000), 202, location, '0-999');
    await expectProgress(await send('GET', location), 204, location, '0-999');
    await expectProgress(await patch(location, bytes, 1000, 2000), 202, location, '0-1999');
    const last = await send('PUT', `${location}?digest=${digestOf(bytes)}`, bytes.subarray(2000), {
      'Content-Range': '2000-2999',
    });
    await expectCreated(last, digestOf(bytes), bytes);
  });

  test('with Content-Range, and an empty PUT', async () => {
    const bytes = content(11, 2000);
    const location = await start();
    await patch(location, bytes, 0, 1000);
    await patch(location, bytes, 1000, 2000);
    await expectCreated(await send('PUT', `${location}?digest=${digestOf(bytes)}`), digestOf(bytes), bytes);
  });

  test('as streams of unknown length, as docker sends them', async () => {
    const location = await start();
    await expectProgress(await send('PATCH', location, stream(1_000_000)), 202, location, '0-999999');
    await expectProgress(await send('PATCH', location, stream(500_000)), 202, location, '0-1499999');
    const whole = Buffer.alloc(1_500_000, 7);
    await expectCreated(await send('PUT', `${location}?digest=${digestOf(whole)}`), digestOf(whole), whole);
  });

  test('out of order is refused with the place to continue from', async () => {
    const bytes = content(12, 3000);
    const location = await start();
    await expectRangeRefused(await patch(location, bytes, 1000, 2000), location, '0-0');
    await patch(location, bytes, 0, 1000);
    await expectRangeRefused(await patch(location, bytes, 0, 1000), location, '0-999');
    await expectRangeRefused(await patch(location, bytes, 2000, 3000), location, '0-999');
    const put = await send('PUT', `${location}?digest=${digestOf(bytes)}`, bytes.subarray(2000), {
      'Content-Range': '2000-2999',
    });
    await expectRangeRefused(put, location, '0-999');
    await patch(location, bytes, 1000, 3000);
    await expectCreated(await send('PUT', `${location}?digest=${digestOf(bytes)}`), digestOf(bytes), bytes);
  });

  test('with a malformed Content-Range is refused', async () => {
    const location = await start();
    for (const range of ['bytes 0-9', '9-0', 'x', '0-']) {
      const response = await send('PATCH', location, content(13, 10), { 'Content-Range': range });
      await expectRangeRefused(response, location, '0-0');
    }
  });

  test('whose length is not that of its range is refused', async () => {
    const location = await start();
    const wrongLength = await send('PATCH', location, content(14, 10), { 'Content-Range': '0-10' });
    expect([wrongLength.status, await errorCodes(wrongLength)]).toEqual([400, ['SIZE_INVALID']]);
    await expectProgress(await send('GET', location), 204, location, '0-0');
    const tooLong = await send('PATCH', location, stream(200_000), { 'Content-Range': '0-99999' });
    expect([tooLong.status, await errorCodes(tooLong)]).toEqual([400, ['SIZE_INVALID']]);
  });

  test('to an upload that is written to at this moment is refused', async () => {
    const location = await start();
    const pipe = new TransformStream<Uint8Array, Uint8Array>();
    const writer = pipe.writable.getWriter();
    const first = send('PATCH', location, pipe.readable);
    await writer.write(Buffer.alloc(2_000_000, 7));
    while ((await send('GET', location)).headers.get('range') === '0-0') await Bun.sleep(1);
    const second = await send('PATCH', location, content(15, 10));
    expect([second.status, await errorCodes(second)]).toEqual([409, ['BLOB_UPLOAD_INVALID']]);
    await writer.close();
    await expectProgress(await first, 202, location, '0-1999999');
  });
});

describe('an upload that breaks off', () => {
  test('goes on where it stopped', async () => {
    const whole = Buffer.alloc(3_000_000, 7);
    const location = await start();
    await breakOff(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n`, 1_234_567);
    let end = 0;
    while (end !== 1_234_567) end = await endOf(location);
    await expectProgress(await patch(location, whole, end, whole.length), 202, location, '0-2999999');
    await expectCreated(await send('PUT', `${location}?digest=${digestOf(whole)}`), digestOf(whole), whole);
  });

  test('leaves nothing behind where it cannot be resumed', async () => {
    const digest = digestOf(Buffer.alloc(3_000_000, 8));
    await breakOff(
      `POST ${UPLOADS}?digest=${digest} HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n`,
      1_234_567,
    );
    while (await anyUploadFile()) await Bun.sleep(1);
    expect((await send('HEAD', `/v2/team/app/blobs/${digest}`)).status).toBe(404);
  });
});

describe('an upload', () => {
  test('can be cancelled', async () => {
    const location = await start();
    await send('PATCH', location, content(20, 100));
    expect((await send('DELETE', location)).status).toBe(204);
    for (const [method, path] of [
      ['GET', location],
      ['PATCH', location],
      ['PUT', `${location}?digest=${digestOf(content(20, 100))}`],
      ['DELETE', location],
    ] as const) {
      const response = await send(method, path, method === 'PATCH' ? content(20, 100) : undefined);
      expect([method, response.status, await errorCodes(response)]).toEqual([method, 404, ['BLOB_UPLOAD_UNKNOWN']]);
    }
  });

  test('belongs to its repository', async () => {
    const location = (await start()).replace('team/app', 'team/other');
    expect((await send('PATCH', location, content(21, 100))).status).toBe(404);
    expect((await send('GET', location)).status).toBe(404);
  });

  test.each([newUploadId(), '..;', '%00', 'x', '00000000-0000-0000-0000-000000000000'])(
    '%s is unknown',
    async (uuid) => {
      const response = await send('PATCH', UPLOADS + uuid, content(22, 100));
      expect([response.status, await errorCodes(response)]).toEqual([404, ['BLOB_UPLOAD_UNKNOWN']]);
    },
  );

  test('may begin without the slash at the end', async () => {
    expect((await send('POST', '/v2/team/app/blobs/uploads')).status).toBe(202);
  });
});

describe('a mount', () => {
  const mountUrl = (digest: string, from: string) => `/v2/team/target/blobs/uploads/?mount=${digest}&from=${from}`;

  test('gives the repository the blob of another', async () => {
    const bytes = content(30, 512);
    const digest = await pushBlob(registry, 'team/app', bytes);
    const response = await send('POST', mountUrl(digest, 'team/app'));
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v2/team/target/blobs/${digest}`);
    expect(response.headers.get('docker-content-digest')).toBe(digest);
    expect(await (await send('GET', `/v2/team/target/blobs/${digest}`)).bytes()).toEqual(new Uint8Array(bytes));
  });

  test('becomes an upload where the blob cannot be had', async () => {
    const digest = await pushBlob(registry, 'team/app', content(31, 512));
    const unknown = digestOf(content(32, 512));
    for (const url of [
      mountUrl(unknown, 'team/app'),
      mountUrl(digest, 'team/nobody'),
      mountUrl('sha256:abc', 'team/app'),
      mountUrl(digest, '..%2fapp'),
      `/v2/team/target/blobs/uploads/?mount=${digest}`,
    ]) {
      const response = await send('POST', url);
      expect([url, response.status, response.headers.get('range')]).toEqual([url, 202, '0-0']);
    }
    expect((await send('HEAD', `/v2/team/target/blobs/${digest}`)).status).toBe(404);
  });

  test('needs the right to pull from the other repository', async () => {
    const digest = await pushBlob(registry, 'team/app', content(33, 512));
    registry.gate = gateWith('repository:team/target:pull,push');
    expect((await send('POST', mountUrl(digest, 'team/app'))).status).toBe(202);
    registry.gate = gateWith('repository:team/target:pull,push', 'repository:team/app:pull');
    expect((await send('POST', mountUrl(digest, 'team/app'))).status).toBe(201);
    registry.gate = ALLOW_ALL;
  });
});

async function start(): Promise<string> {
  const response = await send('POST', UPLOADS);
  const location = response.headers.get('location') ?? '';
  expect(response.status).toBe(202);
  expect(location).toMatch(/^\/v2\/team\/app\/blobs\/uploads\/[0-9a-f-]{36}$/);
  expect(response.headers.get('docker-upload-uuid')).toBe(location.slice(-36));
  expect(response.headers.get('range')).toBe('0-0');
  return location;
}

function patch(location: string, bytes: Buffer, from: number, to: number): Promise<Response> {
  return send('PATCH', location, bytes.subarray(from, to), { ...STREAM, 'Content-Range': `${from}-${to - 1}` });
}

/** Bytes of value 7 whose number the client does not say. */
function stream(size: number): ReadableStream {
  let left = size;
  return new ReadableStream({
    pull(controller) {
      const chunk = Buffer.alloc(Math.min(left, 64 * 1024), 7);
      left -= chunk.length;
      if (chunk.length > 0) controller.enqueue(chunk);
      if (left === 0) controller.close();
    },
  });
}

async function endOf(location: string): Promise<number> {
  const [, end] = (await send('GET', location)).headers.get('range')?.split('-') ?? [];
  return Number(end) + 1;
}

async function expectProgress(response: Response, status: number, location: string, range: string): Promise<void> {
  expect([response.status, response.headers.get('range')]).toEqual([status, range]);
  expect(response.headers.get('location')).toBe(location);
  expect(await response.text()).toBe('');
}

async function expectRangeRefused(response: Response, location: string, range: string): Promise<void> {
  expect([response.status, await errorCodes(response)]).toEqual([416, ['RANGE_INVALID']]);
  expect([response.headers.get('location'), response.headers.get('range')]).toEqual([location, range]);
}

async function expectCreated(response: Response, digest: Digest, bytes: Uint8Array): Promise<void> {
  expect(response.status).toBe(201);
  const location = response.headers.get('location') ?? '';
  expect(location).toBe(`/v2/team/app/blobs/${digest}`);
  expect(response.headers.get('docker-content-digest')).toBe(digest);
  expect(await (await send('GET', location)).bytes()).toEqual(new Uint8Array(bytes));
}

/** Sends the head of a request and some bytes of value 7 of its body, then hangs up. */
async function breakOff(head: string, bytes: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: registry.port, rejectUnauthorized: false });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {});
  socket.write(head);
  socket.write(Buffer.alloc(bytes, 7), () => setTimeout(() => socket.destroy(), 50));
  await ended;
}

async function anyUploadFile(): Promise<boolean> {
  const files = new Bun.Glob('*').scan(`${registry.folder}/registry/uploads`);
  for await (const name of files) {
    const open = await registry.index.uploads.startedBefore(Number.MAX_SAFE_INTEGER, '', 1000);
    if (!open.some((upload) => name.startsWith(upload))) return true;
  }
  return false;
}

describe('uploads that are open at one time', () => {
  const DAY = 24 * 3600 * 1000;
  let now: number;
  let crowded: TestRegistry;
  const begin = () => crowded.send('POST', UPLOADS);
  const statuses = async (...requests: Promise<Response>[]) =>
    (await Promise.all(requests)).map(({ status }) => status);

  async function locations(count: number): Promise<string[]> {
    const begun = await Promise.all(Array.from({ length: count }, begin));
    return begun.map(({ headers }) => headers.get('location') ?? '');
  }

  beforeEach(async () => {
    now = Date.now();
    crowded = await startRegistry({ maxUploads: 3, clock: () => now });
  });

  test('are as many as one user may have, and no more', async () => {
    const [first = ''] = await locations(3);
    const refused = await begin();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(await refused.json()).toEqual({
      errors: [
        {
          code: 'TOOMANYREQUESTS',
          message: 'too many requests',
          detail: { reason: '3 uploads are open: finish or cancel some of them' },
        },
      ],
    });
    const bytes = content(90, 10);
    expect(await statuses(crowded.send('POST', `${UPLOADS}?digest=${digestOf(bytes)}`, bytes))).toEqual([201]);
    crowded.gate = gateWith('repository:team/app:pull,push');
    expect(await statuses(begin())).toEqual([202]);
    crowded.gate = ALLOW_ALL;
    expect(await statuses(crowded.send('GET', first), begin())).toEqual([204, 429]);
  });

  test('are no more if many are begun at once', async () => {
    const answers = await statuses(...Array.from({ length: 40 }, begin));
    expect(answers.filter((status) => status === 202)).toHaveLength(3);
    expect(answers.filter((status) => status === 429)).toHaveLength(37);
  });

  test('do not count if they could not begin', async () => {
    const uploads = `${crowded.folder}/registry/uploads`;
    rmSync(uploads, { recursive: true });
    for (let attempt = 0; attempt < 4; attempt++) {
      const request = new Request(`https://127.0.0.1${UPLOADS}`, { method: 'POST' });
      await expect(answer(crowded.registry, request, ALLOW_ALL)).rejects.toThrow('ENOENT');
    }
    mkdirSync(uploads);
    expect(await statuses(begin(), begin(), begin())).toEqual([202, 202, 202]);
    expect(await statuses(begin())).toEqual([429]);
  });

  test('make room when they end, however they end', async () => {
    const bytes = content(91, 10);
    const [finished, cancelled, broken] = await locations(3);
    expect(await statuses(crowded.send('PUT', `${finished}?digest=${digestOf(bytes)}`, bytes))).toEqual([201]);
    expect(await statuses(crowded.send('DELETE', `${cancelled}`))).toEqual([204]);
    expect(await statuses(crowded.send('PUT', `${broken}?digest=${digestOf(bytes)}`, content(92, 10)))).toEqual([400]);
    expect((await locations(3)).includes('')).toBe(false);
    expect(await statuses(begin())).toEqual([429]);
  });

  test('make room when they are removed as abandoned, and not while they are used', async () => {
    const [used = ''] = await locations(3);
    now += DAY - 1000;
    expect(await statuses(crowded.send('PATCH', used, content(93, 10), STREAM))).toEqual([202]);
    await crowded.registry.removeStaleUploads();
    expect(await statuses(begin())).toEqual([429]);
    now += 2000;
    await crowded.registry.removeStaleUploads();
    expect((await locations(2)).includes('')).toBe(false);
    expect(await statuses(begin())).toEqual([429]);
  });

  test('are counted by address if no one is logged in', async () => {
    crowded.gate = { ...ALLOW_ALL, subject: undefined };
    expect(await statuses(begin(), begin(), begin())).toEqual([202, 202, 202]);
    expect(await statuses(begin())).toEqual([429]);
  });
});
