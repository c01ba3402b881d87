import { Editor } from '../../src/core/edit/editor.ts';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import type { Gun } from '../../src/core/names/gun.ts';
import type { Gate } from '../../src/http/gate.ts';
import { ANYONE, form, Owner, type Reply, TestServer } from './fixture.ts';

/** The owner of a repository on an old server, who moves it to a new one. */
export class Mover {
  readonly old = new TestServer();
  readonly owner: Owner;
  readonly gun: Gun;

  constructor(gun: Gun) {
    this.gun = gun;
    this.owner = new Owner(this.old, gun);
  }

  /** Three roots, of which the second has another root key, and two tags. */
  async publishHistory(options: { ownSnapshotKey?: boolean } = {}): Promise<void> {
    await this.owner.publishFirst(options);
    await this.owner.edit((editor) => editor.replaceKeys('root', [this.owner.newRootKey()]));
    await this.owner.edit((editor) => editor.witnessRoot());
    await this.owner.addTag('v1');
  }

  /** All that the old server has, by the names of an import. */
  async oldFiles(): Promise<Map<string, Buffer>> {
    const files = new Map<string, Buffer>();
    const set = await this.owner.load();
    for (let version = 1; version <= set.root.root.version; version++) {
      files.set(`${version}.root`, await this.read(`${version}.root.json`));
    }
    files.set('timestamp', set.timestamp.envelope.bytes);
    files.set('snapshot', set.snapshot.envelope.bytes);
    for (const [role, { envelope }] of set.targets) files.set(role, envelope.bytes);
    return files;
  }

  /** The owner's part: the new root, and the new snapshot if the owner has its key. */
  async newFiles(keys: {
    timestamp?: PublicKey | undefined;
    snapshot?: PublicKey | undefined;
  }): Promise<Map<string, Buffer>> {
    const set = await this.owner.load();
    const editor = Editor.of(set);
    editor.witnessRoot();
    for (const role of ['timestamp', 'snapshot'] as const) {
      const key = keys[role];
      if (key !== undefined) editor.replaceKeys(role, [key]);
    }
    const files = await editor.sign(this.owner.ring, this.old.now);
    const snapshot = files.get('snapshot');
    return new Map([
      [`${set.root.root.version + 1}.root`, files.get('root') ?? Buffer.of()],
      ...(snapshot === undefined ? [] : [[`${set.snapshot.payload.version + 1}.snapshot`, snapshot] as const]),
    ]);
  }

  /** What moves the repository to `server`. */
  async bundle(server: TestServer): Promise<Map<string, Buffer>> {
    const there = new Owner(server, this.gun);
    const [timestamp, snapshot] = [await there.serverKey('timestamp'), await there.serverKey('snapshot')];
    return new Map([...(await this.oldFiles()), ...(await this.newFiles({ timestamp, snapshot }))]);
  }

  private async read(name: string): Promise<Buffer> {
    const { status, text } = await this.old.get(name, this.gun);
    if (status !== 200) throw new Error(`GET ${name}: ${status} ${text}`);
    return Buffer.from(text);
  }
}

export function importInto(
  server: TestServer,
  gun: string,
  files: Iterable<readonly [string, string | Uint8Array]>,
  gate: Gate = ANYONE,
): Promise<Reply> {
  const named = [...files].map(([name, bytes]) => [`${name}.json`, bytes] as const);
  return server.send('POST', `/v2/${gun}/_trust/signet/import`, { ...form(named), gate });
}
