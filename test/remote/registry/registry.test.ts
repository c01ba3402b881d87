import { describe, expect, test } from 'bun:test';
import type { Login } from '../../../src/core/login.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import { parseReference } from '../../../src/core/names/reference.ts';
import { checkLogin } from '../../../src/remote/auth/check-login.ts';
import { MemoryTokens } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { MANIFEST_TYPES, verifyManifest } from '../../../src/remote/registry/manifest.ts';
import { RegistryClient, type RegistryClientOptions } from '../../../src/remote/registry/registry.ts';
import { registryEndpoints } from '../../../src/remote/registry/registry-endpoints.ts';
import { failure } from '../../support/failure.ts';
import { makeAuthority } from '../certificates.ts';
import { serve, type TestServer } from '../servers.ts';

const authority = makeAuthority('the authority');
const certificate = authority.issue(['localhost', '127.0.0.1']);
const [OCI_INDEX, OCI_MANIFEST, , DOCKER_MANIFEST] = MANIFEST_TYPES;
const IMAGE = Buffer.from('{ "schemaVersion": 2,\n  "config": {"size": 1.0}, "layers": [] }');

function httpClient(): HttpClient {
  const connection = { authorities: [Buffer.from(authority.cert)], identities: [], verify: true, address: undefined };
  return new HttpClient({ userAgent: 'test', connectionFor: async () => connection, sleep: async () => {} });
}

function client(more: Partial<RegistryClientOptions> = {}): RegistryClient {
  return new RegistryClient({ http: httpClient, login: async () => undefined, tokens: new MemoryTokens(), ...more });
}

function manifestAnswer(bytes: Buffer = IMAGE, headers: Record<string, string> = {}): Response {
  return new Response(new Uint8Array(bytes), { headers: { 'Content-Type': OCI_MANIFEST, ...headers } });
}

const hostOf = ({ port }: TestServer) => `localhost:${port}`;
const reference = (server: TestServer, rest = 'team/app:one') => parseReference(`${hostOf(server)}/${rest}`);
const alice = async (): Promise<Login> => ({
  username: 'alice',
  password: Buffer.from('s3cret'),
  identityToken: undefined,
});

