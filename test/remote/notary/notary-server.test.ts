import { describe, expect, test } from 'bun:test';
import { CHAIN_TYPE } from '../../../src/core/chain.ts';
import { makePublicKey, publicKeyWire } from '../../../src/core/keys/public-key.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, type RoleName } from '../../../src/core/names/role.ts';
import { AuthorizedClient } from '../../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { multipartUpload } from '../../../src/remote/notary/multipart.ts';
import { NotaryServer } from '../../../src/remote/notary/notary-server.ts';
import { failure } from '../../support/failure.ts';
import { makeAuthority } from '../certificates.ts';
import { serve } from '../servers.ts';

const GUN = parseGun('reg.example:5000/team/app');
const SHA = 'ab'.repeat(32);
const KEY = makePublicKey('ed25519', Buffer.alloc(32, 7));
const authority = makeAuthority('the authority');
const certificate = authority.issue(['localhost']);

function connect(address: string, actions?: ConstructorParameters<typeof NotaryServer>[2]): NotaryServer {
  const connection = { authorities: [Buffer.from(authority.cert)], identities: [], verify: true, address: undefined };
  const http = new HttpClient({ userAgent: 'test', connectionFor: async () => connection, sleep: async () => {} });
  const client = new AuthorizedClient({ http, logins: [], tokens: new MemoryTokens() });
  return new NotaryServer(new URL(address), client, actions);
}

function answering(status: number, body: unknown = '') {
  return serve(() => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status }), certificate);
}

function invalidUpdate(detail: unknown) {
  return { errors: [{ code: 'INVALID_UPDATE', message: 'Update sent by the client is invalid.', detail }] };
}

describe('reading', () => {
  test.each([
    [{ role: 'timestamp' }, 'timestamp.json'],
    [{ role: 'root', version: 2 }, '2.root.json'],
    [{ role: 'snapshot', sha256: SHA }, `snapshot.${SHA}.json`],
    [{ role: parseDelegation('targets/releases'), sha256: SHA }, `targets/releases.${SHA}.json`],
  ] as const)('asks for the file by its name: %j', async (file, name) => {
    const server = serve(() => new Response('the bytes'), certificate);
    expect((await connect(server.origin).read(GUN, file, 100)).toString()).toBe('the bytes');
    const [request] = server.requests;
    expect(request?.method).toBe('GET');
    expect(new URL(request?.url ?? '').pathname).toBe(`/v2/reg.example:5000/team/app/_trust/tuf/${name}`);
  });

  test('keeps the path of the address, and GUNs with an IPv6 address', async () => {
    const server = serve(() => new Response('x'), certificate);
    await connect(`${server.origin}/trust`).read(parseGun('[::1]:5000/a'), { role: 'root' }, 100);
    expect(new URL(server.requests[0]?.url ?? '').pathname).toBe('/trust/v2/[::1]:5000/a/_trust/tuf/root.json');
  });

  test.each([
    [404, 'trust-data-missing', '2.root trust data unavailable.  Has a notary repository been initialized?'],
    [
      401,
      'unauthorized',
      `you are not authorized to perform this operation: server returned 401. HOST refuses access to ${GUN}`,
    ],
    [400, 'server-error', 'trust server rejected operation.'],
    [403, 'server-error', 'unable to reach trust server at this time: 403.'],
    [500, 'server-error', 'unable to reach trust server at this time: 500.'],
    [503, 'server-error', 'unable to reach trust server at this time: 503.'],
    [301, 'server-error', 'unable to reach trust server at this time: 301.'],
    [201, 'server-error', 'unable to reach trust server at this time: 201.'],
  ] as const)('answered with %d fails in the words of docker', async (status, code, message) => {
    const server = answering(status);
    const error = await failure(connect(server.origin).read(GUN, { role: 'root', version: 2 }, 100), code);
    expect(error.message).toBe(message.replace('HOST', new URL(server.origin).host));
  });

  test('does not follow a redirect', async () => {
    const target = answering(200, 'trust me');
    const server = serve(() => Response.redirect(`${target.origin}/`, 302), certificate);
    await failure(connect(server.origin).read(GUN, { role: 'root' }, 100), 'server-error');
    expect(target.requests).toHaveLength(0);
  });

  test('refuses more bytes than were promised', async () => {
    const server = answering(200, 'x'.repeat(101));
    const error = await failure(connect(server.origin).read(GUN, { role: 'root' }, 100), 'response-too-large');
    expect(error.message).toBe('trust server returned a bad response.');
    expect(await connect(server.origin).read(GUN, { role: 'root' }, 101)).toHaveLength(101);
  });

  test('fails where the server is gone', async () => {
    await failure(connect('https://localhost:1').read(GUN, { role: 'root' }, 100), 'network-unreachable');
  });

  test('asks for the rights that it was made with', async () => {
    const scopes: (string | null)[] = [];
    const service = serve((_, url) => {
      scopes.push(url.searchParams.get('scope'));
      return Response.json({ token: 'abc' });
    }, certificate);
    const headers = { 'WWW-Authenticate': `Bearer realm="${service.origin}/token",service="s",scope="other"` };
    const server = serve(
      (request) =>
        request.headers.has('authorization') ? new Response('x') : new Response('', { status: 401, headers }),
      certificate,
    );
    await connect(server.origin).read(GUN, { role: 'root' }, 100);
    await connect(server.origin, ['pull', 'push']).read(GUN, { role: 'root' }, 100);
    await connect(server.origin).publish(GUN, new Map());
    await connect(server.origin).remove(GUN);
    const name = 'repository:reg.example:5000/team/app';
    expect(scopes).toEqual([`${name}:pull`, `${name}:pull,push`, `${name}:pull,push`, `${name}:*`]);
  });
});

