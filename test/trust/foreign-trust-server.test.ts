import { describe, expect, test } from 'bun:test';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSession } from '../../src/cli/session.ts';
import { digestOf } from '../../src/core/names/digest.ts';
import { parseReference } from '../../src/core/names/reference.ts';
import { makeAuthority } from '../remote/certificates.ts';
import { serve, type TestServer } from '../remote/servers.ts';
import { type Outcome, run } from '../support/run.ts';
import { temporaryFolder } from '../support/temp.ts';

const MAIN = join(import.meta.dir, '../../src/cli/main.ts');
const REGISTRY = 'registry.example:5000';
const authority = makeAuthority('the authority of the trust server');
const certificate = authority.issue(['localhost']);
const basic = (user: string) => `Basic ${btoa(`${user}:s3cret`)}`;

/** A trust server on another host than the registry; a token service is at `/token` of it. */
function trustServer(challenge: (origin: string) => string): TestServer & { readonly host: string } {
  const server: TestServer = serve((_request, url) => {
    if (url.pathname === '/token') return Response.json({ token: 'of-everybody' });
    return new Response('', { status: 401, headers: { 'WWW-Authenticate': challenge(server.origin) } });
  }, certificate);
  return Object.assign(server, { host: new URL(server.origin).host });
}

function inspect(
  server: TestServer,
  logins: readonly string[],
  settings: object = {},
  more: { readonly config?: object; readonly path?: string } = {},
): Promise<Outcome> {
  const folder = temporaryFolder();
  const { host } = new URL(server.origin);
  const auths = Object.fromEntries(logins.map((name) => [name, { auth: btoa('alice:s3cret') }]));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths, ...more.config }));
  writeFileSync(join(folder, 'signet.json'), JSON.stringify(settings));
  mkdirSync(join(folder, 'tls', host), { recursive: true });
  writeFileSync(join(folder, 'tls', host, 'ca.crt'), authority.cert);
  const env = {
    ...{
      PATH: `${more.path ?? '/nowhere'}:${process.env.PATH}`,
      HOME: folder,
      DOCKER_CONFIG: folder,
      SIGNET_DEBUG: '1',
    },
    DOCKER_CONTENT_TRUST_SERVER: server.origin,
  };
  return run([process.execPath, MAIN, 'trust', 'inspect', '--pretty', `${REGISTRY}/team/app`], { env });
}

const authorizations = ({ requests }: TestServer) => requests.map((request) => request.headers.get('authorization'));

describe("a trust server on another host than the registry's", () => {
  test.each([
    ['a token service of its own', (origin: string) => `Bearer realm="${origin}/token",service="x"`],
    ['a Basic challenge', () => 'Basic realm="x"'],
    ["the registry's token service", () => `Bearer realm="https://${REGISTRY}/token",service="x"`],
  ])('does not get the login of the registry by %s', async (_, challenge) => {
    const server = trustServer(challenge);
    const { stderr, exitCode } = await inspect(server, [REGISTRY]);
    expect(exitCode).toBe(1);
    expect(authorizations(server).filter((header) => header?.startsWith('Basic'))).toEqual([]);
    expect(server.requests.map(({ url }) => url).join()).not.toContain('alice');
    if (challenge('').includes(REGISTRY)) return;
    expect(stderr).toContain(
      `${server.host} wants a login of its own (the one for ${REGISTRY} is not sent there): signet login ${server.host}`,
    );
  });

  test('gets the login that is stored for it', async () => {
    const server = trustServer((origin) => `Bearer realm="${origin}/token"`);
    const { stderr } = await inspect(server, [REGISTRY, `localhost:${server.port}`]);
    expect(authorizations(server)).toContain(basic('alice'));
    expect(stderr).toContain(
      `${server.host} refuses access to ${REGISTRY}/team/app (as alice, with the login for ${server.host})`,
    );
  });

  test('is asked without a login where a helper made for other hosts fails', async () => {
    const server = trustServer((origin) => `Bearer realm="${origin}/token"`);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'docker-credential-only'), '#!/bin/sh\necho "not one of mine"\nexit 1\n', {
      mode: 0o755,
    });
    const config = { credHelpers: { [server.host]: 'only' } };
    const { stderr } = await inspect(server, [], {}, { config, path: folder });
    expect(stderr).toContain(
      `${server.host} refuses access to ${REGISTRY}/team/app: error getting credentials - err: exit status 1, out: \`not one of mine\`\n`,
    );
    expect(authorizations(server)).toEqual([null, null, 'Bearer of-everybody']);
  });

  test('names a token service that is configured for the registry, and only for that one', async () => {
    for (const [registry, isSent] of [
      [REGISTRY, true],
      ['other.example', false],
    ] as const) {
      const server = trustServer((origin) => `Bearer realm="${origin}/token"`);
      await inspect(server, [REGISTRY], { registries: { [registry]: { tokenServices: [server.origin] } } });
      expect(authorizations(server).includes(basic('alice'))).toBe(isSent);
    }
  });
});

describe('the login of a registry', () => {
  const image = Buffer.from('{"schemaVersion":2,"config":{},"layers":[]}');
  const digest = digestOf(image);

  /** A registry that lets alice in, by Basic authentication. */
  const registryServer = () =>
    serve((request) => {
      if (request.headers.get('authorization') === basic('alice')) {
        return new Response(image, { headers: { 'Content-Type': 'application/vnd.oci.image.manifest.v1+json' } });
      }
      return new Response('', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } });
    }, certificate);

  async function open(settings: object, servers: readonly TestServer[]) {
    const folder = temporaryFolder();
    for (const { origin } of servers) {
      const { host } = new URL(origin);
      mkdirSync(join(folder, 'tls', REGISTRY), { recursive: true });
      mkdirSync(join(folder, 'tls', host), { recursive: true });
      writeFileSync(join(folder, 'tls', host, 'ca.crt'), authority.cert);
    }
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({ auths: { [REGISTRY]: { auth: btoa('alice:s3cret') } } }),
    );
    writeFileSync(join(folder, 'signet.json'), JSON.stringify({ registries: { [REGISTRY]: settings } }));
    return openSession({ env: { HOME: folder, DOCKER_CONFIG: folder }, globals: undefined, cli: undefined });
  }

  test('goes to the address that is configured for it, and not to its mirrors', async () => {
    const [endpoint, mirror] = [registryServer(), registryServer()];
    const settings = { endpoint: endpoint.origin, mirrors: [mirror.origin] };
    const session = await open(settings, [endpoint, mirror]);
    const manifest = await session.manifest(parseReference(`${REGISTRY}/team/app@${digest}`));
    expect(manifest.digest).toBe(digest);
    expect(authorizations(mirror)).toEqual([null]);
    expect(authorizations(endpoint)).toEqual([null, basic('alice')]);
  });
});
