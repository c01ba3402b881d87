import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { LIMITS } from '../../../src/core/limits.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import { content } from '../../registry/fixture.ts';
import { form } from './forms.ts';
import { Target } from './target.ts';
import { Publisher } from './victim.ts';
import { ELSEWHERE, exchange, HOST, open, received, request } from './wire.ts';

// Who opens very many connections and says very little on them must not keep anybody else waiting.

/** Long enough for a busy machine to open hundreds of connections in. */
const IDLE_SECONDS = 5;
const REQUESTS = 128;
const target = await Target.start({ args: [`--idle-timeout=${IDLE_SECONDS}s`, `--max-requests=${REQUESTS}`] });
/** What this machine lets a process open; the server and its attackers each have so many. */
const OPEN_FILES = Number(/Max open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
const HUNDREDS = Math.min(600, OPEN_FILES / 4);
const THOUSANDS = Math.min(3000, OPEN_FILES / 2);
const MiB = 2 ** 20;
const TOKEN_FORM = [
  'POST /auth/token HTTP/1.1',
  HOST,
  'Content-Type: application/x-www-form-urlencoded',
  'Content-Length: 10000',
  '',
  'grant_type=',
].join('\r\n');

/** Opens connections, some at a time, and begins on each with these bytes. */
async function opened(count: number, bytes: string, address = ELSEWHERE): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = await Promise.all(
      Array.from({ length: Math.min(100, count - sockets.length) }, () => open(target, address)),
    );
    for (const socket of some) if (bytes !== '') socket.write(bytes);
    sockets.push(...some);
  }
  return sockets;
}

test(`${THOUSANDS} connections on which no one asks for anything`, async () => {
  await target.withstands(async () => {
    const sockets = await opened(THOUSANDS, '');
    expect((await exchange(target, request('GET /_signet/health', HOST))).statuses).toEqual([200]);
    for (const socket of sockets) socket.destroy();
  });
}, 60_000);

test(`${HUNDREDS} connections without a handshake, headers without an end, or a letter at a time, are cut off`, async () => {
  await target.withstands(async () => {
    const silent = Array.from({ length: HUNDREDS }, () =>
      connect({ host: '127.0.0.1', port: target.port, localAddress: ELSEWHERE }),
    );
    const halves = await opened(HUNDREDS, 'GET /v2/ HTTP/1.1\r\nHost: local');
    const trickles = await opened(HUNDREDS, 'GET /v2/ HTTP/1.1\r\nX-A: ');
    const trickle = setInterval(() => {
      for (const socket of trickles) socket.write('a');
    }, 100);
    const answers = await Promise.all([...silent, ...halves, ...trickles].map((socket) => received(socket)));
    clearInterval(trickle);
    expect(answers.filter(({ statuses, isClosed }) => statuses.length > 0 || !isClosed)).toEqual([]);
  });
}, 60_000);

test(`${HUNDREDS} slow bodies take no more than half of the requests there may be`, async () => {
  await target.withstands(async () => {
    const sockets = await opened(HUNDREDS, TOKEN_FORM);
    const answers = await Promise.all(sockets.map((socket) => received(socket, 1)));
    const refused = answers.filter(({ statuses }) => statuses[0] === 429);
    const cutOff = answers.filter(({ statuses, isClosed }) => isClosed && statuses.length === 0);
    expect(refused.length + cutOff.length).toBe(HUNDREDS);
    expect(cutOff.length).toBe(REQUESTS / 2);
    for (const socket of sockets) socket.destroy();
  });
}, 60_000);

test('large publishes that never end take no more memory than one', async () => {
  const gun = target.gun('mallory/app');
  const { Authorization } = await target.bearer('mallory', `repository:${gun}:pull,push`);
  const size = LIMITS.upload / 2;
  const line = `POST /v2/${gun}/_trust/tuf/ HTTP/1.1`;
  const lines = [line, HOST, `Authorization: ${Authorization}`, `Content-Type: ${form().headers['Content-Type']}`];
  const head = [...lines, `Content-Length: ${size}`, '', ''].join('\r\n');
  const content = Buffer.alloc(size - 1, 'a');
  await target.withstands(async () => {
    const sockets = await Promise.all(Array.from({ length: 12 }, () => open(target)));
    const answers = sockets.map((socket) => received(socket, 1));
    for (const socket of sockets) socket.write(head);
    for (const socket of sockets) socket.write(content);
    const statuses = (await Promise.all(answers)).map((answer) => answer.statuses[0]);
    expect(statuses.filter((status) => status === 429).length).toBe(10);
    expect(statuses.filter((status) => status === undefined || status === 400).length).toBe(2);
  }, 250 * MiB);
}, 60_000);

