import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { LIMITS } from '../../../src/core/limits.ts';
import { digestHex, digestOf } from '../../../src/core/names/digest.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { formatScope, type Scope } from '../../../src/core/scope.ts';
import type { Gate } from '../../../src/http/gate.ts';
import type { Observer } from '../../../src/notary/http/routes.ts';
import { proposalOf } from '../../core/edit/proposal-store.suite.ts';
import { random } from '../../support/random.ts';
import { codeOf, GUN, Owner, type Reply, stranger, TestServer, user } from '../fixture.ts';

const PATH = `/v2/${GUN}/_trust/signet/proposal`;
const OTHER = parseGun(`${GUN}2`);
const ONE = proposalOf(GUN, 'one');
const TWO = proposalOf(GUN, 'two');
const ABSENT = { 'If-None-Match': '*' };

function put(
  server: TestServer,
  body: Uint8Array | ReadableStream | string,
  headers: Record<string, string>,
  gate?: Gate,
): Promise<Reply> {
  return server.send('PUT', PATH, { body: body as string, headers, ...(gate === undefined ? {} : { gate }) });
}

function matching(proposal: Buffer): Record<string, string> {
  return { 'If-Match': `"${digestHex(digestOf(proposal))}"` };
}

async function stored(server: TestServer, path = PATH): Promise<string | undefined> {
  const { status, text } = await server.send('GET', path);
  return status === 404 ? undefined : text;
}

function refusal(code: string, message: string, detail?: unknown): string {
  return `${JSON.stringify({ errors: [{ code, message, detail }] })}\n`;
}

describe('on the wire', () => {
  test('a proposal is put, read, replaced and removed', async () => {
    const server = new TestServer();
    const none = await server.send('GET', PATH);
    expect([none.status, none.text]).toEqual([
      404,
      refusal('METADATA_NOT_FOUND', 'You have requested metadata that does not exist.', {}),
    ]);

    const created = await put(server, ONE, ABSENT);
    expect([created.status, created.text]).toEqual([204, '']);
    expect(created.headers.get('Content-Length')).toBeNull();
    const read = await server.send('GET', PATH);
    expect([read.status, read.text]).toEqual([200, ONE.toString()]);
    expect(Object.fromEntries(read.headers)).toEqual({
      'cache-control': 'no-store',
      'content-type': 'application/json',
      etag: matching(ONE)['If-Match'] ?? '',
      'last-modified': new Date(server.now).toUTCString(),
    });

    expect((await put(server, TWO, matching(ONE))).status).toBe(204);
    expect(await stored(server)).toBe(TWO.toString());
    const removed = await server.send('DELETE', PATH, { headers: matching(TWO) });
    expect([removed.status, removed.text]).toEqual([204, '']);
    expect(await stored(server)).toBeUndefined();
  });

  test('what was replaced meanwhile is not replaced again', async () => {
    const server = new TestServer();
    const changed = [412, refusal('PROPOSAL_CHANGED', 'Another proposal stands there, or none.')];
    const short = ({ status, text }: Reply) => [status, text];
    expect(short(await put(server, ONE, matching(TWO)))).toEqual(changed);
    await put(server, ONE, ABSENT);
    expect(short(await put(server, TWO, ABSENT))).toEqual(changed);
    expect(short(await put(server, TWO, matching(TWO.subarray(1))))).toEqual(changed);
    expect(short(await server.send('DELETE', PATH, { headers: matching(TWO) }))).toEqual(changed);
    expect(await stored(server)).toBe(ONE.toString());
  });

  test.each([
    {},
    { 'If-None-Match': '"x"' },
    { 'If-None-Match': `"${'a'.repeat(64)}"` },
    { 'If-Match': '*' },
    { 'If-Match': 'a'.repeat(64) },
    { 'If-Match': `"${'A'.repeat(64)}"` },
    { 'If-Match': `W/"${'a'.repeat(64)}"` },
    { 'If-Match': `"${'a'.repeat(64)}", "${'b'.repeat(64)}"` },
    { 'If-Match': `"${'a'.repeat(63)}"` },
    { 'If-Match': '' },
  ])('without saying what it replaces nothing is changed: %j', async (headers) => {
    const server = new TestServer();
    const expected = [
      428,
      refusal('CONDITION_MISSING', 'The request must say what it replaces, with If-Match or If-None-Match.'),
    ];
    for (const method of ['PUT', 'DELETE']) {
      const body = method === 'PUT' ? { body: new Uint8Array(ONE) } : {};
      const { status, text } = await server.send(method, PATH, { headers: headers as Record<string, string>, ...body });
      expect([status, text]).toEqual(expected);
    }
    expect(await stored(server)).toBeUndefined();
  });

  test('a removal needs more than that there be nothing', async () => {
    expect((await new TestServer().send('DELETE', PATH, { headers: ABSENT })).status).toBe(428);
  });

  test.each(['POST', 'HEAD'])('%s is no request for a proposal', async (method) => {
    const server = new TestServer();
    await put(server, ONE, ABSENT);
    expect((await server.send(method, PATH)).status).toBe(404);
  });

  test.each([`${PATH}/`, `${PATH}s`, `/v2/${GUN}/_trust/signet/`, `/v2/${GUN}/_trust/tuf/proposal`])(
    'nothing is put at %s',
    async (path) => {
      const server = new TestServer();
      expect((await server.send('PUT', path, { body: new Uint8Array(ONE), headers: ABSENT })).status).toBe(404);
      expect(await stored(server)).toBeUndefined();
    },
  );
});

