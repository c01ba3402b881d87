import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import { digestOf } from '../../../src/core/names/digest.ts';
import { dataFolder } from '../../../src/serve/data/data-folder.ts';
import { content } from '../../registry/fixture.ts';
import { atEnd } from '../../support/cleanup.ts';
import { run } from '../../support/run.ts';
import { startSignet } from '../../support/signet-server.ts';
import { holderOf } from '../attacks/target.ts';

// A server with few descriptors, and more clients than it has any for.

const LIMIT = 128;
const server = await startSignet({ args: ['--auth=off'] });
const port = Number(server.host.split(':')[1]);
const ca = readFileSync(server.authority, 'utf8');
const pid = holderOf(dataFolder(server.data).holder);
const limited = await run(['prlimit', `--pid=${pid}`, `--nofile=${LIMIT}:${LIMIT}`]);
expect([limited.stderr, limited.exitCode]).toEqual(['', 0]);

function countOf(text: string): number {
  return server.log().split(text).length - 1;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(5);
}

/** A connection, however it ends. */
function open(): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
  socket.on('error', () => {});
  atEnd(() => void socket.destroy());
  return socket;
}

/** How long the process has worked, in clock ticks. */
function workOf(process: number): number {
  const [, rest = ''] = readFileSync(`/proc/${process}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

test('close to the limit new clients are refused at once, those who are there are served, and it is said once', async () => {
  const bytes = content(1, 200_000);
  const started = await fetch(`${server.origin}/v2/a/b/blobs/uploads/`, { method: 'POST', tls: { ca } });
  const location = started.headers.get('location') ?? '';
  // A request that runs all the time: it began before, and goes on when nothing can be accepted.
  let send = (_piece: Uint8Array | undefined) => {};
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      send = (piece) => (piece === undefined ? controller.close() : controller.enqueue(piece));
    },
  });
  const patching = fetch(server.origin + location, { method: 'PATCH', body, tls: { ca } });
  send(bytes.subarray(0, 100_000));

  const idle = Array.from({ length: 2 * LIMIT }, open);
  await until(() => countOf('connections are refused') === 1);
  const refused = await fetch(`${server.origin}/_signet/health`, { tls: { ca }, keepalive: false }).catch(
    ({ code }) => code,
  );
  expect(refused).toBe('ECONNREFUSED');
  send(bytes.subarray(100_000));
  send(undefined);
  const patched = await patching;
  expect([patched.status, patched.headers.get('range')]).toEqual([202, `0-${bytes.length - 1}`]);

  // With its end the server has closed those on which nobody asks for anything.
  await until(() => countOf('connections are accepted again') === 1);
  await until(() => idle.every(({ destroyed }) => destroyed));
  const finished = await fetch(`${server.origin}${location}?digest=${digestOf(bytes)}`, { method: 'PUT', tls: { ca } });
  expect(finished.status).toBe(201);
  expect([countOf('connections are refused'), countOf('connections are accepted again')]).toEqual([1, 1]);
}, 60_000);

test('it comes back each time, and does not go round in circles', async () => {
  for (let round = 2; round < 5; round++) {
    const before = workOf(pid);
    for (let count = 0; count < 2 * LIMIT; count++) open();
    await until(() => countOf('connections are accepted again') === round);
    expect((await fetch(`${server.origin}/_signet/health`, { tls: { ca } })).status).toBe(200);
    expect(workOf(pid) - before).toBeLessThan(300);
  }
}, 60_000);
