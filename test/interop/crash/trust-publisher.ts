import { createHash } from 'node:crypto';
import { Editor } from '../../../src/core/edit/editor.ts';
import type { PublicKey } from '../../../src/core/keys/public-key.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { parseGun } from '../../../src/core/names/gun.ts';
import { parseDelegation, RELEASES, type RoleName } from '../../../src/core/names/role.ts';
import type { TrustServer } from '../../../src/remote/notary/trust-server.ts';
import { type Collection, updateCollection } from '../../../src/trust/update/collection.ts';
import { MemoryCache } from '../../support/memory-cache.ts';
import { random } from '../../support/random.ts';
import { sourceOf } from '../../support/simulator.ts';
import { TestKeys } from '../../support/test-keys.ts';
import { Uncertain } from '../../support/uncertain.ts';

/** What one publish put on the server: its files by role and checksum, and what `latest` stands for. */
export interface Publication {
  readonly digest: string;
  readonly files: ReadonlyMap<RoleName, PublishedFile>;
}

interface PublishedFile {
  readonly version: number;
  readonly sha256: string;
}

const ALICE = parseDelegation('targets/alice');
/** The server keeps twenty versions of a file. */
const LOOKED_AT = 10;
const ROTATE_ROOT = 0.08;
const ROTATE_SNAPSHOT_KEY = 0.08;

/** The owner of one repository, who signs something new again and again, and now and then rotates keys. */
export class TrustPublisher {
  readonly gun;
  /** Acknowledged publishes. */
  published = 0;
  /** Publishes that were stored, though the server died before it could say so. */
  unanswered = 0;
  private readonly server: TrustServer;
  private readonly next: () => number;
  private readonly keys = new TestKeys();
  private readonly signer = this.keys.make();
  private readonly cache = new MemoryCache();
  private readonly state = new Uncertain<Publication>();
  private sinceCheck: Publication[] = [];
  private serverKeys: readonly PublicKey[] | undefined;
  private count = 0;

  constructor(gun: string, server: TrustServer, seed: number) {
    this.gun = parseGun(gun);
    this.server = server;
    this.next = random(seed);
  }

  /** Publishes once. Throws where the server does not answer, or not as it should. */
  async step(): Promise<void> {
    const hasBegun = this.state.possible.some((publication) => publication !== undefined);
    const current = hasBegun ? await this.current(this.cache).catch(unlessFirst(this.published)) : undefined;
    const editor = current === undefined ? await this.found() : Editor.of(current.set, current.unusable);
    await this.change(editor, current !== undefined);
    const digest = createHash('sha256')
      .update(`${this.gun} ${++this.count}`)
      .digest('hex');
    const target = { length: 528, hashes: new Map([['sha256', Buffer.from(digest, 'hex')]]) };
    for (const role of [RELEASES, ALICE]) editor.addTarget(role, 'latest', target);
    const files = await editor.sign(this.keys, Date.now());
    const publication = { digest, files: new Map([...files].map(([role, bytes]) => [role, describe(bytes)] as const)) };
    this.state.begin(publication);
    await this.server.publish(this.gun, files);
    this.state.acknowledge();
    this.sinceCheck.push(publication);
    this.published++;
  }

  /**
   * Looks at the repository as a newcomer and as somebody who was there before. Returns what `latest` stands for, in
   * hexadecimal; undefined where nothing was ever published. Throws where it is not what was acknowledged last, or was
   * under way since.
   */
  async check(): Promise<string | undefined> {
    const { possible } = this.state;
    const create = await this.current(new MemoryCache()).catch(unlessFirst(this.published));
    if (create === undefined) {
      this.state.settle(undefined);
      return undefined;
    }
    await this.current(this.cache);
    const publication = possible.find((each) => each !== undefined && isCurrent(each, create));
    if (publication === undefined) throw new Error(`${this.gun} is as nobody published it`);
    await this.checkFiles();
    if (publication !== possible[0]) this.unanswered++;
    this.state.settle(publication);
    return publication.digest;
  }

  /** Every file of what was acknowledged since the last check is there, by its checksum and by its version. */
  private async checkFiles(): Promise<void> {
    for (const { files } of this.sinceCheck.slice(-LOOKED_AT)) {
      for (const [role, { sha256, version }] of files) {
        for (const file of [
          { role, sha256 },
          { role, version },
        ]) {
          const bytes = await this.server.read(this.gun, file, LIMITS.metadata);
          if (describe(bytes).sha256 !== sha256) throw new Error(`${this.gun} has another ${version}.${role}`);
        }
      }
    }
    this.sinceCheck = [];
  }

  private current(cache: MemoryCache): Promise<Collection> {
    return updateCollection({ ...sourceOf(this.server, Date.now(), this.gun), cache, purpose: 'publish' });
  }

  /** The keys that the server gave once, it must give again. */
  private async found(): Promise<Editor> {
    const timestamp = await this.server.publicKey(this.gun, 'timestamp');
    const snapshot = await this.server.publicKey(this.gun, 'snapshot');
    const given = [timestamp, snapshot];
    if (this.serverKeys?.some(({ id }, index) => id !== given[index]?.id)) {
      throw new Error(`the server has lost its keys for ${this.gun}`);
    }
    this.serverKeys = given;
    const root = [this.keys.makeRoot(this.gun, Date.now())];
    const editor = Editor.create({ root, targets: this.keys.make(), snapshot, timestamp });
    for (const role of [RELEASES, ALICE]) editor.addDelegation(role, [this.signer], ['']);
    return editor;
  }

  private async change(editor: Editor, mayRotate: boolean): Promise<void> {
    const number = this.next();
    if (!mayRotate) return;
    if (number < ROTATE_ROOT) editor.replaceKeys('root', [this.keys.makeRoot(this.gun, Date.now())]);
    else if (number < ROTATE_ROOT + ROTATE_SNAPSHOT_KEY) {
      editor.replaceKeys('snapshot', [await this.server.rotateKey(this.gun, 'snapshot')]);
    } else if (number > 0.8) editor.witness('targets');
  }
}

/** Where nothing was acknowledged yet, nothing need be there. */
function unlessFirst(published: number) {
  return (error: unknown): undefined => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'trust-data-missing';
    if (published > 0 || !isMissing) throw error;
  };
}

function describe(bytes: Uint8Array): PublishedFile {
  const { signed } = JSON.parse(Buffer.from(bytes).toString()) as { signed: { version: number } };
  return { version: signed.version, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Whether the collection has every file of the publication; the others may be older. */
function isCurrent({ files }: Publication, { set }: Collection): boolean {
  return [...files].every(([role, { sha256 }]) => {
    const file = role === 'root' ? set.root : set.targets.get(role as never);
    return file !== undefined && describe(file.envelope.bytes).sha256 === sha256;
  });
}