describe('what is no proposal is not kept', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', 'proposal'],
    ['another format', '{"format":"signet-proposal-2","gun":"a/b","files":{"targets":"eA=="}}'],
    ['one for another repository', proposalOf(OTHER, 'x').toString()],
    ['one without files', JSON.stringify({ format: 'signet-proposal-1', gun: GUN, files: {} })],
    ['a timestamp', JSON.stringify({ format: 'signet-proposal-1', gun: GUN, files: { timestamp: 'eA==' } })],
    ['a role twice', `{"format":"signet-proposal-1","gun":"${GUN}","files":{"targets":"eA==","targets":"eQ=="}}`],
    ['no base64', JSON.stringify({ format: 'signet-proposal-1', gun: GUN, files: { targets: '!' } })],
    ['a role that leaves', JSON.stringify({ format: 'signet-proposal-1', gun: GUN, files: { '../x': 'eA==' } })],
    ['arrays in arrays', '['.repeat(100_000)],
    ['millions of values', `{"files":[${'0,'.repeat(2_000_000)}0]}`],
    ['bytes that are no text', Buffer.from([0xff, 0xfe])],
  ])('%s', async (_, body) => {
    const server = new TestServer();
    const { status, text } = await put(server, body, ABSENT);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ code: 'INVALID_PROPOSAL' }] });
    expect(await stored(server)).toBeUndefined();
  });

  test('and says why', async () => {
    const { text } = await put(new TestServer(), proposalOf(OTHER, 'x'), ABSENT);
    expect(text).toBe(
      refusal('INVALID_PROPOSAL', 'The proposal is invalid.', 'the proposal is for another repository'),
    );
  });

  test('nor what is packed', async () => {
    const server = new TestServer();
    const { status } = await put(server, gzipSync(ONE), { ...ABSENT, 'Content-Encoding': 'gzip' });
    expect(status).toBe(415);
    expect(await stored(server)).toBeUndefined();
  });

  test('nor what is longer than a publish may be, declared or not', async () => {
    const server = new TestServer();
    const declared = { ...ABSENT, 'Content-Length': String(LIMITS.upload + 1) };
    expect((await put(server, ONE, declared)).status).toBe(413);
    const chunk = new Uint8Array(1024 * 1024).fill(0x20);
    let sent = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        sent += chunk.length;
        controller.enqueue(chunk);
      },
    });
    expect((await put(server, endless, ABSENT)).status).toBe(413);
    expect(sent).toBeLessThanOrEqual(LIMITS.upload + 4 * chunk.length);
    expect(await stored(server)).toBeUndefined();
  });

  test('nor what breaks off', async () => {
    const server = new TestServer();
    const broken = new ReadableStream({
      start: (controller) => {
        controller.enqueue(ONE.subarray(0, 10));
        controller.error(new Error('the line is dead'));
      },
    });
    expect((await put(server, broken, ABSENT)).status).toBe(400);
    expect(await stored(server)).toBeUndefined();
  });

  test('and no garbage is the server\u2019s fault', async () => {
    const server = new TestServer();
    const next = random(11);
    const below = (end: number) => Math.floor(next() * end);
    for (let round = 0; round < 300; round++) {
      const text = Buffer.from(ONE);
      for (let count = 1 + below(4); count > 0; count--) text[below(text.length)] = below(256);
      const reply = await put(server, text, ABSENT);
      expect([204, 400, 412]).toContain(reply.status);
    }
  });
});

