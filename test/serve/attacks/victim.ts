import { expect } from 'bun:test';
import { Editor } from '../../../src/core/edit/editor.ts';
import { canonicalize } from '../../../src/core/json/canonical.ts';
import { type JsonValue, parseJson } from '../../../src/core/json/parse.ts';
import { type PublicKey, parsePublicKey } from '../../../src/core/keys/public-key.ts';
import { writeEnvelope } from '../../../src/core/metadata/envelope.ts';
import type { FileInfo } from '../../../src/core/metadata/file-info.ts';
import { baseRoleKeys } from '../../../src/core/metadata/root.ts';
import { digestOf } from '../../../src/core/names/digest.ts';
import { type Gun, parseGun } from '../../../src/core/names/gun.ts';
import type { RoleName } from '../../../src/core/names/role.ts';
import { trustCachedRoot } from '../../../src/core/verify/root-trust.ts';
import { TrustedSet } from '../../../src/core/verify/trusted-set.ts';
import { content, image, OCI_MANIFEST } from '../../registry/fixture.ts';
import { target as targetOf } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';
import { formOf } from './forms.ts';
import type { Name, Target } from './target.ts';

/** One who has a collection on the server, and an image. */
export class Victim {
  readonly busyGun: Gun;
  private readonly target: Target;
  private readonly collection: Publisher;
  private readonly layer = content(7, 300_000);
  private readonly config = Buffer.from('{"architecture":"amd64","os":"linux"}');
  private readonly manifest = image(this.config, [this.layer]);
  private published = 0;

  constructor(target: Target) {
    this.target = target;
    this.busyGun = parseGun(target.gun('alice/busy'));
    this.collection = new Publisher(target, 'alice', 'alice/busy');
  }

  /** Pushes the image, and publishes one collection to work on and one that stays as it is. */
  async settle(): Promise<void> {
    const access = await this.target.bearer('alice', 'repository:alice/app:pull,push');
    for (const blob of [this.config, this.layer]) {
      await this.put('POST', `/v2/alice/app/blobs/uploads/?digest=${digestOf(blob)}`, blob, access);
    }
    const headers = { ...access, 'Content-Type': OCI_MANIFEST };
    await this.put('PUT', '/v2/alice/app/manifests/1.0', this.manifest, headers);
    await new Publisher(this.target, 'alice', 'alice/app').create();
    await this.collection.create();
  }

  /** Pulls the image, publishes a tag and reads it back as a client does; once, and again until `isOver`. */
  async work(isOver: () => boolean): Promise<void> {
    do {
      const access = await this.target.bearer('alice', 'repository:alice/app:pull');
      const manifest = await this.target.fetch('/v2/alice/app/manifests/1.0', { headers: access });
      expect([manifest.status, digestOf(await manifest.bytes())]).toEqual([200, digestOf(this.manifest)]);
      const blob = await this.target.fetch(`/v2/alice/app/blobs/${digestOf(this.layer)}`, { headers: access });
      expect([blob.status, digestOf(await blob.bytes())]).toEqual([200, digestOf(this.layer)]);
      const tag = `v${++this.published}`;
      await this.collection.edit((editor) => editor.addTarget('targets', tag, targetOf(1)));
      const { targets } = await this.collection.load();
      expect(targets.get('targets')?.payload.targets.has(tag)).toBe(true);
    } while (!isOver());
  }

  private async put(method: string, path: string, body: Buffer, headers: Record<string, string>): Promise<void> {
    const response = await this.target.fetch(path, { method, body: new Uint8Array(body), headers });
    expect([path, response.status]).toEqual([path, 201]);
  }
}

/** A server that one can publish to. */
type Origin = Pick<Target, 'gun' | 'fetch' | 'bearer'>;

/** One who owns a collection, keys and all, and keeps to the protocol. */
export class Publisher {
  readonly gun: Gun;
  readonly keys = new TestKeys();
  private readonly target: Origin;
  private readonly name: Name;

  constructor(target: Origin, name: Name, path: string) {
    this.target = target;
    this.name = name;
    this.gun = parseGun(target.gun(path));
  }

  async create(edit: (editor: Editor) => void = () => {}): Promise<void> {
    const editor = Editor.create({
      root: [this.keys.makeRoot(this.gun, Date.now())],
      targets: this.keys.make(),
      snapshot: await this.serverKey('snapshot'),
      timestamp: await this.serverKey('timestamp'),
    });
    editor.addTarget('targets', 'latest', targetOf(1));
    edit(editor);
    expect(await this.post(await editor.sign(this.keys, Date.now()))).toBe(200);
  }

  async edit(change: (editor: Editor) => void): Promise<void> {
    const editor = Editor.of(await this.load());
    change(editor);
    expect(await this.post(await editor.sign(this.keys, Date.now()))).toBe(200);
  }

  /** Posts files as they are; the status of the answer. */
  async post(files: Iterable<readonly [string, Uint8Array]>): Promise<number> {
    const { body, headers } = formOf(files);
    const access = await this.access('pull,push');
    const path = `/v2/${this.gun}/_trust/tuf/`;
    const response = await this.target.fetch(path, { method: 'POST', body, headers: { ...access, ...headers } });
    await response.bytes();
    return response.status;
  }

  /** A `targets` file with these members, signed by its owner, who does not look at it. */
  async signed(...members: readonly (readonly [string, JsonValue])[]): Promise<Buffer> {
    const { root, targets } = await this.load();
    const payload = new Map<string, JsonValue>([
      ['_type', 'Targets'],
      ['delegations', new Map()],
      ['expires', '2030-01-01T00:00:00Z'],
      ['targets', new Map()],
      ['version', (targets.get('targets')?.payload.version ?? 0) + 1],
      ...members,
    ]);
    const message = canonicalize(payload);
    const keys = baseRoleKeys(root.root, 'targets').keyIds.map((id) => root.root.keys.get(id));
    const own = keys.filter((key) => key !== undefined);
    return writeEnvelope(
      payload,
      own.map((key) => this.keys.signAs(key, message)),
    );
  }

  /** What a client gets that was never here, all of it verified. */
  async load(): Promise<TrustedSet> {
    const access = await this.access('pull');
    const read = (name: string) => this.read(`${name}.json`, access);
    const set = new TrustedSet(trustCachedRoot(this.gun, await read('root')), Date.now());
    set.updateTimestamp(await read('timestamp'));
    set.updateSnapshot(await read(`snapshot.${sha256(set.timestamp.payload.snapshot)}`));
    const promised = set.promised('targets');
    if (promised !== undefined) set.updateTargets('targets', await read(`targets.${sha256(promised)}`));
    return set;
  }

  private async serverKey(role: RoleName): Promise<PublicKey> {
    return parsePublicKey(parseJson(await this.read(`${role}.key`, await this.access('pull,push'))), role);
  }

  private async read(name: string, headers: Record<string, string>): Promise<Buffer> {
    const response = await this.target.fetch(`/v2/${this.gun}/_trust/tuf/${name}`, { headers });
    expect([name, response.status]).toEqual([name, 200]);
    return Buffer.from(await response.bytes());
  }

  private access(actions: string): Promise<Record<string, string>> {
    return this.target.bearer(this.name, `repository:${this.gun}:${actions}`);
  }
}

function sha256({ hashes }: FileInfo): string {
  return hashes.get('sha256')?.toString('hex') ?? '';
}
