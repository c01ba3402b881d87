import { beforeAll, expect, test } from 'bun:test';
import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { libtrustFingerprint, parseIssuerKeys } from '../../../src/accounts/tokens/issuer-keys.ts';
import { parseHostName } from '../../../src/serve/settings/host-name.ts';
import { makeAuthority } from '../../remote/certificates.ts';
import { startTestServer } from '../../serve/fixture.ts';
import { atEnd } from '../../support/cleanup.ts';
import { fatal, Person, succeeds, type TrustService } from '../../support/notary-client.ts';
import { type NotaryOnDatabase, startNotaryOnDatabase } from '../../support/notary-on-database.ts';
import { freePort } from '../../support/signet-server.ts';
import { describeSqlServers, serverOf } from '../../support/sql-databases.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { targetsOf } from '../delegated.ts';

const ISSUER = 'harbor-token-issuer';
const SERVICE = 'harbor-notary';
const DEVELOPER = { name: 'alice', password: 'what alice has chosen' };
const GUEST = { name: 'guest', password: 'what the guest has chosen' };

/** The front of a Harbor: TLS for everything, a token service of its own, and notary-server behind `/v2/`. */
interface Front extends TrustService {
  readonly realm: string;
  /** The file of the certificate that tokens are verified by. */
  readonly bundle: string;
  /** Whom requests below `/v2/` are passed on to, plain HTTP. */
  upstream: string;
}

async function startFront(): Promise<Front> {
  const folder = temporaryFolder();
  const port = await freePort();
  const authority = makeAuthority('The authority of Harbor');
  const { cert, key } = authority.issue(['localhost']);
  const core = makeAuthority('Harbor core').issue(['core']);
  const files = { authority: join(folder, 'ca.crt'), bundle: join(folder, 'root.crt') };
  writeFileSync(files.authority, authority.cert);
  writeFileSync(files.bundle, core.cert);
  const host = `localhost:${port}`;
  const front = { ...files, host, origin: `https://${host}`, realm: `https://${host}/service/token`, upstream: '' };
  const [tokenKey] = parseIssuerKeys(core.cert);
  const kid = libtrustFingerprint(tokenKey?.key ?? expect.unreachable());

  const tokenFor = async (request: Request): Promise<Response> => {
    const [name, password] = Buffer.from((request.headers.get('authorization') ?? '').replace('Basic ', ''), 'base64')
      .toString()
      .split(':');
    const user = [DEVELOPER, GUEST].find((each) => each.name === name && each.password === password);
    const wanted = new URL(request.url).searchParams.getAll('scope');
    const access = wanted.map((scope) => {
      const [, type = '', resource = '', actions = ''] = /^(\w+):(.+):([^:]*)$/.exec(scope) ?? [];
      const allowed = user === DEVELOPER ? ['pull', 'push', '*'] : user === GUEST ? ['pull'] : [];
      return { type, name: resource, actions: actions.split(',').filter((action) => allowed.includes(action)) };
    });
    const token = await new SignJWT({ access })
      .setProtectedHeader({ typ: 'JWT', alg: tokenKey?.algorithm ?? 'ES256', kid })
      .setIssuer(ISSUER)
      .setSubject(user?.name ?? '')
      .setAudience(SERVICE)
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('30m')
      .sign(createPrivateKey(core.key));
    return Response.json({ token, expires_in: 1800 });
  };
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    tls: { cert, key },
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === '/service/token') return tokenFor(request);
      if (!pathname.startsWith('/v2/')) return new Response('Harbor', { status: 404 });
      const headers = new Headers(request.headers);
      headers.set('Host', host);
      headers.set('X-Forwarded-Proto', 'https');
      const body = request.method === 'POST' ? await request.arrayBuffer() : null;
      return fetch(`${front.upstream}${pathname}${search}`, {
        method: request.method,
        headers,
        body,
        redirect: 'manual',
        decompress: false,
      });
    },
  });
  atEnd(() => server.stop(true));
  return front;
}

describeSqlServers(({ start }) => {
  let front: Front;
  let made: NotaryOnDatabase;
  let gun: string;
  beforeAll(async () => {
    front = await startFront();
    gun = `${front.host}/library/app`;
    made = await startNotaryOnDatabase(await start(), {
      bookkeeping: 'rows',
      alias: 'defaultalias',
      anyClient: true,
      plain: true,
      tokens: { realm: front.realm, service: SERVICE, issuer: ISSUER, bundle: front.bundle },
    });
    front.upstream = made.notary.origin;
  });

  test('what a Harbor has behind its front is Signet from now on, and no client notices', async () => {
    const developer = new Person(front, { login: DEVELOPER });
    const guest = new Person(front, { login: GUEST });
    await succeeds(developer.notary('init', gun, '-p'));
    await succeeds(developer.notary('key', 'rotate', gun, 'snapshot', '-r'));
    await succeeds(developer.add(gun, '1.0'));
    expect(await targetsOf(guest, gun)).toEqual(['1.0 targets']);
    const refused = await fatal(guest.takeKeysOf(developer).add(gun, 'not-mine'));
    await succeeds(guest.notary('reset', gun, '--all'));
    await made.stop();

    const passphrases = join(temporaryFolder(), 'signer_env');
    writeFileSync(passphrases, `NOTARY_SIGNER_DEFAULTALIAS=${made.environment.NOTARY_SIGNER_DEFAULTALIAS}\n`);
    const signet = await startTestServer({
      tls: false,
      behindProxy: true,
      names: [parseHostName(front.host) ?? expect.unreachable()],
      database: serverOf(made.database),
      signerDatabase: serverOf(made.keyDatabase),
      signerPassphrases: passphrases,
      tokenIssuer: ISSUER,
      tokenIssuerService: SERVICE,
      tokenIssuerRealm: front.realm,
      tokenIssuerKeys: front.bundle,
    });
    front.upstream = signet.url;
    expect(await targetsOf(guest, gun)).toEqual(['1.0 targets']);
    await succeeds(developer.add(gun, '1.1'));
    expect(await targetsOf(guest, gun)).toEqual(['1.0 targets', '1.1 targets']);
    expect(await fatal(guest.add(gun, 'not-mine'))).toBe(refused);
    await succeeds(guest.notary('reset', gun, '--all'));
    await succeeds(developer.notary('key', 'rotate', gun, 'snapshot', '-r'));
    await succeeds(developer.notary('init', `${gun}-new`, '-p'));
    const challenge = await fetch(`${signet.url}/v2/${gun}/_trust/tuf/root.json`, { headers: { Host: front.host } });
    expect([challenge.status, challenge.headers.get('WWW-Authenticate')]).toEqual([
      401,
      `Bearer realm="${front.realm}",service="${SERVICE}",scope="repository:${gun}:pull"`,
    ]);
    await signet.stop();

    await made.start();
    front.upstream = made.notary.origin;
    expect(await targetsOf(guest, gun)).toEqual(['1.0 targets', '1.1 targets']);
    await succeeds(developer.add(gun, '1.2'));
    await succeeds(developer.add(`${gun}-new`, '1.0'));
  }, 120_000);
});