describe('access', () => {
  test('reading and writing take the right to publish, of that very name', async () => {
    const server = new TestServer();
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const wanted: Scope[] = [];
      const body = method === 'PUT' ? { body: new Uint8Array(ONE) } : {};
      const init = { gate: stranger(wanted), headers: { ...ABSENT, ...matching(ONE) }, ...body };
      expect(await codeOf(server.send(method, PATH, init))).toBe('unauthorized');
      expect(wanted.map(formatScope)).toEqual([`repository:${GUN}:push,pull`]);
    }
    expect(await stored(server)).toBeUndefined();
  });

  test('a name that the server does not serve is told so before anyone is asked to log in', async () => {
    const server = new TestServer({ gunPrefixes: ['other.example.com/'] });
    const init = { gate: stranger(), headers: ABSENT };
    const reply = await server.send('PUT', PATH, { ...init, body: new Uint8Array(ONE) });
    expect([reply.status, reply.text]).toEqual([
      400,
      refusal(
        'INVALID_GUN',
        'The server does not support actions on images of this name.',
        'Require GUNs with prefix: [other.example.com/]',
      ),
    ]);
    expect((await server.send('GET', PATH, init)).status).toBe(404);
    expect((await server.send('DELETE', PATH, init)).status).toBe(404);
  });

  test.each(['..%2f..%2fetc/app', 'a/..%2fb', 'a/%2e%2e/b', 'a/_trust/tuf/b', '%00', 'a%5cb', `r/${'a'.repeat(300)}`])(
    'there is no proposal for %s',
    async (name) => {
      const server = new TestServer();
      const path = `/v2/${name}/_trust/signet/proposal`;
      const { status } = await server.send('PUT', path, { body: new Uint8Array(ONE), headers: ABSENT });
      expect([400, 404]).toContain(status);
      expect(server.database.query('SELECT count(*) AS rows FROM proposals').get()).toEqual({ rows: 0 });
    },
  );
});

describe('the server', () => {
  test('logs who proposed what, once, and who removed it', async () => {
    const server = new TestServer();
    const alice = user('alice');
    await put(server, ONE, ABSENT, alice);
    await put(server, ONE, ABSENT, alice);
    await server.send('DELETE', PATH, { headers: matching(ONE), gate: alice });
    await server.send('DELETE', PATH, { headers: matching(ONE), gate: alice });
    expect(server.log).toEqual([
      `proposed a change of ${GUN}, checksum ${digestHex(digestOf(ONE))}`,
      `removed the proposed change of ${GUN}`,
    ]);
  });

  test('forgets the proposal with its repository, and no other', async () => {
    const server = new TestServer();
    await new Owner(server).publishFirst();
    await put(server, ONE, ABSENT);
    const otherPath = `/v2/${OTHER}/_trust/signet/proposal`;
    await server.send('PUT', otherPath, { body: new Uint8Array(proposalOf(OTHER, 'x')), headers: ABSENT });
    expect((await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`)).status).toBe(200);
    expect(await stored(server)).toBeUndefined();
    expect(await stored(server, otherPath)).toBe(proposalOf(OTHER, 'x').toString());
    expect(server.log.slice(-2)).toEqual([`removed the proposed change of ${GUN}`, `deleted ${GUN}`]);
  });

  test('forgets one of a repository that was never published', async () => {
    const server = new TestServer();
    await put(server, ONE, ABSENT);
    expect((await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`)).status).toBe(200);
    expect(await stored(server)).toBeUndefined();
  });

  test('that stops in the middle of a deletion deletes the rest when asked again', async () => {
    const server = new TestServer();
    await new Owner(server).publishFirst();
    await put(server, ONE, ABSENT);
    server.database.run(
      "CREATE TEMP TRIGGER crash BEFORE DELETE ON tuf_files BEGIN SELECT RAISE(ABORT, 'killed'); END",
    );
    expect((await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`)).status).toBe(500);
    server.database.run('DROP TRIGGER crash');
    expect((await server.send('DELETE', `/v2/${GUN}/_trust/tuf/`)).status).toBe(200);
    expect(await stored(server)).toBeUndefined();
    expect((await server.get('root.json')).status).toBe(404);
  });

  test('counts these requests by names of their own', async () => {
    const seen: [string, number][] = [];
    const observe: Observer = (operation, status) => seen.push([operation, status]);
    const server = new TestServer({ observe });
    await put(server, ONE, ABSENT);
    await put(server, TWO, ABSENT);
    await server.send('GET', PATH);
    await server.send('DELETE', PATH, { headers: matching(ONE) });
    expect(seen).toEqual([
      ['PutProposal', 204],
      ['PutProposal', 412],
      ['GetProposal', 200],
      ['DeleteProposal', 204],
    ]);
  });

  test('keeps it when it is published to', async () => {
    const server = new TestServer();
    const owner = new Owner(server);
    await owner.publishFirst();
    await put(server, ONE, ABSENT);
    await owner.addTag('v2');
    expect(await stored(server)).toBe(ONE.toString());
  });
});
