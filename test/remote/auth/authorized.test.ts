import { describe, expect, test } from 'bun:test';
import type { Login } from '../../../src/core/login.ts';
import type { Scope } from '../../../src/core/scope.ts';
import { AuthorizedClient, type AuthorizedOptions } from '../../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import type { HttpRequest } from '../../../src/remote/http/http-message.ts';
import { failure } from '../../support/failure.ts';
import { makeAuthority } from '../certificates.ts';
import { serve, type TestServer } from '../servers.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const authority = makeAuthority('the authority');
const certificate = authority.issue(['localhost', '127.0.0.1']);
const pull: Scope = { type: 'repository', name: 'reg/a', actions: ['pull'] };
const push: Scope = { type: 'repository', name: 'reg/a', actions: ['pull', 'push'] };

interface World {
  readonly service: TestServer;
  readonly resource: TestServer;
  readonly client: AuthorizedClient;
  readonly logins: Login[];
  get(path?: string): HttpRequest;
}

/** A resource that wants `Bearer <n>`, where n counts the tokens that its token service has given out. */
function world(
  options: Partial<AuthorizedOptions> & {
    user?: string;
    /** The registry that the login is for; the resource's own host where absent. */
    registry?: string;
    allowed?: ReadonlySet<string>;
    challenge?: string;
    life?: number;
  } = {},
): World {
  const { user, registry = 'localhost', allowed = new Set(), challenge, life = 300, ...rest } = options;
  let issued = 0;
  const service = serve(() => Response.json({ token: `token${++issued}`, expires_in: life }), certificate);
  const resource = serve((request) => {
    if (issued > 0 && request.headers.get('authorization') === `Bearer token${issued}`) return new Response('welcome');
    const header = challenge ?? `Bearer realm="${service.origin}/token",service="svc",scope="ignored"`;
    return new Response('', { status: 401, headers: { 'WWW-Authenticate': header } });
  }, certificate);
  const logins: Login[] = [];
  const client = new AuthorizedClient({
    http: httpClient(),
    logins: [
      {
        registry,
        allowed,
        find: async () => {
          if (user === undefined) return undefined;
          const login = { username: user, password: Buffer.from('s3cret'), identityToken: undefined };
          logins.push(login);
          return login;
        },
      },
    ],
    tokens: new MemoryTokens(),
    now: () => NOW,
    ...rest,
  });
  const get = (path = '/file') => ({ method: 'GET', url: new URL(path, resource.origin), limit: 100 }) as const;
  return { service, resource, client, logins, get };
}

function httpClient(): HttpClient {
  const connection = { authorities: [Buffer.from(authority.cert)], identities: [], verify: true, address: undefined };
  return new HttpClient({ userAgent: 'test', connectionFor: async () => connection, sleep: async () => {} });
}

function authorizations({ requests }: TestServer): (string | null)[] {
  return requests.map((request) => request.headers.get('authorization'));
}

describe('an open server', () => {
  test('gets nothing', async () => {
    const server = serve(() => new Response('open'), certificate);
    const { client, logins } = world({ user: 'alice' });
    const answer = await client.send({ method: 'GET', url: new URL(server.origin), limit: 100 }, [pull]);
    expect(answer.body.toString()).toBe('open');
    expect(authorizations(server)).toEqual([null]);
    expect(logins).toHaveLength(0);
  });
});

