import { expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestOf } from '../../src/core/names/digest.ts';
import { random } from '../support/random.ts';
import { temporaryFolder } from '../support/temp.ts';
import { content, image, OCI_MANIFEST } from './fixture.ts';
import { type ServerChild, startServer } from './server-child.ts';

const KILLS = 15;
const REPOSITORY = '/v2/team/app';
/** Bytes that blobs are cut from: making new ones for each would take longer than pushing them. */
const POOL = content(1, 4_000_000);

/** What was promised to clients. */
interface Acknowledged {
  readonly blobs: Map<Digest, Buffer>;
  readonly manifests: Map<string, Buffer>;
  resumed: number;
}

test('a registry that is killed again and again keeps what it has acknowledged, and shows nothing else', async () => {
  const folder = temporaryFolder();
  const next = random(15);
  const acknowledged: Acknowledged = { blobs: new Map(), manifests: new Map(), resumed: 0 };
  let server = await startServer(folder, { COLLECT: 'yes' });
  let running = true;
  const pushers = [1, 2, 3].map(async (number) => {
    const pusher = new Pusher(number, acknowledged, () => server.url);
    while (running) await pusher.step();
  });
  for (let kill = 0; kill < KILLS; kill++) {
    await Bun.sleep(300 + next() * 900);
    await server.kill();
    expect(wrongFiles(folder)).toEqual([]);
    server = await startServer(folder, { COLLECT: 'yes' });
  }
  running = false;
  await Promise.all(pushers);

  expect(acknowledged.blobs.size).toBeGreaterThan(KILLS);
  expect(acknowledged.manifests.size).toBeGreaterThan(KILLS);
  expect(acknowledged.resumed).toBeGreaterThan(0);
  for (const [digest, bytes] of acknowledged.blobs) {
    expect(digestOf(await fetched(server, `blobs/${digest}`))).toBe(digestOf(bytes));
  }
  for (const [tag, manifest] of acknowledged.manifests) {
    expect(await fetched(server, `manifests/${tag}`)).toEqual(manifest);
  }
  expect(wrongFiles(folder)).toEqual([]);
}, 120_000);

/** Pushes blobs in every way, and manifests of them, and goes on after each failure. */
class Pusher {
  private readonly acknowledged: Acknowledged;
  private readonly serverUrl: () => string;
  private readonly next: () => number;
  private readonly name: number;
  private pushed = 0;
  private unfinished: { location: string; bytes: Buffer } | undefined;
  private recent: Buffer[] = [];

  constructor(number: number, acknowledged: Acknowledged, serverUrl: () => string) {
    this.name = number;
    this.acknowledged = acknowledged;
    this.serverUrl = serverUrl;
    this.next = random(number);
  }

  async step(): Promise<void> {
    try {
      if (this.unfinished !== undefined) await this.resume(this.unfinished);
      else if (this.recent.length === 2) await this.pushManifest();
      else if (this.next() < 0.4) await this.pushWhole(this.makeBlob());
      else await this.pushInChunks(this.makeBlob());
    } catch (error) {
      if (error instanceof UnexpectedAnswer) throw error;
      await Bun.sleep(10);
    }
  }

  private async pushWhole(bytes: Buffer): Promise<void> {
    await this.expect(201, 'POST', `${REPOSITORY}/blobs/uploads/?digest=${digestOf(bytes)}`, bytes);
    this.acknowledge(bytes);
  }

  private async pushInChunks(bytes: Buffer): Promise<void> {
    const begun = await this.expect(202, 'POST', `${REPOSITORY}/blobs/uploads/`);
    this.unfinished = { bytes, location: begun.headers.get('location') ?? '' };
    await this.finish(this.unfinished, 0);
  }

  private async resume(upload: { location: string; bytes: Buffer }): Promise<void> {
    const state = await this.send('GET', upload.location);
    if (state.status === 404) {
      this.unfinished = undefined;
      return;
    }
    if (state.status !== 204) throw new UnexpectedAnswer(`the state of an upload was answered ${state.status}`);
    const last = Number(state.headers.get('range')?.slice(2));
    const end = last === 0 ? undefined : last + 1;
    await this.finish(upload, end ?? 0);
    if (end !== undefined) this.acknowledged.resumed++;
  }

  private async finish({ location, bytes }: { location: string; bytes: Buffer }, from: number): Promise<void> {
    const chunk = Math.ceil(bytes.length / 3);
    for (let at = from; at < bytes.length; at += chunk) {
      const part = bytes.subarray(at, at + chunk);
      await this.expect(202, 'PATCH', location, part, { 'Content-Range': `${at}-${at + part.length - 1}` });
    }
    await this.expect(201, 'PUT', `${location}?digest=${digestOf(bytes)}`);
    this.unfinished = undefined;
    this.acknowledge(bytes);
  }

  private async pushManifest(): Promise<void> {
    const [config, layer] = this.recent;
    if (config === undefined || layer === undefined) return;
    this.recent = [];
    const manifest = image(config, [layer]);
    const tag = `${this.name}-${++this.pushed}`;
    await this.expect(201, 'PUT', `${REPOSITORY}/manifests/${tag}`, manifest, { 'Content-Type': OCI_MANIFEST });
    this.acknowledged.manifests.set(tag, manifest);
  }

  private makeBlob(): Buffer {
    const start = Math.floor((this.next() * POOL.length) / 2);
    return POOL.subarray(start, start + 10 + Math.floor((this.next() * POOL.length) / 2));
  }

  private acknowledge(bytes: Buffer): void {
    this.acknowledged.blobs.set(digestOf(bytes), bytes);
    this.recent.push(bytes);
  }

  private async expect(
    status: number,
    method: string,
    path: string,
    body?: Buffer,
    headers?: Record<string, string>,
  ): Promise<Response> {
    const response = await this.send(method, path, body, headers);
    if (response.status === status) return response;
    throw new UnexpectedAnswer(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
  }

  private send(method: string, path: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.serverUrl() + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      tls: { rejectUnauthorized: false },
      keepalive: false,
    });
  }
}

class UnexpectedAnswer extends Error {}

async function fetched(server: ServerChild, path: string): Promise<Buffer> {
  const response = await fetch(`${server.url}${REPOSITORY}/${path}`, { tls: { rejectUnauthorized: false } });
  if (response.status !== 200) throw new Error(`${path} was answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

/** Visible blobs whose content is not what their name says. */
function wrongFiles(folder: string): string[] {
  const root = join(folder, 'registry', 'blobs', 'sha256');
  if (!existsSync(root)) return [];
  const names = readdirSync(root, { recursive: true }) as string[];
  const blobs = names.filter((name) => name.includes('/'));
  return blobs.filter((name) => digestOf(readFileSync(join(root, name))) !== `sha256:${name.slice(3)}`);
}
