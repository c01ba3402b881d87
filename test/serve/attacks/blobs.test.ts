import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { LIMITS } from '../../../src/core/limits.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import { descriptor, image, OCI_INDEX, OCI_MANIFEST } from '../../registry/fixture.ts';
import { Target } from './target.ts';
import { exchange, HOST, open, received } from './wire.ts';

// Mallory may push to his own repositories, and pushes what is no image, too much of it, or otherwise than he says.

const MiB = 2 ** 20;
const MAX_BLOB = 8 * MiB;
const target = await Target.start({ args: [`--max-blob=${MAX_BLOB}`] });
const access = await target.bearer('mallory', 'repository:mallory/app:pull,push,delete');
const home = '/v2/mallory/app';

interface Verdict {
  readonly status: number;
  readonly code: string | undefined;
}

async function send(method: string, path: string, init: BunFetchRequestInit = {}): Promise<Response> {
  return target.fetch(path, { ...init, method, headers: { ...access, ...(init.headers as Record<string, string>) } });
}

async function verdict(response: Promise<Response>): Promise<Verdict> {
  const { status, ...answer } = await response.then(async (it) => ({ status: it.status, text: await it.text() }));
  const { errors } = JSON.parse(answer.text) as { errors: readonly { code: string }[] };
  return { status, code: errors[0]?.code };
}

async function begun(): Promise<string> {
  return (await send('POST', `${home}/blobs/uploads/`)).headers.get('location') ?? '';
}

/** The head of a request by mallory, for bodies that fetch would not send. */
function head(method: string, path: string, ...headers: readonly string[]): string {
  const lines = [`${method} ${path} HTTP/1.1`, HOST, `Authorization: ${access.Authorization}`, ...headers];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Megabytes without a declared length. */
function endless(megabytes: number): ReadableStream<Uint8Array> {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent++ === megabytes) controller.close();
      else controller.enqueue(new Uint8Array(MiB));
    },
  });
}

test('blobs beyond the limit, with and without a declared length', async () => {
  await target.withstands(async () => {
    const large = { status: 413, code: 'SIZE_INVALID' };
    const whole = `${home}/blobs/uploads/?digest=${digestOf(Buffer.of())}`;
    expect(await verdict(send('POST', whole, { body: endless(64) }))).toEqual(large);
    expect(await verdict(send('POST', whole, { body: new Uint8Array(64 * MiB) }))).toEqual(large);
    expect(await verdict(send('PATCH', await begun(), { body: endless(64) }))).toEqual(large);
    const { statuses } = await exchange(target, head('PATCH', await begun(), 'Content-Length: 9007199254740993'));
    expect(statuses).toEqual([413]);
  });
}, 60_000);

test('lengths and ranges that are not those of the body', async () => {
  await target.withstands(async () => {
    const body = new Uint8Array(10);
    const ranges: readonly (readonly [range: string, status: number])[] = [
      ['0-8', 400],
      ['0-10', 400],
      ['5-14', 416],
      ['9-0', 416],
      ['-1-8', 416],
      ['0-', 416],
      ['bytes=0-9', 416],
      ['bytes 0-9/10', 416],
      ['0-99999999999999999999', 416],
      ['0-9,10-19', 416],
      ['0x0-0x9', 416],
    ];
    for (const [range, status] of ranges) {
      const response = await send('PATCH', await begun(), { body, headers: { 'Content-Range': range } });
      expect([range, response.status]).toEqual([range, status]);
    }
    const range = 'Content-Range: 0-999999999';
    const { statuses } = await exchange(target, `${head('PATCH', await begun(), range, 'Content-Length: 3')}abc`);
    expect(statuses).toEqual([400]);
  });
}, 60_000);

test('a body that ends before its declared length leaves the upload, and nothing else', async () => {
  await target.withstands(async () => {
    const upload = await begun();
    const socket = await open(target);
    socket.write(`${head('PATCH', upload, 'Content-Length: 1000000')}${'a'.repeat(1000)}`);
    socket.end();
    await received(socket);
    const digest = digestOf(Buffer.alloc(1000, 'a'));
    const wrong = digestOf(Buffer.from('what was never sent'));
    expect((await send('PUT', `${upload}?digest=${wrong}`)).status).toBeOneOf([400, 409]);
    expect((await send('GET', `${home}/blobs/${digest}`)).status).toBe(404);
  });
}, 60_000);