describe('the latest timestamp', () => {
  const chain = (files: Record<string, string>, more = '') => {
    const body = Object.entries(files).map(([name, text]) => `${name} ${Buffer.byteLength(text)}\n${text}\n`);
    return answeringWith(`${body.join('')}${more}`, CHAIN_TYPE);
  };
  const answeringWith = (body: string, type = 'text/plain; charset=utf-8') =>
    serve(() => new Response(body, { headers: { 'Content-Type': type } }), certificate);

  test('is asked for once, with what is here already', async () => {
    const server = answeringWith('{}');
    const notary = connect(server.origin);
    expect(await notary.latest(GUN, {})).toEqual({ timestamp: Buffer.from('{}'), chain: undefined });
    await notary.latest(GUN, { root: SHA, timestamp: SHA });
    expect(server.requests.map(({ url, headers }) => [new URL(url).pathname, headers.get('signet-chain')])).toEqual([
      ['/v2/reg.example:5000/team/app/_trust/tuf/timestamp.json', 'none'],
      ['/v2/reg.example:5000/team/app/_trust/tuf/timestamp.json', `root=${SHA}, timestamp=${SHA}`],
    ]);
  });

  test('may bring other files along', async () => {
    const { timestamp, chain: files } = await connect(chain({ root: 'r', timestamp: 't', targets: '' }).origin).latest(
      GUN,
      {},
    );
    expect(timestamp.toString()).toBe('t');
    expect([...(files ?? [])].map(([name, bytes]) => [name, bytes.toString()])).toEqual([
      ['root', 'r'],
      ['timestamp', 't'],
      ['targets', ''],
    ]);
  });

  test.each([
    ['without a timestamp', { root: 'r' }, ''],
    ['that is cut', { timestamp: 't' }, 'root 3\nab'],
    ['with a file twice', { timestamp: 't' }, 'timestamp 1\nu\n'],
    ['that is something else', {}, '<html>'],
  ])('in a chain %s is refused', async (_, files, more) => {
    await failure(connect(chain(files, more).origin).latest(GUN, {}), 'response-invalid');
  });

  test('in a chain of another form is taken for what it then is', async () => {
    const server = answeringWith('timestamp 1\nt\n', `${CHAIN_TYPE.replace('v1', 'v2')}`);
    expect((await connect(server.origin).latest(GUN, {})).chain).toBeUndefined();
  });

  test.each([
    ['alone', (size: number) => answeringWith('x'.repeat(size)), LIMITS.timestamp],
    ['in a chain', (size: number) => chain({ timestamp: 'x'.repeat(size) }), LIMITS.timestamp],
    [
      'with all that comes along',
      (size: number) => chain({ timestamp: 't', root: 'x'.repeat(size) }),
      LIMITS.chain - 30,
    ],
  ] as const)('is bounded %s', async (_, server, limit) => {
    await connect(server(limit).origin).latest(GUN, {});
    const error = await failure(connect(server(limit + 100).origin).latest(GUN, {}), 'response-too-large');
    expect(error.message).toBe('trust server returned a bad response.');
  });

  test.each([
    [404, 'trust-data-missing'],
    [401, 'unauthorized'],
    [500, 'server-error'],
  ] as const)('answered with %d fails as every file does', async (status, code) => {
    await failure(connect(answering(status).origin).latest(GUN, {}), code);
  });
});

describe('keys', () => {
  test('are read and rotated', async () => {
    const server = answering(200, publicKeyWire(KEY));
    const trust = connect(server.origin);
    expect(await trust.publicKey(GUN, 'timestamp')).toEqual(KEY);
    expect(await trust.rotateKey(GUN, 'snapshot')).toEqual(KEY);
    expect(server.requests.map(({ method, url }) => `${method} ${new URL(url).pathname}`)).toEqual([
      'GET /v2/reg.example:5000/team/app/_trust/tuf/timestamp.key',
      'POST /v2/reg.example:5000/team/app/_trust/tuf/snapshot.key',
    ]);
  });

  test('that are missing fail in the words of docker', async () => {
    const error = await failure(connect(answering(404).origin).publicKey(GUN, 'timestamp'), 'trust-data-missing');
    expect(error.message).toBe('timestamp key trust data unavailable.  Has a notary repository been initialized?');
  });

  test('that are malformed are refused', async () => {
    await failure(connect(answering(200, '{}').origin).publicKey(GUN, 'timestamp'), 'json-unexpected');
    await failure(connect(answering(200, 'key').origin).publicKey(GUN, 'timestamp'), 'json-malformed');
  });
});

