import { describe, expect, test } from 'bun:test';
import { isSignetError } from '../../../src/core/errors/index.ts';
import { AuthorizedClient } from '../../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { NotaryServer } from '../../../src/remote/notary/notary-server.ts';
import { inspectExpired, updateCollection } from '../../../src/trust/update/collection.ts';
import { serve } from '../../remote/servers.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { NOW, Simulator, sourceOf } from '../../support/simulator.ts';

const HTML = '<!DOCTYPE html><title>Docker Content Trust has been retired</title>';

/** The step that is told to whoever reads from a server of that host which answers so. */
async function stepAfter(answer: () => Response | undefined, host: string): Promise<string | undefined> {
  const server = serve(() => answer() ?? new Response('', { status: 500 }));
  const address = answer() === undefined ? new URL('http://localhost:1') : new URL(server.origin);
  const http = new HttpClient({ userAgent: 'test', sleep: async () => {} });
  const client = new AuthorizedClient({ http, logins: [], tokens: new MemoryTokens() });
  const source = { ...sourceOf(await Simulator.start(), NOW), host, server: new NotaryServer(address, client) };
  const steps: (string | undefined)[] = [];
  for (const read of [updateCollection, inspectExpired]) {
    try {
      await read({ ...source, cache: new MemoryCache(), purpose: 'read' });
    } catch (error) {
      if (!isSignetError(error)) throw error;
      steps.push(error.next);
    }
  }
  expect(steps).toHaveLength(2);
  expect(steps[1]).toBe(steps[0]);
  return steps[0];
}

describe.each<[string, () => Response | undefined]>([
  ['does not answer', () => undefined],
  ['answers 410', () => new Response('gone', { status: 410 })],
  ['redirects', () => new Response(null, { status: 301, headers: { Location: 'https://www.docker.com/' } })],
  ['answers with a page', () => new Response(HTML, { headers: { 'Content-Type': 'text/html' } })],
])('a trust server that %s', (_, answer) => {
  test("is gone if it is Docker's, and the choices are told", async () => {
    const step = await stepAfter(answer, 'notary.docker.io');
    expect(step).toContain('Docker switches notary.docker.io off on 2026-12-08');
    expect(step).toContain('signet trust adopt --from FILE');
  });

  test('is what it is if it is another', async () => {
    expect((await stepAfter(answer, 'trust.example.com')) ?? '').not.toContain('notary.docker.io');
  });
});

test('a repository that Docker has no trust data of is not a server that is gone', async () => {
  const step = await stepAfter(() => new Response('', { status: 404 }), 'notary.docker.io');
  expect(step ?? '').not.toContain('switches');
});
