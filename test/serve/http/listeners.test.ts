import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { addressesOf, Listeners } from '../../../src/serve/http/listeners.ts';
import { readSettings } from '../../../src/serve/settings/read-settings.ts';
import { atEnd } from '../../support/cleanup.ts';
import { failure } from '../../support/failure.ts';
import { peerCertificate, startTestServer, testSettings } from '../fixture.ts';

/** What this machine has of the two; without the second a server does with the first. */
const LOOPBACK = ['127.0.0.1', '::1'].filter((wanted) =>
  Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === wanted)),
);

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Which loopback addresses accept connections on the port. */
async function openAddresses(port: number): Promise<readonly string[]> {
  const answers = await Promise.all(LOOPBACK.map(async (host) => ((await isOpen(host, port)) ? [host] : [])));
  return answers.flat();
}

function plain(host: string, port = 0): Listeners {
  const answer = async () => new Response('here');
  const listeners = new Listeners({ address: { host, port }, certificate: undefined, idleTimeout: 10, answer });
  atEnd(() => listeners.stop(0));
  return listeners;
}

test.each([
  ['localhost', ['127.0.0.1', '::1'], ['127.0.0.1']],
  ['0.0.0.0', ['0.0.0.0', '::1'], ['0.0.0.0']],
  ['127.0.0.1', ['127.0.0.1'], ['127.0.0.1']],
  ['::1', ['::1'], ['::1']],
  ['::', ['::'], ['::']],
  ['registry.example.com', ['registry.example.com'], ['registry.example.com']],
])('%s stands for %p, and for %p if there is no [::1]', (host, withIPv6, without) => {
  const hosts = (hasIPv6: boolean) => addressesOf({ host, port: 5000 }, hasIPv6).map((address) => address.host);
  expect([hosts(true), hosts(false)]).toEqual([withIPv6, without]);
});

test('a server listens on all of localhost if nothing else is said', async () => {
  expect(readSettings({ folder: '/' }).listen).toEqual({ host: 'localhost', port: 5000 });
  const server = await startTestServer({ listen: { host: 'localhost', port: 0 } });
  expect(server.url).toBe(`https://localhost:${server.port}`);
  expect(await openAddresses(server.port)).toEqual(LOOPBACK);
  for (const address of LOOPBACK) {
    const host = address.includes(':') ? `[${address}]` : address;
    const tls = { ca: server.caCertificate };
    expect((await fetch(`https://${host}:${server.port}/_signet/health`, { tls })).status).toBe(200);
  }
  await server.stop();
  expect(await openAddresses(server.port)).toEqual([]);
});

test('one of the addresses that another process holds stops the start, and nothing is left open', async () => {
  for (const taken of LOOPBACK) {
    const other = plain(taken);
    const settings = testSettings({ listen: { host: 'localhost', port: other.port } });
    const error = await failure(startTestServer(settings), 'address-in-use');
    const shown = taken.includes(':') ? `[${taken}]` : taken;
    expect(error.message).toBe(`another process listens on ${shown}:${other.port}`);
    expect(await openAddresses(other.port)).toEqual([taken]);
    await other.stop(0);
    await (await startTestServer(settings)).stop();
  }
});

test('pausing closes all of them, and resuming opens them again', async () => {
  const listeners = plain('localhost');
  const { port } = listeners;
  listeners.pause();
  expect(await openAddresses(port)).toEqual([]);
  listeners.resume();
  expect(await openAddresses(port)).toEqual(LOOPBACK);
});

test('a renewed certificate is shown on all of them, time after time', async () => {
  const server = await startTestServer({ listen: { host: 'localhost', port: 0 } });
  const shown = () => Promise.all(LOOPBACK.map((host) => peerCertificate(server, host)));
  const seen = new Set(await shown());
  expect(seen.size).toBe(1);
  for (let renewal = 2; renewal <= 4; renewal++) {
    await Bun.write(`${server.settings.data}/tls/server.key`, '');
    await server.reload();
    const now = new Set(await shown());
    expect(now.size).toBe(1);
    for (const one of now) seen.add(one);
    expect(seen.size).toBe(renewal);
  }
  expect(await openAddresses(server.port)).toEqual(LOOPBACK);
});