describe('a Bearer challenge', () => {
  test('is met with a token, and remembered', async () => {
    const { client, get, resource, service } = world();
    for (let count = 0; count < 3; count++) expect((await client.send(get(), [pull])).body.toString()).toBe('welcome');
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', 'Bearer token1', 'Bearer token1']);
    expect(service.requests).toHaveLength(1);
  });

  test('asks for the scopes of the caller, not those of the challenge', async () => {
    const { client, get, service } = world();
    await client.send(get(), [pull]);
    await client.send(get(), [push]);
    const scopes = service.requests.map((request) => new URL(request.url).searchParams.getAll('scope'));
    expect(scopes).toEqual([['repository:reg/a:pull'], ['repository:reg/a:pull,push']]);
  });

  test('repeats a POST with its body', async () => {
    const { client, get, resource } = world();
    const body = Buffer.from('these bytes');
    expect((await client.send({ ...get(), method: 'POST', body }, [push])).status).toBe(200);
    expect(await Promise.all(resource.requests.map((request) => request.text()))).toEqual([
      'these bytes',
      'these bytes',
    ]);
  });

  test('makes one token for requests at the same time', async () => {
    const { client, get, service } = world();
    const answers = await Promise.all(Array.from({ length: 5 }, (_, index) => client.send(get(`/${index}`), [pull])));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(service.requests).toHaveLength(1);
  });

  test('gets a new token before the old one expires', async () => {
    let now = NOW;
    const { client, get, service, resource } = world({ now: () => now, life: 60 });
    await client.send(get(), [pull]);
    now += 54_000;
    await client.send(get(), [pull]);
    expect(service.requests).toHaveLength(1);
    now += 2_000;
    await client.send(get(), [pull]);
    expect(service.requests).toHaveLength(2);
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', 'Bearer token1', 'Bearer token2']);
  });

  test('replaces a token that is refused, once', async () => {
    const { client, get, service, resource } = world();
    await client.send(get(), [pull]);
    await fetch(service.origin, { tls: { ca: authority.cert } });
    expect((await client.send(get(), [pull])).status).toBe(200);
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', 'Bearer token1', 'Bearer token3']);
  });

  test('that no token meets is the answer', async () => {
    const service = serve(() => Response.json({ token: 'poor' }), certificate);
    const headers = { 'WWW-Authenticate': `Bearer realm="${service.origin}/token",error="insufficient_scope"` };
    const resource = serve(() => new Response('', { status: 401, headers }), certificate);
    const { client } = world();
    const answer = await client.send({ method: 'GET', url: new URL(resource.origin), limit: 100 }, [pull]);
    expect(answer.status).toBe(401);
    expect(authorizations(resource)).toEqual([null, 'Bearer poor']);
  });

  test('sends the login to a token service on the same host, and wipes it', async () => {
    const { client, get, service, logins } = world({ user: 'alice' });
    await client.send(get(), [pull]);
    expect(authorizations(service)).toEqual([`Basic ${btoa('alice:s3cret')}`]);
    expect(logins.map(({ password }) => password.every((byte) => byte === 0))).toEqual([true]);
  });

  test('that is malformed is refused', async () => {
    const { client, get } = world({ challenge: 'Bearer realm="a",realm="b"' });
    await failure(client.send(get(), [pull]), 'response-invalid');
  });
});

