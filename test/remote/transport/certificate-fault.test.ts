import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { dockerConnections } from '../../../src/remote/tls/docker-connections.ts';
import { failure } from '../../support/failure.ts';
import { temporaryFolder } from '../../support/temp.ts';
import { makeAuthority, type Pair } from '../certificates.ts';
import { serve } from '../servers.ts';

const authority = makeAuthority('Acme Authority');
const DAY = 86_400_000;
const day = (from: number) => new Date(from).toISOString().slice(0, 10);

/** Asks a server on this machine with that certificate, as one that is elsewhere. */
async function asking(pair: Pair, authorities = [Buffer.from(authority.cert)], pipelined = false) {
  const server = serve(() => new Response('x'), pair);
  const connection = { authorities, identities: [], verify: true, address: undefined, authorityFile: '/certs/ca.crt' };
  const http = new HttpClient({ userAgent: 'test', connectionFor: async () => connection, pipelined });
  const url = new URL(server.origin);
  const error = await failure(http.send({ method: 'GET', url, limit: 100 }), 'tls-untrusted');
  expect(server.requests).toEqual([]);
  const start = `the certificate of ${server.origin} is not trusted: `;
  expect(error.message).toStartWith(start);
  return { why: error.message.slice(start.length), next: error.next };
}

describe('a certificate that is not trusted', () => {
  for (const pipelined of [false, true]) {
    describe(pipelined ? 'pipelined' : 'of one request', () => {
      test('for other names says which names it has', async () => {
        const pair = authority.issue(['trust.example', '*.acme.example', '192.0.2.7']);
        expect(await asking(pair, undefined, pipelined)).toEqual({
          why: 'it is for trust.example, *.acme.example, 192.0.2.7, not for localhost',
          next: "Use a name that the certificate has, or have the server's certificate issued for localhost as well.",
        });
      });

      test('that has expired says when', async () => {
        const { why, next } = await asking(authority.issue(['localhost'], { days: -2 }), undefined, pipelined);
        expect(why).toBe(`it expired on ${day(Date.now() - 2 * DAY)}`);
        expect(next).toStartWith('Check the clock of this machine');
      });

      test('that is not valid yet says from when on it is', async () => {
        const { why } = await asking(authority.issue(['localhost'], { since: 2 }), undefined, pipelined);
        expect(why).toBe(`it is not valid before ${day(Date.now() + 2 * DAY)}`);
      });

      test('of an unknown authority names it, and where its certificate goes', async () => {
        const known = [Buffer.from(makeAuthority('Another').cert)];
        expect(await asking(authority.issue(['localhost']), known, pipelined)).toEqual({
          why: 'its authority (Acme Authority) is not known here',
          next: 'If the server is the right one, put the certificate of its authority into /certs/ca.crt, or among the authorities of this system.',
        });
      });

      test('that vouches for itself is called so', async () => {
        const known = [Buffer.from(makeAuthority('Another').cert)];
        expect((await asking(authority, known, pipelined)).why).toBe('it vouches for itself');
      });
    });
  }

  test('goes into the folder that docker has for the host', async () => {
    const folder = temporaryFolder();
    const connection = await dockerConnections({ folders: [folder], registry: '192.0.2.1' })(
      new URL('https://trust.example:4443'),
    );
    expect(connection.authorityFile).toBe(join(folder, 'trust.example:4443', 'ca.crt'));
  });
});
