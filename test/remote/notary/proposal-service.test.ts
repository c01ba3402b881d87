import { describe, expect, test } from 'bun:test';
import type { ProposalStore } from '../../../src/core/edit/proposal-store.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { AuthorizedClient } from '../../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { RemoteProposals } from '../../../src/remote/notary/proposal-service.ts';
import { proposalOf, proposalStoreSuite } from '../../core/edit/proposal-store.suite.ts';
import { TestServer } from '../../notary/fixture.ts';
import { failure } from '../../support/failure.ts';
import { ask } from '../../support/routes.ts';
import { makeAuthority } from '../certificates.ts';
import { serve } from '../servers.ts';

const GUN = parseGun('reg.example:5000/team/app');
const [ONE, TWO] = [proposalOf(GUN, 'one'), proposalOf(GUN, 'two')];
const authority = makeAuthority('the authority');
const certificate = authority.issue(['localhost']);

function connect(address: string): ProposalStore {
  const connection = { authorities: [Buffer.from(authority.cert)], identities: [], verify: true, address: undefined };
  const http = new HttpClient({ userAgent: 'test', connectionFor: async () => connection, sleep: async () => {} });
  const client = new AuthorizedClient({ http, logins: [], tokens: new MemoryTokens() });
  return new RemoteProposals(new URL(address), client);
}

/** Signet's own server, over TLS. */
function serveSignet(trust = new TestServer()) {
  return serve(async (request) => {
    const answer = await ask(trust.server.routes, request);
    return answer ?? new Response('', { status: 421 });
  }, certificate);
}

function answering(status: number, body = '', headers: Record<string, string> = {}) {
  return serve(() => new Response([204, 304].includes(status) ? null : body, { status, headers }), certificate);
}

proposalStoreSuite('proposals on the trust server', () => {
  const { origin } = serveSignet();
  return { store: connect(origin), connect: () => connect(origin) };
});

test('asks for what it needs, and says what it replaces', async () => {
  const server = serveSignet();
  const proposals = connect(server.origin);
  await proposals.read(GUN);
  await proposals.replace(GUN, undefined, ONE);
  await proposals.replace(GUN, ONE, TWO);
  await proposals.replace(GUN, TWO, undefined);
  const sum = (text: Buffer) => `"${new Bun.CryptoHasher('sha256').update(text).digest('hex')}"`;
  const shown = server.requests.map(({ method, url, headers }) => [
    `${method} ${new URL(url).pathname}`,
    headers.get('if-match') ?? headers.get('if-none-match'),
    headers.get('content-type'),
  ]);
  const path = '/v2/reg.example:5000/team/app/_trust/signet/proposal';
  expect(shown).toEqual([
    [`GET ${path}`, null, null],
    [`PUT ${path}`, '*', 'application/json'],
    [`PUT ${path}`, sum(ONE), 'application/json'],
    [`DELETE ${path}`, sum(TWO), null],
  ]);
  expect(await server.requests[1]?.text()).toBe(ONE.toString());
});

test('asks for a token with which one may publish', async () => {
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
  expect((await connect(server.origin).read(GUN))?.toString()).toBe('x');
  expect(scopes).toEqual(['repository:reg.example:5000/team/app:pull,push']);
});

test('an answer that gets lost is not taken for a refusal', async () => {
  const trust = new TestServer();
  let lost = 0;
  const server = serve(async (request) => {
    const answer = await ask(trust.server.routes, request);
    const isChange = request.method !== 'GET' && lost++ % 2 === 0;
    return isChange ? new Response('', { status: 502 }) : (answer ?? new Response('', { status: 421 }));
  }, certificate);
  const proposals = connect(server.origin);
  expect(await proposals.replace(GUN, undefined, ONE)).toBe(true);
  expect(await proposals.replace(GUN, ONE, TWO)).toBe(true);
  expect(await proposals.read(GUN)).toEqual(TWO);
  expect(await proposals.replace(GUN, TWO, undefined)).toBe(true);
  expect(await proposals.read(GUN)).toBeUndefined();
  expect(lost).toBe(6);
});

describe('a server that knows nothing of proposals', () => {
  test.each([404, 405])('answers %d: has none, and takes none', async (status) => {
    const proposals = connect(answering(status).origin);
    expect(await proposals.read(GUN)).toBeUndefined();
    expect(await proposals.replace(GUN, undefined, undefined)).toBe(true);
    await failure(proposals.replace(GUN, undefined, ONE), 'proposals-unsupported');
    await failure(proposals.replace(GUN, ONE, TWO), 'proposals-unsupported');
    await failure(proposals.replace(GUN, ONE, undefined), 'proposals-unsupported');
  });

  test('and has accounts asks for the rights of its administrator, as for every path it does not know', async () => {
    const service = serve(() => Response.json({ token: 'abc' }), certificate);
    const challenge = (scope: string) => ({
      'WWW-Authenticate': `Bearer realm="${service.origin}/token",service="s",scope="${scope}"`,
    });
    const old = connect(answering(401, '', challenge('registry:catalog:*')).origin);
    expect(await old.read(GUN)).toBeUndefined();
    const error = await failure(old.replace(GUN, undefined, ONE), 'proposals-unsupported');
    expect(error.message).toMatch(/^the trust server localhost:\d+ keeps no proposals$/);
    const refusing = connect(answering(401, '', challenge(`repository:${GUN}:push,pull`)).origin);
    await failure(refusing.read(GUN), 'unauthorized');
    await failure(refusing.replace(GUN, undefined, ONE), 'unauthorized');
  });
});

describe('an answer that does not say what became of it fails', () => {
  test.each([
    [200, 'response-invalid'],
    [201, 'server-error'],
    [301, 'server-error'],
    [400, 'server-error'],
    [401, 'unauthorized'],
    [403, 'server-error'],
    [413, 'server-error'],
    [428, 'server-error'],
    [500, 'server-error'],
  ] as const)('%d to a change', async (status, code) => {
    const proposals = connect(answering(status).origin);
    await failure(proposals.replace(GUN, undefined, ONE), code);
    await failure(proposals.replace(GUN, ONE, undefined), code);
  });

  test.each([
    [204, 'server-error'],
    [304, 'server-error'],
    [412, 'server-error'],
    [403, 'server-error'],
    [401, 'unauthorized'],
  ] as const)('%d to a question', async (status, code) => {
    await failure(connect(answering(status).origin).read(GUN), code);
  });
});

test('an endless proposal is not read to its end', async () => {
  const chunk = new Uint8Array(8 * 1024 * 1024);
  const server = serve(() => {
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
    return new Response(body);
  }, certificate);
  const error = await failure(connect(server.origin).read(GUN), 'response-too-large');
  expect(error.message).toBe('trust server returned a bad response.');
}, 30_000);

test('a server that is gone is not one without proposals', async () => {
  await failure(connect('https://localhost:1').read(GUN), 'network-unreachable');
  await failure(connect('https://localhost:1').replace(GUN, undefined, ONE), 'network-unreachable');
});