describe('a challenge of an earlier command', () => {
  /** Two commands after each other, with what they keep. */
  function commands(options: Parameters<typeof world>[0] = {}) {
    const tokens = new MemoryTokens();
    const first = world({ user: 'alice', tokens, ...options });
    const later = new AuthorizedClient({
      http: httpClient(),
      logins: [
        {
          registry: 'localhost',
          find: async () => ({ username: 'alice', password: Buffer.from('s3cret'), identityToken: undefined }),
        },
      ],
      tokens,
      now: () => NOW + 3600_000,
    });
    return { ...first, first: first.client, later, tokens };
  }

  test('says where the next token is, when the last has expired', async () => {
    const { first, later, get, resource, service } = commands();
    await first.send(get(), [pull]);
    expect((await later.send(get(), [pull])).body.toString()).toBe('welcome');
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', 'Bearer token2']);
    expect(authorizations(service)).toEqual(Array(2).fill(`Basic ${btoa('alice:s3cret')}`));
    expect(service.requests.map(({ url }) => new URL(url).search)).toEqual(
      Array(2).fill('?service=svc&scope=repository%3Areg%2Fa%3Apull&account=alice'),
    );
  });

  test('says so for other scopes too', async () => {
    const { first, later, get, resource } = commands();
    await first.send(get(), [pull]);
    await later.send(get(), [push]);
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', 'Bearer token2']);
  });

  test('holds no secret', async () => {
    const { first, get, tokens } = commands();
    const kept: string[] = [];
    const put = tokens.put.bind(tokens);
    tokens.put = async (key, token) => {
      if (token.value !== 'token1') kept.push(key, token.value);
      await put(key, token);
    };
    await first.send(get(), [pull]);
    expect(kept).toHaveLength(2);
    expect(kept.join()).not.toMatch(/s3cret|alice|token1/);
  });

  test('gives way to a new one where its token is refused', async () => {
    const { first, later, get, resource, tokens } = commands();
    await first.send(get(), [pull]);
    const other = serve(() => Response.json({ token: 'old' }), certificate);
    const [origin] = [new URL(resource.origin).origin];
    const key = JSON.stringify(['challenge', origin, 'localhost']);
    await tokens.put(key, { value: JSON.stringify([`${other.origin}/token`, null]), expires: NOW + 7200_000 });
    expect((await later.send(get(), [pull])).status).toBe(200);
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', 'Bearer old', 'Bearer token2']);
  });

  test.each([
    ['whose service is gone', JSON.stringify(['https://localhost:1/token', null])],
    ['to which the login may not be sent', JSON.stringify(['https://127.0.0.1:1/token', null])],
    ['that is damaged', 'x'],
    ['that is something else', '{"realm":"https://localhost/"}'],
    ['that is no address', '["",null]'],
  ])('%s is as good as none', async (_, value) => {
    const { first, later, get, resource, tokens } = commands();
    await first.send(get(), [pull]);
    const key = JSON.stringify(['challenge', resource.origin, 'localhost']);
    await tokens.put(key, { value, expires: NOW + 7200_000 });
    expect((await later.send(get(), [pull])).status).toBe(200);
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', null, 'Bearer token2']);
  });

  test('is forgotten after a day', async () => {
    const { first, get, resource, tokens } = commands();
    await first.send(get(), [pull]);
    const { client } = world({ user: 'alice', tokens, now: () => NOW + 24 * 3600_000 });
    await client.send(get(), [pull]);
    expect(authorizations(resource)).toEqual([null, 'Bearer token1', null, 'Bearer token2']);
  });

  test('of another origin says nothing', async () => {
    const { first, later, get } = commands();
    await first.send(get(), [pull]);
    const other = serve(() => new Response('open'), certificate);
    await later.send({ ...get(), url: new URL(other.origin) }, [pull]);
    expect(authorizations(other)).toEqual([null]);
  });
});

describe('a token service on another host', () => {
  const elsewhere = (service: TestServer) => `https://127.0.0.1:${service.port}`;

  test('does not get the login, and the password is wiped all the same', async () => {
    const thief = serve(() => Response.json({ token: 'x' }), certificate);
    const { client, get, logins } = world({ user: 'alice', challenge: `Bearer realm="${elsewhere(thief)}/token"` });
    const error = await failure(client.send(get(), [pull]), 'realm-refused');
    expect(error.message).toEndWith(`asks to send the login to ${elsewhere(thief)}`);
    expect(thief.requests).toHaveLength(0);
    expect(logins.map(({ password }) => password.every((byte) => byte === 0))).toEqual([true]);
  });

  test('may give tokens to those without a login', async () => {
    const other = serve(() => Response.json({ token: 'x' }), certificate);
    const { client, get } = world({ challenge: `Bearer realm="${elsewhere(other)}/token"` });
    expect((await client.send(get(), [pull])).status).toBe(401);
    expect(authorizations(other)).toEqual([null]);
  });

  test.each(['localhost', 'registry.example'])('gets the login for %s where the user allowed it', async (registry) => {
    const other = serve(() => Response.json({ token: 'x' }), certificate);
    const { client, get } = world({
      ...{ user: 'alice', registry, allowed: new Set([elsewhere(other)]) },
      challenge: `Bearer realm="${elsewhere(other)}/token"`,
    });
    await client.send(get(), [pull]);
    expect(authorizations(other)).toEqual([`Basic ${btoa('alice:s3cret')}`]);
  });
});

