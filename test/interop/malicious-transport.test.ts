import { describe, expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import { RELEASES } from '../../src/core/names/role.ts';
import { makeAuthority } from '../remote/certificates.ts';
import { serve } from '../remote/servers.ts';
import { startScriptedHttps } from '../support/scripted-https.ts';
import {
  announced,
  endless,
  endlessHead,
  gibberish,
  labelled,
  shortened,
  stalling,
  status,
} from './malicious/answers.ts';
import { type Attack, type Ending, play } from './malicious/play.ts';
import { ALICE, makeWorld, type World } from './malicious/world.ts';

// Attacks by how the trust server answers. Where it cannot be reached, what is known serves those who read until it
// expires; whoever signs must have the server's own word.

/** Every fault of the way to the server that is no lie. */
const unreachable = (code: Ending) => ({ warm: { all: 'goes on', sign: code }, cold: code }) as const;
const refused = (code: Ending) => ({ warm: code, cold: code }) as const;

describe('endless data', () => {
  play([
    { name: 'as root', lie: ({ server }) => void server.lies.set('root', endless()), cold: 'response-too-large' },
    ...(['timestamp', 'snapshot', 'targets', RELEASES, ALICE] as const).map(
      (role): Attack => ({
        name: `as ${role}`,
        knows: 'old',
        lie: ({ server }) => void server.lies.set(role, endless()),
        ...refused('response-too-large'),
      }),
    ),
    {
      name: 'that is announced',
      lie: ({ server }) => void server.lies.set('timestamp', announced(2 ** 40)),
      ...refused('response-too-large'),
    },
    {
      name: 'that is a byte too much',
      knows: 'old',
      lie: ({ server, simulator }) =>
        void server.lies.set(RELEASES, Buffer.concat([simulator.file(RELEASES), Buffer.from(' ')])),
      ...refused('response-too-large'),
    },
    {
      name: 'in the head of an answer',
      lie: ({ server }) => void server.lies.set('timestamp', endlessHead),
      ...refused('response-invalid'),
    },
    {
      name: 'as an error',
      lie: ({ server }) => void server.lies.set('timestamp', endless(500)),
      ...unreachable('server-error'),
    },
  ]);

  test('that does not come ends after a while, for those who cannot do without it', async () => {
    const { server, warm, cold, started } = await makeWorld({});
    server.lies.set('timestamp', stalling);
    const before = [warm, cold].map((victim) => victim.belongings());
    const [read, signed, ...news] = await Promise.all([
      warm.type('inspect'),
      warm.type('sign'),
      cold.type('run'),
      cold.type('pull'),
      cold.type('sign'),
    ]);
    expect(read).toMatchObject({ exitCode: 0 });
    for (const ended of [signed, ...news]) expect(ended).toMatchObject({ code: 'network-timeout' });
    expect(started()).toEqual([]);
    expect([warm, cold].map((victim) => victim.belongings())).toEqual(before);
  }, 90_000);
});

describe('a server in disorder', () => {
  const timestampIs = (reply: Parameters<World['server']['lies']['set']>[1]) => (world: World) =>
    void world.server.lies.set('timestamp', reply);

  play([
    ...[403, 500, 206, 304].map(
      (code): Attack => ({
        name: `answers with ${code}`,
        lie: timestampIs(status(code)),
        ...unreachable('server-error'),
      }),
    ),
    {
      name: 'is too busy for a long time',
      lie: timestampIs(status(503, { 'Retry-After': '86400' })),
      ...unreachable('server-error'),
    },
    {
      name: 'has lost the timestamp',
      lie: timestampIs(status(404)),
      ...unreachable('trust-data-missing'),
    },
    { name: 'wants a login', lie: timestampIs(status(401)), ...refused('unauthorized') },
    { name: 'does not speak HTTP', lie: timestampIs(gibberish), ...refused('response-invalid') },
    {
      name: 'breaks off',
      lie: (world) => timestampIs(shortened(world.simulator.file('timestamp')))(world),
      ...unreachable('network-unreachable'),
    },
    {
      name: 'packs what it says',
      lie: (world) =>
        timestampIs(() => labelled(gzipSync(world.simulator.file('timestamp')), { 'Content-Encoding': 'gzip' }))(world),
      ...refused('response-invalid'),
    },
    {
      name: 'calls its answers something else',
      lie: (world) =>
        timestampIs(() => labelled(world.simulator.file('timestamp'), { 'Content-Type': 'text/html' }))(world),
      warm: 'goes on',
      cold: 'goes on',
    },
    ...(
      [
        [500, 'server-error'],
        [404, 'trust-data-missing'],
        [401, 'unauthorized'],
      ] as const
    ).map(
      ([code, ending]): Attack => ({
        name: `answers with ${code} in the middle of an update`,
        knows: 'old',
        lie: ({ server }) => void server.lies.set(RELEASES, status(code)),
        warm: ending,
        cold: ending,
      }),
    ),
    {
      name: 'denies that there ever was such a repository',
      lie: ({ server, simulator }) => {
        for (const role of simulator.state.keys()) server.lies.set(role, status(404));
      },
      warm: { all: 'goes on', sign: 'trust-data-lost' },
    },
  ]);
});

describe('a way elsewhere', () => {
  const authority = makeAuthority('The authority of a thief');
  const thief = serve(() => Response.json({ token: 'x', access_token: 'x' }), authority.issue(['127.0.0.1']));
  const elsewhere = thief.origin.replace('localhost', '127.0.0.1');
  const loggedIn = ({ server, warm, cold }: World) => {
    const auth = Buffer.from('alice:the password of alice').toString('base64');
    for (const victim of [warm, cold]) victim.configure('config.json', { auths: { [server.host]: { auth } } });
  };
  const challenge = (realm: string) => status(401, { 'WWW-Authenticate': `Bearer realm="${realm}",service="x"` });

  play([
    ...[301, 302, 307, 308].map(
      (code): Attack => ({
        name: `by a redirect with ${code} is not followed`,
        lie: (world) => {
          loggedIn(world);
          world.server.lies.set('timestamp', status(code, { Location: `${elsewhere}/timestamp.json` }));
        },
        ...unreachable('server-error'),
      }),
    ),
    ...[
      `${elsewhere}/token`,
      'https://thief.example/token',
      'http://thief.example/token',
      'https://u:p@localhost/token',
    ].map(
      (realm): Attack => ({
        name: `to a token service at ${realm.replace(/:\d+/, '')} is not gone with a login`,
        lie: (world) => {
          loggedIn(world);
          world.server.lies.set('timestamp', challenge(realm));
        },
        ...refused('realm-refused'),
      }),
    ),
  ]);

  test('leaves the thief with nothing', () => {
    expect(thief.requests).toEqual([]);
  });

  for (const [name, pair] of [
    ['of an unknown authority', authority.issue(['localhost'])],
    ['for another name', undefined],
  ] as const) {
    test(`under a certificate ${name} is not gone`, async () => {
      const { cold, server, started } = await makeWorld({});
      const requests: string[] = [];
      const impostor = await startScriptedHttps(pair ?? server.issue(['trust.example.com']), (request) => {
        requests.push(request.url);
        return status(404)(request);
      });
      cold.trust(impostor.host);
      const before = cold.belongings();
      // Docker's rule is that a registry on this machine needs no certificate; this one is elsewhere.
      const image = '192.0.2.1:5000/acme/app:latest';
      for (const [exitCode, ...words] of [
        [125, 'run', image],
        [1, 'pull', image],
        [1, 'trust', 'inspect', '--pretty', image],
        [1, 'trust', 'sign', image],
      ] as const) {
        const ended = await cold.signet(words, { DOCKER_CONTENT_TRUST_SERVER: impostor.origin });
        expect(ended).toMatchObject({ code: 'tls-untrusted', exitCode });
      }
      expect(requests).toEqual([]);
      expect(cold.belongings()).toEqual(before);
      expect(started()).toEqual([]);
    });
  }
});