describe('publishing', () => {
  const files = new Map<RoleName, Buffer>([
    ['root', Buffer.from('{"root":1}')],
    [parseDelegation('targets/releases'), Buffer.from([0, 255, 13, 10])],
  ]);

  test('posts one part per role, byte for byte as Go does', () => {
    const { contentType, body } = multipartUpload(files, 'B');
    expect(contentType).toBe('multipart/form-data; boundary=B');
    const head = (role: string) =>
      `--B\r\nContent-Disposition: form-data; name="files"; filename="${role}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const expected = Buffer.concat([
      Buffer.from(`${head('root')}{"root":1}\r\n${head('targets/releases')}`),
      Buffer.from([0, 255, 13, 10]),
      Buffer.from('\r\n--B--\r\n'),
    ]);
    expect(body.equals(expected)).toBe(true);
    expect(multipartUpload(new Map(), 'B').body.toString()).toBe('\r\n--B--\r\n');
  });

  test('sends what a multipart parser understands, with a boundary of its own each time', async () => {
    const server = answering(200);
    const trust = connect(server.origin);
    await trust.publish(GUN, files);
    await trust.publish(GUN, files);
    const [one, two] = server.requests;
    expect(one?.method).toBe('POST');
    expect(new URL(one?.url ?? '').pathname).toBe('/v2/reg.example:5000/team/app/_trust/tuf/');
    expect(one?.headers.get('content-type')).toMatch(/^multipart\/form-data; boundary=[0-9a-f]{60}$/);
    expect(one?.headers.get('content-type')).not.toBe(two?.headers.get('content-type') ?? null);
    const parts = (await one?.formData())?.getAll('files') as unknown as File[];
    expect(await Promise.all(parts.map((part) => part.text()))).toEqual([
      '{"root":1}',
      Buffer.from([0, 255, 13, 10]).toString(),
    ]);
  });

  test.each([
    ['ErrValidation', 'An error occurred during validation: why'],
    ['ErrBadHierarchy', 'Metadata hierarchy is incomplete: why'],
    ['ErrBadRoot', 'The root metadata is invalid: why'],
    ['ErrBadTargets', 'The targets metadata is invalid: why'],
    ['ErrBadSnapshot', 'The snapshot metadata is invalid: why'],
  ])('that is rejected with %s says why', async (name, message) => {
    const server = answering(400, invalidUpdate({ Name: name, Error: { Missing: 'snapshot', Msg: 'why' } }));
    const error = await failure(connect(server.origin).publish(GUN, files), 'publish-rejected');
    expect(error.message).toBe(message);
    expect(error.detail).toMatchObject({ code: 'INVALID_UPDATE', name });
  });

  test.each([
    ['an unknown kind of rejection', invalidUpdate({ Name: 'ErrOther', Error: { Msg: 'why' } })],
    ['a name of every object', invalidUpdate({ Name: 'constructor', Error: { Msg: 'why' } })],
    ['no detail', invalidUpdate(undefined)],
    ['a detail that is a text', invalidUpdate('why')],
    ['no errors', { errors: [] }],
    ['two errors', { errors: [...invalidUpdate({}).errors, ...invalidUpdate({}).errors] }],
    ['no JSON', 'oops'],
    ['nothing', ''],
    ['too much', 'x'.repeat(200_000)],
  ])('that is rejected with %s says so', async (_, body) => {
    const error = await failure(connect(answering(400, body).origin).publish(GUN, files), 'publish-rejected');
    expect(error.message).toBe('trust server rejected operation.');
  });

  test('shows the words of the server in one line', async () => {
    const server = answering(400, invalidUpdate({ Name: 'ErrBadRoot', Error: { Msg: 'a\n\u001b[31mb\u202ec' } }));
    const error = await failure(connect(server.origin).publish(GUN, files), 'publish-rejected');
    expect(error.message).toBe('The root metadata is invalid: a [31mb c');
  });

  test('after someone else has a code of its own', async () => {
    const body = {
      errors: [{ code: 'VERSION', message: 'A newer version of metadata is already available.', detail: {} }],
    };
    const error = await failure(connect(answering(400, body).origin).publish(GUN, files), 'publish-conflict');
    expect(error.message).toBe('trust server rejected operation.');
  });

  test('is not repeated when the server is busy', async () => {
    const server = answering(503);
    await failure(connect(server.origin).publish(GUN, files), 'server-error');
    expect(server.requests).toHaveLength(1);
  });
});

describe('removing', () => {
  test('deletes the collection', async () => {
    const server = answering(200);
    await connect(server.origin).remove(GUN);
    const [request] = server.requests;
    expect(`${request?.method} ${new URL(request?.url ?? '').pathname}`).toBe(
      'DELETE /v2/reg.example:5000/team/app/_trust/tuf/',
    );
  });

  test('what is not there fails', async () => {
    const error = await failure(connect(answering(404).origin).remove(GUN), 'trust-data-missing');
    expect(error.message).toStartWith('DELETE metadata for GUN endpoint trust data unavailable.');
  });
});