describe('a server that is not of the registry whose login is stored', () => {
  const registry = 'registry.example:5000';
  const isWiped = ({ logins }: World) => logins.every(({ password }) => password.every((byte) => byte === 0));

  test('gets what everyone may, from a token service of its own', async () => {
    const it = world({ user: 'alice', registry });
    const answer = await it.client.send(it.get(), [pull]);
    expect(answer.body.toString()).toBe('welcome');
    expect(authorizations(it.service)).toEqual([null]);
    expect(it.service.requests[0]?.url).not.toContain('alice');
    expect(it.logins).toHaveLength(1);
    expect(isWiped(it)).toBe(true);
  });

  test('gets no identity token either', async () => {
    const it = world({ registry });
    const client = new AuthorizedClient({
      http: httpClient(),
      logins: [
        {
          registry,
          find: async () => ({ username: '', password: Buffer.of(), identityToken: Buffer.from('refresh') }),
        },
      ],
      tokens: new MemoryTokens(),
    });
    await client.send(it.get(), [pull]);
    expect(it.service.requests.map(({ method }) => method)).toEqual(['GET']);
    expect(authorizations(it.service)).toEqual([null]);
  });

  test('gets no token of the registry that the login led to', async () => {
    const own = serve(() => Response.json({ token: 'of-alice' }), certificate);
    const origin = `https://127.0.0.1:${own.port}`;
    const it = world({ user: 'alice', registry: '127.0.0.1:5000', challenge: `Bearer realm="${origin}/token"` });
    expect((await it.client.send(it.get(), [pull])).status).toBe(401);
    expect(authorizations(own)).toEqual([null]);
    expect(isWiped(it)).toBe(true);
  });

  test('gets no password by a Basic challenge, and the message names the login that it takes', async () => {
    const it = world({ user: 'alice', registry, challenge: 'Basic realm="x"' });
    const { host } = new URL(it.resource.origin);
    const error = await failure(it.client.send(it.get(), [pull]), 'credentials-missing');
    expect(error.message).toBe(
      `no basic auth credentials: ${host} wants a login of its own (the one for ${registry} is not sent there): signet login ${host}`,
    );
    expect(authorizations(it.resource)).toEqual([null]);
    expect(isWiped(it)).toBe(true);
  });

  test('says what is missing where the token service wants to know who asks', async () => {
    const service = serve(() => new Response('', { status: 401 }), certificate);
    const it = world({ user: 'alice', registry, challenge: `Bearer realm="${service.origin}/token"` });
    const { host } = new URL(it.resource.origin);
    const error = await failure(it.client.send(it.get(), [pull]), 'unauthorized');
    expect(error.message).toBe(
      `the token service ${service.origin} gives nobody a token for reg/a: ${host} wants a login of its own (the one for ${registry} is not sent there): signet login ${host}`,
    );
    expect(authorizations(service)).toEqual([null]);
  });

  test.each([
    [401, 'Log in again: signet login localhost'],
    [403, 'Ask for access, or log in as another user: signet login localhost'],
  ])('is told the step that helps where the token service answers %p to a login', async (status, next) => {
    const said = 'the login has expired or was ended, log in again';
    const service = serve(
      () => Response.json({ errors: [{ code: 'UNAUTHORIZED', message: said }] }, { status }),
      certificate,
    );
    const it = world({
      user: 'alice',
      challenge: `Bearer realm="${service.origin}/token"`,
      allowed: new Set([service.origin]),
    });
    const error = await failure(it.client.send(it.get(), [pull]), 'unauthorized');
    expect(error.message).toContain(said);
    expect(error.next).toBe(next);
  });

  test('gets the login that is stored for it, before that of the registry', async () => {
    const it = world();
    const asked: string[] = [];
    const source = (owner: string, username?: string) => ({
      registry: owner,
      find: async () => {
        asked.push(owner);
        return username === undefined
          ? undefined
          : { username, password: Buffer.from('s3cret'), identityToken: undefined };
      },
    });
    const { host } = new URL(it.resource.origin);
    const client = new AuthorizedClient({
      http: httpClient(),
      logins: [source(host, 'tess'), source(registry, 'alice')],
      tokens: new MemoryTokens(),
    });
    expect((await client.send(it.get(), [pull])).caller).toMatchObject({
      user: 'tess',
      registry: host,
      withheld: undefined,
    });
    expect(authorizations(it.service)).toEqual([`Basic ${btoa('tess:s3cret')}`]);
    expect(asked).toEqual([host]);
  });

  test('uses no token that another login led to', async () => {
    const tokens = new MemoryTokens();
    const of = world({ user: 'alice', tokens });
    await of.client.send(of.get(), [pull]);
    const client = new AuthorizedClient({
      http: httpClient(),
      logins: [{ registry: 'localhost:5001', find: async () => undefined }],
      tokens,
    });
    await client.send(of.get(), [pull]);
    expect(authorizations(of.service)).toEqual([`Basic ${btoa('alice:s3cret')}`, null]);
  });
});

