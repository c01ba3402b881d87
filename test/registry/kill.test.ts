import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/core/names/digest.ts';
import { random } from '../support/random.ts';
import { brokenPromises, Promises, Pusher, type Send, UnexpectedAnswer } from '../support/registry-pusher.ts';
import { temporaryFolder } from '../support/temp.ts';
import { startServer } from './server-child.ts';

const KILLS = 15;

test('a registry that is killed again and again keeps what it has acknowledged, and shows nothing else', async () => {
  const folder = temporaryFolder();
  const next = random(15);
  const promises = new Promises();
  let server = await startServer(folder, { COLLECT: 'yes' });
  const send: Send = (method, path, body, headers = {}) =>
    fetch(server.url + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      tls: { rejectUnauthorized: false },
      keepalive: false,
    });
  let running = true;
  const pushers = [1, 2, 3].map(async (seed) => {
    const repositories = ['team/app', 'team/other'] as const;
    const pusher = new Pusher({ seed, promises, send, repositories, largest: 2_000_000 });
    while (running) await pusher.step().catch(unlessUnexpected);
  });
  for (let kill = 0; kill < KILLS; kill++) {
    await Bun.sleep(300 + next() * 900);
    await server.kill();
    expect(wrongFiles(folder)).toEqual([]);
    server = await startServer(folder, { COLLECT: 'yes' });
  }
  running = false;
  await Promise.all(pushers);

  expect(promises.kept.size).toBeGreaterThan(KILLS);
  expect(promises.tags.size).toBeGreaterThan(KILLS);
  expect(promises.resumed).toBeGreaterThan(0);
  expect(await brokenPromises(promises, send)).toEqual([]);
  expect(wrongFiles(folder)).toEqual([]);
}, 120_000);

/** A server that is down is asked again a little later. */
async function unlessUnexpected(error: unknown): Promise<void> {
  if (error instanceof UnexpectedAnswer) throw error;
  await Bun.sleep(10);
}

/** Visible blobs whose content is not what their name says. */
function wrongFiles(folder: string): string[] {
  const root = join(folder, 'registry', 'blobs', 'sha256');
  if (!existsSync(root)) return [];
  const names = readdirSync(root, { recursive: true }) as string[];
  const blobs = names.filter((name) => name.includes('/'));
  return blobs.filter((name) => digestOf(readFileSync(join(root, name))) !== `sha256:${name.slice(3)}`);
}