describe('reading a manifest', () => {
  test('gives what was hashed', async () => {
    const registry = serve(() => manifestAnswer(IMAGE, { 'Docker-Content-Digest': digestOf(IMAGE) }), certificate);
    const manifest = await client().manifest(reference(registry));
    expect(manifest).toEqual({ digest: digestOf(IMAGE), size: IMAGE.length, mediaType: OCI_MANIFEST, bytes: IMAGE });
    const [request] = registry.requests;
    expect(new URL(request?.url ?? '').pathname).toBe('/v2/team/app/manifests/one');
    expect(request?.headers.get('accept')).toBe(MANIFEST_TYPES.join(', '));
  });

  test('asks for latest if nothing is said, and for the digest where there is one', async () => {
    const registry = serve(() => manifestAnswer(), certificate);
    await client().manifest(reference(registry, 'team/app'));
    await client().manifest(reference(registry, `team/app:one@${digestOf(IMAGE)}`));
    const paths = registry.requests.map(({ url }) => new URL(url).pathname);
    expect(paths).toEqual(['/v2/team/app/manifests/latest', `/v2/team/app/manifests/${digestOf(IMAGE)}`]);
  });

  test('checks SHA-512 where that was asked for', async () => {
    const registry = serve(() => manifestAnswer(), certificate);
    const digest = digestOf(IMAGE, 'sha512');
    expect((await client().manifest(reference(registry, `team/app@${digest}`))).digest).toBe(digest);
  });

  test('refuses other content than was asked for', async () => {
    const registry = serve(() => manifestAnswer(Buffer.from('{"schemaVersion":2}')), certificate);
    await failure(client().manifest(reference(registry, `team/app@${digestOf(IMAGE)}`)), 'checksum-mismatch');
  });

  test('refuses a registry that says another digest than it sends', async () => {
    const registry = serve(
      () => manifestAnswer(IMAGE, { 'Docker-Content-Digest': digestOf(Buffer.from('x')) }),
      certificate,
    );
    await failure(client().manifest(reference(registry)), 'manifest-unusable');
  });

  test('refuses a manifest without end', async () => {
    const registry = serve(() => manifestAnswer(Buffer.alloc(5 * 1024 * 1024, 32)), certificate);
    await failure(client().manifest(reference(registry)), 'response-too-large');
  });

  test.each([
    [401, {}, 'unauthorized', 'access to LOCAL/team/app:one needs a login'],
    [
      403,
      { errors: [{ code: 'DENIED', message: 'no\nway' }] },
      'forbidden',
      'access to LOCAL/team/app:one is denied: no way',
    ],
    [
      404,
      { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] },
      'not-found',
      'manifest for LOCAL/team/app:one not found: manifest unknown',
    ],
    [500, {}, 'server-error', 'the registry LOCAL answers with status 500'],
  ] as const)('answered with %d fails', async (status, body, code, message) => {
    const registry = serve(() => Response.json(body, { status }), certificate);
    const error = await failure(client().manifest(reference(registry)), code);
    expect(error.message).toBe(message.replace('LOCAL', hostOf(registry)));
    expect(error.detail.status).toBe(status);
  });

  test('takes a token for pulling, and a redirect does not take it along', async () => {
    const storage = serve(() => manifestAnswer(), certificate);
    const service = serve(() => Response.json({ token: 'abc' }), certificate);
    const headers = { 'WWW-Authenticate': `Bearer realm="${service.origin}/token",service="reg"` };
    const registry = serve(
      (request) =>
        request.headers.get('authorization') === 'Bearer abc'
          ? Response.redirect(`${storage.origin}/blob`, 307)
          : new Response('', { status: 401, headers }),
      certificate,
    );
    const asked: string[] = [];
    const login = async (host: string) => {
      asked.push(host);
      return alice();
    };
    expect((await client({ login }).manifest(reference(registry))).digest).toBe(digestOf(IMAGE));
    expect(asked).toEqual([hostOf(registry)]);
    expect(new URL(service.requests[0]?.url ?? '').searchParams.get('scope')).toBe('repository:team/app:pull');
    expect(storage.requests[0]?.headers.has('authorization')).toBe(false);
  });

  test('falls back to plain http on this machine only, and remembers it', async () => {
    const registry = serve(() => manifestAnswer());
    const registries = client();
    await registries.manifest(reference(registry));
    await registries.manifest(reference(registry));
    expect(registry.requests).toHaveLength(2);
    expect(registryEndpoints('reg.example:5000').map(({ href }) => href)).toEqual(['https://reg.example:5000/']);
  });

  test('does not fall back when the certificate is wrong', async () => {
    const registry = serve(() => manifestAnswer(), makeAuthority('stranger').issue(['localhost']));
    await failure(client().manifest(reference(registry)), 'tls-untrusted');
  });
});

