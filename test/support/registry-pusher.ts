import { digestOf } from '../../src/core/names/digest.ts';
import { content, image, OCI_MANIFEST } from '../registry/fixture.ts';
import { random } from './random.ts';
import { Uncertain } from './uncertain.ts';

/** Sends a request to a path of the registry; rejects if there is no response. */
export type Send = (
  method: string,
  path: string,
  body?: Uint8Array,
  headers?: Record<string, string>,
) => Promise<Response>;

/** What a registry has acknowledged to its clients, by path. */
export class Promises {
  /** Acknowledged blobs, and manifests by digest, which must stay. */
  readonly kept = new Map<string, Buffer>();
  /** Tags, which may be moved. */
  readonly tags = new Map<string, Uncertain<Buffer>>();
  /** How many uploads were resumed after a part of them was lost or aborted. */
  resumed = 0;

  tag(path: string): Uncertain<Buffer> {
    const tag = this.tags.get(path) ?? new Uncertain<Buffer>();
    this.tags.set(path, tag);
    return tag;
  }
}

export interface PusherOptions {
  /** Distinguishes one pusher from others, and makes its actions repeatable. */
  readonly seed: number;
  readonly promises: Promises;
  readonly send: Send;
  /** Where blobs of the first repository are mounted. */
  readonly repositories: readonly [string, string];
  /** Maximum size of a blob in bytes. */
  readonly largest: number;
}

/** Thrown for a response that a correct registry never sends. */
export class UnexpectedAnswer extends Error {}

/** Blobs are slices of these bytes: generating each one would take longer than pushing it. */
const POOL = content(1, 4_000_000);
const KEEP_TAG = 0.6;

/** Pushes blobs in every way, mounts them, and puts manifests of them under new and existing tags. */
export class Pusher {
  private readonly options: PusherOptions;
  private readonly next: () => number;
  private pushed = 0;
  private unfinished: { location: string; bytes: Buffer } | undefined;
  private recent: Buffer[] = [];

  constructor(options: PusherOptions) {
    this.options = options;
    this.next = random(options.seed);
  }

  /** Performs one action. Throws `UnexpectedAnswer`, or whatever `send` throws; the next step continues from there. */
  async step(): Promise<void> {
    if (this.unfinished !== undefined) return this.resume(this.unfinished);
    if (this.recent.length === 2) return this.pushManifest();
    return this.next() < 0.4 ? this.pushWhole(this.makeBlob()) : this.pushInChunks(this.makeBlob());
  }

  private async pushWhole(bytes: Buffer): Promise<void> {
    await this.expect(201, 'POST', `${this.home}/blobs/uploads/?digest=${digestOf(bytes)}`, bytes);
    this.acknowledge(bytes);
  }

  private async pushInChunks(bytes: Buffer): Promise<void> {
    const begun = await this.expect(202, 'POST', `${this.home}/blobs/uploads/`);
    this.unfinished = { bytes, location: begun.headers.get('location') ?? '' };
    await this.finish(this.unfinished, 0);
  }

  private async resume(upload: { location: string; bytes: Buffer }): Promise<void> {
    const state = await this.options.send('GET', upload.location);
    if (state.status === 404) {
      this.unfinished = undefined;
      return;
    }
    if (state.status !== 204) throw new UnexpectedAnswer(`the state of an upload was answered ${state.status}`);
    const last = Number(state.headers.get('range')?.slice(2));
    const end = last === 0 ? undefined : last + 1;
    await this.finish(upload, end ?? 0);
    if (end !== undefined) this.options.promises.resumed++;
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
    const name = this.next() < KEEP_TAG ? ++this.pushed : 'moving';
    const path = `${this.home}/manifests/${this.options.seed}-${name}`;
    const tag = this.options.promises.tag(path);
    tag.begin(manifest);
    await this.expect(201, 'PUT', path, manifest, { 'Content-Type': OCI_MANIFEST });
    tag.acknowledge();
    this.options.promises.kept.set(`${this.home}/manifests/${digestOf(manifest)}`, manifest);
    await this.mount(layer);
  }

  private async mount(bytes: Buffer): Promise<void> {
    const [from, to] = this.options.repositories;
    const digest = digestOf(bytes);
    await this.expect(201, 'POST', `/v2/${to}/blobs/uploads/?mount=${digest}&from=${from}`);
    this.options.promises.kept.set(`/v2/${to}/blobs/${digest}`, bytes);
  }

  private get home(): string {
    return `/v2/${this.options.repositories[0]}`;
  }

  private makeBlob(): Buffer {
    const size = 10 + Math.floor(this.next() * this.options.largest);
    const start = Math.floor(this.next() * (POOL.length - size));
    return POOL.subarray(start, start + size);
  }

  private acknowledge(bytes: Buffer): void {
    this.options.promises.kept.set(`${this.home}/blobs/${digestOf(bytes)}`, bytes);
    this.recent.push(bytes);
  }

  private async expect(
    status: number,
    method: string,
    path: string,
    body?: Buffer,
    headers?: Record<string, string>,
  ): Promise<Response> {
    const response = await this.options.send(method, path, body, headers);
    if (response.status === status) return response;
    throw new UnexpectedAnswer(`${method} ${path} was answered ${response.status}: ${await response.text()}`);
  }
}

/**
 * The broken promises: each path whose content is not the acknowledged one. Nothing else may run meanwhile; also
 * settles the state of uncertain tags.
 */
export async function brokenPromises(
  { kept, tags }: Promises,
  send: Send,
  isAsked: (path: string) => boolean = () => true,
): Promise<string[]> {
  const fetched = async (path: string) => {
    const response = await send('GET', path);
    return response.status === 200 ? Buffer.from(await response.arrayBuffer()) : undefined;
  };
  const broken: string[] = [];
  for (const [path, bytes] of [...kept].filter(([path]) => isAsked(path))) {
    if ((await fetched(path))?.equals(bytes) !== true) broken.push(path);
  }
  for (const [path, tag] of [...tags].filter(([path]) => isAsked(path))) {
    const found = await fetched(path);
    const isPossible = tag.possible.some((bytes) => (bytes === undefined ? found === undefined : found?.equals(bytes)));
    if (isPossible) tag.settle(found);
    else broken.push(path);
  }
  return broken;
}