test('content that is not what its digest says', async () => {
  await target.withstands(async () => {
    const invalid = { status: 400, code: 'DIGEST_INVALID' };
    const body = new Uint8Array(Buffer.from('another content'));
    const digests = [
      digestOf(Buffer.of()),
      'sha256:',
      'sha256:../../x',
      `sha1:${'a'.repeat(40)}`,
      `SHA256:${'a'.repeat(64)}`,
    ];
    for (const digest of [...digests, `sha256:${'A'.repeat(64)}`, `sha256:${'a'.repeat(65)}`, '']) {
      const query = new URLSearchParams({ digest });
      expect([digest, await verdict(send('POST', `${home}/blobs/uploads/?${query}`, { body }))]).toEqual([
        digest,
        invalid,
      ]);
      expect([digest, await verdict(send('PUT', `${await begun()}?${query}`, { body }))]).toEqual([digest, invalid]);
    }
    const packed = gzipSync(Buffer.alloc(16 * MiB));
    const unpacked = new URLSearchParams({ digest: digestOf(Buffer.alloc(16 * MiB)) });
    const headers = { 'Content-Encoding': 'gzip' };
    expect(await verdict(send('POST', `${home}/blobs/uploads/?${unpacked}`, { body: packed, headers }))).toEqual(
      invalid,
    );
  });
}, 60_000);

const config = Buffer.from('{}');
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const deep = Buffer.from(`${'{"schemaVersion":2,"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`);
const twice = Buffer.from(`{"schemaVersion":2,"schemaVersion":2,${image(config, []).toString().slice(1)}`);
const many = Buffer.from(`{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","a":[${'{},'.repeat(1_000_000)}{}]}`);
const layers = Array.from({ length: 25_000 }, (_, at) => Buffer.from(String(at)));

const INVALID: Verdict = { status: 400, code: 'MANIFEST_INVALID' };
const manifests: readonly (readonly [what: string, bytes: Buffer, type: string, verdict: Verdict])[] = [
  ['no JSON', Buffer.from('{'), OCI_MANIFEST, INVALID],
  ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), OCI_MANIFEST, INVALID],
  ['10,000 levels', deep, OCI_MANIFEST, INVALID],
  ['a key twice', twice, OCI_MANIFEST, INVALID],
  ['a million values', many, OCI_MANIFEST, INVALID],
  ['another type than its own', image(config, []), OCI_INDEX, INVALID],
  ['an unknown type', image(config, []), 'text/html', INVALID],
  [
    'an image that is an index too',
    json({ ...JSON.parse(image(config, []).toString()), manifests: [] }),
    OCI_MANIFEST,
    INVALID,
  ],
  [
    'a negative size',
    json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: { ...descriptor('a', config), size: -1 } }),
    OCI_MANIFEST,
    INVALID,
  ],
  [
    'a digest that is a path',
    json({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: { ...descriptor('a', config), digest: '../../x' } }),
    OCI_MANIFEST,
    INVALID,
  ],
  ['25,000 layers that are not there', image(config, layers), OCI_MANIFEST, INVALID],
  [
    'more bytes than are taken',
    Buffer.alloc(LIMITS.manifest + 1, ' '),
    OCI_MANIFEST,
    { status: 413, code: 'MANIFEST_INVALID' },
  ],
  [
    'what is in the repository of another',
    image(config, []),
    OCI_MANIFEST,
    { status: 400, code: 'MANIFEST_BLOB_UNKNOWN' },
  ],
];

test.each(manifests)(
  '%p in the place of a manifest',
  async (_what, bytes, type, expected) => {
    await target.withstands(async () => {
      const body = new Uint8Array(bytes);
      expect(await verdict(send('PUT', `${home}/manifests/x`, { body, headers: { 'Content-Type': type } }))).toEqual(
        expected,
      );
    });
  },
  60_000,
);

test('a manifest without a declared length ends at the limit', async () => {
  await target.withstands(async () => {
    const headers = { 'Content-Type': OCI_MANIFEST };
    const expected = { status: 413, code: 'MANIFEST_INVALID' };
    expect(await verdict(send('PUT', `${home}/manifests/x`, { body: endless(64), headers }))).toEqual(expected);
  });
}, 60_000);

test('what alice has cannot be mounted, referred to or finished by mallory', async () => {
  const layer = digestOf(Buffer.from('{"architecture":"amd64","os":"linux"}'));
  const hers = await target.bearer('alice', 'repository:alice/app:pull,push');
  const started = await target.fetch('/v2/alice/app/blobs/uploads/', { method: 'POST', headers: hers });
  const upload = started.headers.get('location')?.split('/').at(-1) ?? '';
  await target.withstands(async () => {
    const mount = await send('POST', `${home}/blobs/uploads/?mount=${layer}&from=alice/app`);
    expect(mount.status).toBe(202);
    expect((await send('HEAD', `${home}/blobs/${layer}`)).status).toBe(404);
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
      const own = await send(method, `${home}/blobs/uploads/${upload}?digest=${layer}`);
      const alices = await send(method, `/v2/alice/app/blobs/uploads/${upload}?digest=${layer}`);
      expect([method, own.status, alices.status]).toEqual([method, 404, 401]);
    }
  });
}, 60_000);

test('packed manifests are not unpacked', async () => {
  await target.withstands(async () => {
    const body = gzipSync(Buffer.alloc(256 * MiB, ' '));
    const headers = { 'Content-Type': OCI_MANIFEST, 'Content-Encoding': 'gzip' };
    expect(await verdict(send('PUT', `${home}/manifests/x`, { body, headers }))).toEqual(INVALID);
  });
}, 60_000);