test.each([
  // Of 32 MiB each, two have room beside each other; of 2 MiB, all of them.
  ['of 64 KiB', 64 * 1024, LIMITS.upload / 2, 10, 250 * MiB],
  ['of a few bytes', 16, LIMITS.upload / 32, 0, 225 * MiB],
])(
  'nor do those that come in chunks %s',
  async (_size, piece, size, refused, memory) => {
    const gun = target.gun('mallory/app');
    const { Authorization } = await target.bearer('mallory', `repository:${gun}:pull,push`);
    const line = `POST /v2/${gun}/_trust/tuf/ HTTP/1.1`;
    const lines = [line, HOST, `Authorization: ${Authorization}`, `Content-Type: ${form().headers['Content-Type']}`];
    const head = [...lines, 'Transfer-Encoding: chunked', '', ''].join('\r\n');
    const chunk = `${piece.toString(16)}\r\n${'a'.repeat(piece)}\r\n`;
    const content = Buffer.from(chunk.repeat(size / piece));
    await target.withstands(async () => {
      const sockets = await Promise.all(Array.from({ length: 12 }, () => open(target)));
      const answers = sockets.map((socket) => received(socket, 1));
      for (const socket of sockets) socket.write(head);
      for (const socket of sockets) socket.write(content);
      const statuses = (await Promise.all(answers)).map((answer) => answer.statuses[0]);
      expect(statuses.filter((status) => status === 429).length).toBe(refused);
      expect(statuses.filter((status) => status === undefined).length).toBe(12 - refused);
    }, memory);
  },
  120_000,
);

test('manifests that never end are counted as well, however their paths are written', async () => {
  const { Authorization } = await target.bearer('mallory', 'repository:mallory/app:pull,push');
  const size = LIMITS.manifest;
  await target.withstands(async () => {
    const begun = async (path: string) => {
      const socket = await open(target);
      const lines = [
        `PUT ${path} HTTP/1.1`,
        HOST,
        `Authorization: ${Authorization}`,
        `Content-Length: ${size}`,
        '',
        '',
      ];
      const answer = received(socket, 1);
      socket.write(lines.join('\r\n'));
      return answer;
    };
    const paths = ['/v2/mallory/app/manifests/x', '/v2/mallory/app/%6danifests/x', '/v2/mallory/app/manifest%73/x'];
    const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => begun(paths[at % paths.length] ?? '')));
    const refused = answers.filter(({ statuses }) => statuses[0] === 429);
    expect(refused.length).toBe(40);
  }, 200 * MiB);
}, 60_000);

test('large answers that no one takes are kept for a few clients, and refused to the rest', async () => {
  const own = new Publisher(target, 'mallory', 'mallory/large');
  await own.create();
  const file = await own.signed(['a', 'a'.repeat(20 * MiB)]);
  expect(await own.post([['targets', file]])).toBe(200);
  const { Authorization } = await target.bearer('mallory', `repository:${own.gun}:pull`);
  const path = `/v2/${own.gun}/_trust/tuf/targets.json`;
  await target.withstands(async () => {
    const sockets = await Promise.all(Array.from({ length: 60 }, () => open(target)));
    const heads = sockets.map((socket) => firstBytes(socket));
    for (const socket of sockets) socket.write(request(`GET ${path}`, HOST, `Authorization: ${Authorization}`));
    const statuses = (await Promise.all(heads)).map((head) => head.slice(9, 12));
    expect(statuses.filter((status) => status === '200').length).toBe(12);
    expect(statuses.filter((status) => status === '429').length).toBe(48);
    for (const socket of sockets) socket.destroy();
    await freed(path, Authorization);
  }, 500 * MiB);
}, 60_000);

test('a large answer arrives whole, with its length declared', async () => {
  const own = new Publisher(target, 'mallory', 'mallory/whole');
  await own.create();
  const file = await own.signed(['a', 'a'.repeat(3 * MiB)]);
  expect(await own.post([['targets', file]])).toBe(200);
  const { targets } = await own.load();
  expect(targets.get('targets')?.envelope.bytes.equals(file)).toBe(true);
  const access = await target.bearer('mallory', `repository:${own.gun}:pull`);
  const { headers } = await target.fetch(`/v2/${own.gun}/_trust/tuf/targets.json`, { headers: access });
  expect(headers.get('content-length')).toBe(String(file.length));
}, 60_000);

test('blobs that no one reads on stay on the disk', async () => {
  const access = await target.bearer('mallory', 'repository:mallory/app:pull,push');
  const blob = content(3, 16 * MiB);
  const path = `/v2/mallory/app/blobs/uploads/?digest=${digestOf(blob)}`;
  const pushed = await target.fetch(path, { method: 'POST', body: new Uint8Array(blob), headers: access });
  expect(pushed.status).toBe(201);
  await target.withstands(async () => {
    const line = `GET /v2/mallory/app/blobs/${digestOf(blob)}`;
    for (let round = 0; round < 8; round++) {
      const sockets = await Promise.all(Array.from({ length: REQUESTS / 4 }, () => open(target)));
      const heads = sockets.map((socket) => firstBytes(socket));
      for (const socket of sockets) socket.write(request(line, HOST, `Authorization: ${access.Authorization}`));
      expect(new Set((await Promise.all(heads)).map((head) => head.slice(9, 12)))).toEqual(new Set(['200']));
    }
  });
}, 60_000);

/** What arrives first, nothing where the connection ends before; nothing is read after it. */
function firstBytes(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve(''));
    socket.once('data', (chunk: Buffer) => {
      socket.pause();
      resolve(chunk.toString('latin1'));
    });
  });
}

/** Waits until the server has noticed that those who did not read are gone. */
async function freed(path: string, authorization: string): Promise<void> {
  for (;;) {
    const response = await target.fetch(path, { headers: { Authorization: authorization } });
    await response.bytes();
    if (response.status === 200) return;
  }
}