describe('addresses', () => {
  test.each([
    ['docker.io', {}, ['https://registry-1.docker.io/']],
    ['reg.example', {}, ['https://reg.example/']],
    ['localhost:5000', {}, ['https://localhost:5000/', 'http://localhost:5000/']],
    ['[::1]:5000', {}, ['https://[::1]:5000/', 'http://[::1]:5000/']],
    ['docker.io', { endpoint: 'https://proxy.example/hub/' }, ['https://proxy.example/hub']],
  ])('of %s, %j', (registry, settings, expected) => {
    expect(registryEndpoints(registry, settings).map(({ href }) => href)).toEqual(expected);
  });

  test.each(['ftp://x', 'x', 'https://', 'https://user:secret@x', 'https://x?y'])('refuse %s', async (endpoint) => {
    const error = await failure(() => registryEndpoints('reg.example', { endpoint }), 'server-address-invalid');
    expect(error.message).not.toContain('secret');
  });

  test('below a path are kept', async () => {
    const proxy = serve(() => manifestAnswer(), certificate);
    const settings = new Map([['docker.io', { endpoint: `${proxy.origin}/hub` }]]);
    await client({ settings }).manifest(parseReference('alpine'));
    expect(new URL(proxy.requests[0]?.url ?? '').pathname).toBe('/hub/v2/library/alpine/manifests/latest');
  });

  test('without TLS get no login', async () => {
    const settings = new Map([['reg.example', { endpoint: 'http://registry.test' }]]);
    const headers = { 'WWW-Authenticate': 'Basic realm="x"' };
    const answer = {
      status: 401,
      headers: new Headers(headers),
      body: Buffer.alloc(0),
      url: new URL('http://registry.test'),
    };
    const http = () => ({ send: async () => answer }) as unknown as HttpClient;
    await failure(
      client({ http, settings, login: alice }).manifest(parseReference('reg.example/a')),
      'plain-http-refused',
    );
  });
});

describe('mirrors', () => {
  const at = (registry: TestServer, mirrors: readonly string[]) => new Map([[hostOf(registry), { mirrors }]]);

  test('are asked for digests, first', async () => {
    const mirror = serve(() => manifestAnswer(), certificate);
    const registry = serve(() => manifestAnswer(), certificate);
    const registries = client({ settings: at(registry, [mirror.origin]) });
    await registries.manifest(reference(registry, `team/app@${digestOf(IMAGE)}`));
    expect(mirror.requests).toHaveLength(1);
    expect(registry.requests).toHaveLength(0);
  });

  test('are not asked what a tag stands for', async () => {
    const mirror = serve(() => manifestAnswer(Buffer.from('{"old":1}')), certificate);
    const registry = serve(() => manifestAnswer(), certificate);
    const manifest = await client({ settings: at(registry, [mirror.origin]) }).manifest(reference(registry));
    expect(manifest.digest).toBe(digestOf(IMAGE));
    expect(mirror.requests).toHaveLength(0);
  });

  test('that fail or lie are passed over', async () => {
    const broken = serve(() => new Response('', { status: 500 }), certificate);
    const lying = serve(() => manifestAnswer(Buffer.from('{"schemaVersion":2}')), certificate);
    const registry = serve(() => manifestAnswer(), certificate);
    const mirrors = ['https://localhost:1', broken.origin, lying.origin];
    const manifest = await client({ settings: at(registry, mirrors) }).manifest(
      reference(registry, `team/app@${digestOf(IMAGE)}`),
    );
    expect(manifest.bytes.equals(IMAGE)).toBe(true);
    expect(registry.requests).toHaveLength(1);
  });

  test('get their own login, never the registry’s', async () => {
    const headers = { 'WWW-Authenticate': 'Basic realm="x"' };
    const mirror = serve(() => new Response('', { status: 401, headers }), certificate);
    const registry = serve(() => manifestAnswer(), certificate);
    const login = async (host: string) => (host === hostOf(registry) ? alice() : undefined);
    await client({ settings: at(registry, [mirror.origin]), login }).manifest(
      reference(registry, `team/app@${digestOf(IMAGE)}`),
    );
    expect(mirror.requests.map((request) => request.headers.get('authorization'))).toEqual([null]);
  });
});

