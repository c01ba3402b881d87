import { beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { type Gun, parseGun } from '../../src/core/names/gun.ts';
import { AuthorizedClient } from '../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../src/remote/auth/token.ts';
import { HttpClient } from '../../src/remote/http/http.ts';
import { RemoteProposals } from '../../src/remote/notary/proposal-service.ts';
import { proposalOf } from '../core/edit/proposal-store.suite.ts';
import { failure } from '../support/failure.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';

const PASSWORD = 'what each of them has chosen';

let server: SignetServer;
let app: Gun;
beforeAll(async () => {
  server = await startSignet();
  app = parseGun(`${server.host}/alice/app`);
  for (const name of ['alice', 'bob', 'carol', 'mallory']) await server.addUser(name, PASSWORD);
  await server.grant('bob', 'alice/app', 'push');
  await server.grant('carol', 'alice/app', 'pull');
  await server.grant('mallory', 'alice/app2', 'push');
}, 60_000);

function httpClient(): HttpClient {
  const authorities = [readFileSync(server.authority)];
  const connection = { authorities, identities: [], verify: true, address: undefined };
  return new HttpClient({ userAgent: 'test', connectionFor: async () => connection });
}

function proposalsOf(username: string | undefined): RemoteProposals {
  const login = async () =>
    username === undefined ? undefined : { username, password: Buffer.from(PASSWORD), identityToken: undefined };
  const tokens = new MemoryTokens();
  const client = new AuthorizedClient({ http: httpClient(), logins: [{ registry: 'localhost', find: login }], tokens });
  return new RemoteProposals(new URL(server.origin), client);
}

/** A token of the server's own token service, with what it grants of the scope. */
async function tokenOf(username: string, scope: string): Promise<string> {
  const url = new URL('/auth/token', server.origin);
  url.searchParams.set('service', 'signet');
  url.searchParams.set('scope', scope);
  const Authorization = `Basic ${Buffer.from(`${username}:${PASSWORD}`).toString('base64')}`;
  const { status, body } = await httpClient().send({ method: 'GET', url, headers: { Authorization }, limit: 100_000 });
  expect(status).toBe(200);
  return (JSON.parse(body.toString()) as { token: string }).token;
}

test('those who may publish share a proposal', async () => {
  const [alice, bob] = [proposalsOf('alice'), proposalsOf('bob')];
  const [one, two] = [proposalOf(app, 'one'), proposalOf(app, 'two')];
  expect(await alice.replace(app, undefined, one)).toBe(true);
  expect(await bob.read(app)).toEqual(one);
  expect(await bob.replace(app, one, two)).toBe(true);
  expect(await alice.replace(app, one, undefined)).toBe(false);
  expect(await alice.read(app)).toEqual(two);
  expect(await alice.replace(app, two, undefined)).toBe(true);
  expect(await bob.read(app)).toBeUndefined();
  expect(server.log()).toContain(`proposed a change of ${app}`);
});

test.each([
  ['who may only pull', 'carol'],
  ['who may publish something else', 'mallory'],
  ['whom nobody knows', undefined],
])('one %s may neither see it nor touch it', async (_, name) => {
  const alice = proposalsOf('alice');
  const secret = proposalOf(app, 'secret');
  await alice.replace(app, undefined, secret);
  const other = proposalsOf(name);
  await failure(other.read(app), 'unauthorized');
  await failure(other.replace(app, undefined, proposalOf(app, 'x')), 'unauthorized');
  await failure(other.replace(app, secret, proposalOf(app, 'x')), 'unauthorized');
  await failure(other.replace(app, secret, undefined), 'unauthorized');
  expect(await alice.read(app)).toEqual(secret);
  await alice.replace(app, secret, undefined);
});

test('a token that is good for something else is not good for it', async () => {
  const url = new URL(`/v2/${app}/_trust/signet/proposal`, server.origin);
  const answerTo = async (token: string | undefined) => {
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const answer = await httpClient().send({ method: 'GET', url, headers, limit: 1000 });
    return [answer.status, /scope="([^"]*)"/.exec(answer.headers.get('www-authenticate') ?? '')?.[1]];
  };
  const refused = [401, `repository:${app}:push,pull`];
  expect(await answerTo(undefined)).toEqual(refused);
  expect(await answerTo(await tokenOf('alice', `repository:${app}:pull`))).toEqual(refused);
  expect(await answerTo(await tokenOf('alice', `repository:${app}:push`))).toEqual(refused);
  expect(await answerTo(await tokenOf('alice', `repository:${app}2:push,pull`))).toEqual(refused);
  expect(await answerTo(await tokenOf('carol', `repository:${app}:push,pull`))).toEqual(refused);
  expect(await answerTo(await tokenOf('alice', `repository:${app}:push,pull`))).toEqual([404, undefined]);
});

test('outlives the server', async () => {
  const [alice, one] = [proposalsOf('alice'), proposalOf(app, 'one')];
  expect(await alice.replace(app, undefined, one)).toBe(true);
  await server.stop();
  await server.start();
  expect(await alice.read(app)).toEqual(one);
  expect(await alice.replace(app, one, undefined)).toBe(true);
}, 60_000);