describe('a Basic challenge', () => {
  const basic = (answer = 'welcome') =>
    serve((request) => {
      const right = request.headers.get('authorization') === `Basic ${btoa('alice:s3cret')}`;
      return right
        ? new Response(answer)
        : new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } });
    }, certificate);
  const to = (server: TestServer) => ({ method: 'GET', url: new URL(server.origin), limit: 100 }) as const;

  test('is met with the login, asked for once', async () => {
    const server = basic();
    const { client, logins } = world({ user: 'alice' });
    for (let count = 0; count < 3; count++) expect((await client.send(to(server), [pull])).status).toBe(200);
    expect(server.requests).toHaveLength(4);
    expect(logins).toHaveLength(1);
    expect(logins[0]?.password.every((byte) => byte === 0)).toBe(true);
  });

  test('without a login fails in the words of docker', async () => {
    const error = await failure(world().client.send(to(basic()), [pull]), 'credentials-missing');
    expect(error.message).toBe('no basic auth credentials');
  });

  test('that refuses the login is the answer', async () => {
    const server = basic();
    const { client } = world({ user: 'mallory' });
    expect((await client.send(to(server), [pull])).status).toBe(401);
    expect((await client.send(to(server), [pull])).status).toBe(401);
    expect(server.requests).toHaveLength(3);
  });

  test('of another server is met with what that server may have', async () => {
    const [own, other] = [basic(), basic()];
    const { client } = world({ user: 'alice' });
    await client.send(to(own), [pull]);
    const elsewhere = new URL(`https://127.0.0.1:${other.port}`);
    await failure(client.send({ ...to(other), url: elsewhere }, [pull]), 'credentials-missing');
    expect(authorizations(other)).toEqual([null]);
  });

  test('gives way to Bearer where both are offered', async () => {
    const { client, get, service, resource } = world({ user: 'alice' });
    const both = serve(() => {
      const header = `Basic realm="x", Bearer realm="${service.origin}/token"`;
      return new Response('', { status: 401, headers: { 'WWW-Authenticate': header } });
    }, certificate);
    await client.send({ ...get(), url: new URL(both.origin) }, [pull]);
    expect(authorizations(both)).toEqual([null, 'Bearer token1']);
    expect(resource.requests).toHaveLength(0);
  });
});

describe('credentials', () => {
  test('are not given to the host that a redirect leads to, whatever it asks for', async () => {
    const thief = serve(
      () => new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }),
      certificate,
    );
    const resource = serve(() => Response.redirect(`${thief.origin}/`, 302), certificate);
    const { client, logins } = world({ user: 'alice' });
    const answer = await client.send({ method: 'GET', url: new URL(resource.origin), limit: 100, redirects: 3 }, [
      pull,
    ]);
    expect(answer.status).toBe(401);
    expect(authorizations(thief)).toEqual([null]);
    expect(logins).toHaveLength(0);
  });
});