describe('verifyManifest', () => {
  const received = (text: string, contentType: string | null = OCI_MANIFEST) =>
    verifyManifest({ bytes: Buffer.from(text), contentType, claimedDigest: null, wanted: undefined });

  test('takes every known type, with parameters and in any case', () => {
    for (const type of MANIFEST_TYPES)
      expect(received('{}', `${type.toUpperCase()}; charset=utf-8`).mediaType).toBe(type);
    expect(received(`{"mediaType":"${DOCKER_MANIFEST}","layers":[]}`, DOCKER_MANIFEST).size).toBeGreaterThan(10);
  });

  test.each([
    ['no type', '{}', null],
    ['an unknown type', '{}', 'text/html'],
    ['a signed manifest of old', '{}', 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
    ['another type inside', `{"mediaType":"${OCI_INDEX}"}`, OCI_MANIFEST],
    ['a type inside that is no text', '{"mediaType":5}', OCI_MANIFEST],
    ['a manifest with images', '{"manifests":[],"layers":[]}', OCI_MANIFEST],
    ['an index with layers', '{"manifests":[],"layers":[]}', OCI_INDEX],
    ['an index with a config', '{"manifests":[],"config":{}}', OCI_INDEX],
    ['a member twice', '{"layers":[],"layers":[]}', OCI_MANIFEST],
    ['an array', '[]', OCI_MANIFEST],
    ['no JSON', '<html>', OCI_MANIFEST],
  ])('refuses %s', async (_, text, type) => {
    await failure(() => received(text, type), 'manifest-unusable');
  });
});

describe('storing a manifest', () => {
  test('puts it under its tag, with the rights for it', async () => {
    const service = serve(() => Response.json({ token: 'abc' }), certificate);
    const headers = { 'WWW-Authenticate': `Bearer realm="${service.origin}/token"` };
    const registry = serve(
      (request) =>
        request.headers.has('authorization')
          ? new Response('', { status: 201, headers: { 'Docker-Content-Digest': digestOf(IMAGE) } })
          : new Response('', { status: 401, headers }),
      certificate,
    );
    const manifest = { bytes: IMAGE, mediaType: OCI_MANIFEST };
    expect(await client().putManifest(reference(registry), manifest)).toBe(digestOf(IMAGE));
    const request = registry.requests[1];
    expect(`${request?.method} ${new URL(request?.url ?? '').pathname}`).toBe('PUT /v2/team/app/manifests/one');
    expect(request?.headers.get('content-type')).toBe(OCI_MANIFEST);
    expect(Buffer.from((await request?.arrayBuffer()) ?? new ArrayBuffer()).equals(IMAGE)).toBe(true);
    expect(new URL(service.requests[0]?.url ?? '').searchParams.get('scope')).toBe('repository:team/app:pull,push');
  });

  test('puts it by its digest if there is no tag', async () => {
    const registry = serve(() => new Response('', { status: 201 }), certificate);
    await client().putManifest(reference(registry, 'team/app'), { bytes: IMAGE, mediaType: OCI_MANIFEST });
    expect(new URL(registry.requests[0]?.url ?? '').pathname).toBe(`/v2/team/app/manifests/${digestOf(IMAGE)}`);
  });

  test('fails where the registry refuses, or stores something else', async () => {
    const refusing = serve(() => new Response('', { status: 403 }), certificate);
    const manifest = { bytes: IMAGE, mediaType: OCI_MANIFEST };
    await failure(client().putManifest(reference(refusing), manifest), 'forbidden');
    const headers = { 'Docker-Content-Digest': digestOf(Buffer.from('other')) };
    const changing = serve(() => new Response('', { status: 201, headers }), certificate);
    await failure(client().putManifest(reference(changing), manifest), 'manifest-unusable');
  });
});

describe('checkLogin', () => {
  const check = async (registry: TestServer, login?: Login, allowed?: Set<string>) =>
    checkLogin({
      http: httpClient(),
      endpoint: new URL(registry.origin),
      registry: hostOf(registry),
      login: login ?? (await alice()),
      ...(allowed === undefined ? {} : { allowed }),
      now: Date.now(),
    });
  const challenging = (challenge: string) =>
    serve((request) => {
      const right = request.headers.get('authorization') === `Basic ${btoa('alice:s3cret')}`;
      return right ? new Response('{}') : new Response('', { status: 401, headers: { 'WWW-Authenticate': challenge } });
    }, certificate);

  test('is content with a registry that asks for nothing', async () => {
    const registry = serve(() => new Response('{}'), certificate);
    expect(await check(registry)).toBeUndefined();
    expect(registry.requests.map((request) => request.headers.get('authorization'))).toEqual([null]);
    expect(new URL(registry.requests[0]?.url ?? '').pathname).toBe('/v2/');
  });

  test('tries Basic authentication', async () => {
    const registry = challenging('Basic realm="x"');
    expect(await check(registry)).toBeUndefined();
    const wrong = { username: 'alice', password: Buffer.from('wrong'), identityToken: undefined };
    const error = await failure(check(registry, wrong), 'unauthorized');
    expect(error.message).toBe('unauthorized: incorrect username or password');
  });

  test('asks the token service, and returns the identity token', async () => {
    const service = serve(
      (request) =>
        request.headers.get('authorization') === `Basic ${btoa('alice:s3cret')}`
          ? Response.json({ token: 'abc', refresh_token: 'r.t' })
          : Response.json({ details: 'incorrect username or password' }, { status: 401 }),
      certificate,
    );
    const registry = challenging(`Bearer realm="${service.origin}/token",service="reg"`);
    expect((await check(registry))?.toString()).toBe('r.t');
    const url = new URL(service.requests[0]?.url ?? '');
    expect([...url.searchParams]).toEqual([
      ['service', 'reg'],
      ['account', 'alice'],
      ['offline_token', 'true'],
      ['client_id', 'docker'],
    ]);
    const wrong = { username: 'alice', password: Buffer.from('wrong'), identityToken: undefined };
    await failure(check(registry, wrong), 'unauthorized');
  });

  test('does not send the login to a token service elsewhere', async () => {
    const thief = serve(() => Response.json({ token: 'abc' }), certificate);
    const realm = `https://127.0.0.1:${thief.port}`;
    const registry = challenging(`Bearer realm="${realm}/token"`);
    await failure(check(registry), 'realm-refused');
    expect(thief.requests).toHaveLength(0);
    await check(registry, undefined, new Set([realm]));
    expect(thief.requests).toHaveLength(1);
  });

  test('fails where the registry does', async () => {
    await failure(check(serve(() => new Response('', { status: 500 }), certificate)), 'server-error');
  });
});

describe('the catalogue', () => {
  const names = async (server: TestServer) => {
    const found: string[] = [];
    for await (const name of client().catalogue(hostOf(server))) found.push(name);
    return found;
  };
  const page = (repositories: readonly string[], link?: string) =>
    Response.json({ repositories }, link === undefined ? {} : { headers: { Link: link } });

  test('is read page by page', async () => {
    const registry = serve(({ url }) => {
      const last = new URL(url).searchParams.get('last');
      return last === null ? page(['a', 'team/b'], '</v2/_catalog?last=team/b>; rel="next"') : page(['z']);
    }, certificate);
    expect(await names(registry)).toEqual(['a', 'team/b', 'z']);
    expect(registry.requests.map(({ url }) => new URL(url).search)).toEqual(['?n=1000', '?n=1000&last=team%2Fb']);
  });

  test('ends even where pages do not', async () => {
    const registry = serve(() => page(['a'], '</v2/_catalog?last=a>; rel="next"'), certificate);
    expect(await names(registry)).toEqual(['a', 'a']);
  });

  test('that is none, or not for everyone, is an error', async () => {
    const answers = [new Response('no', { status: 404 }), new Response('no', { status: 401 }), Response.json([])];
    const codes: string[] = [];
    for (const answer of answers) {
      const registry = serve(() => answer, certificate);
      codes.push((await names(registry).catch((error) => error.code)) as string);
    }
    expect(codes).toEqual(['not-found', 'unauthorized', 'json-unexpected']);
  });
});
