import type { StoredFile } from '../../src/core/accept/stored-file.ts';
import { acceptUpload, refreshOnline } from '../../src/core/accept/upload.ts';
import type { Chain, KnownFiles } from '../../src/core/chain.ts';
import { Editor } from '../../src/core/edit/editor.ts';
import { isSignetError, SignetError } from '../../src/core/errors/index.ts';
import type { JsonValue } from '../../src/core/json/parse.ts';
import type { PublicKey } from '../../src/core/keys/public-key.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { fileInfoJson, fileInfoOf } from '../../src/core/metadata/file-info.ts';
import { baseRoleKeys, readRoot } from '../../src/core/metadata/root.ts';
import { readSnapshot } from '../../src/core/metadata/snapshot.ts';
import type { Target } from '../../src/core/metadata/targets.ts';
import { readTargets } from '../../src/core/metadata/targets.ts';
import { type Gun, parseGun } from '../../src/core/names/gun.ts';
import { isBaseRole, isTargetsRole, parentOf, type RoleName } from '../../src/core/names/role.ts';
import type { Instant } from '../../src/core/time.ts';
import { formatTime, parseTime } from '../../src/core/time.ts';
import { TRUST_ON_FIRST_USE } from '../../src/core/verify/pinning.ts';
import {
  type Latest,
  type RemoteFile,
  remoteName,
  type ServerRole,
  type TrustServer,
} from '../../src/remote/notary/trust-server.ts';
import type { RepositorySource } from '../../src/trust/publish/repository-source.ts';
import { type Collection, updateCollection } from '../../src/trust/update/collection.ts';
import { type Change, payloadOf, put, type Signer, sealed } from './forgery.ts';
import { MemoryCache } from './memory-cache.ts';
import { MemoryProposals } from './memory-proposals.ts';
import { TestKeys } from './test-keys.ts';

export const GUN = parseGun('registry.example.com/acme/app');
export const NOW: Instant = parseTime('2026-11-23T12:00:00Z');

/** A target whose digest is 32 times `byte`. */
export function target(byte: number, length = 528): Target {
  return { length, hashes: new Map([['sha256', Buffer.alloc(32, byte)]]) };
}

/** The digest of `target(byte)`. */
export function digestOfTarget(byte: number): string {
  return `sha256:${Buffer.alloc(32, byte).toString('hex')}`;
}

/** A false response of the server: other bytes, an error, or more bytes than any client reads. */
export type Lie = Uint8Array | 'endless' | SignetError;

/** The error of a server that does not have a file. */
export function missing(name: string): SignetError {
  return new SignetError(
    'trust-data-missing',
    `${name} trust data unavailable.  Has a notary repository been initialized?`,
    { detail: { resource: name } },
  );
}

/** Everything that the server would send, at one time. */
export type State = ReadonlyMap<RoleName, Buffer>;

export interface SimulatorOptions {
  readonly gun?: Gun;
  /** The simulator's time at the start. */
  readonly now?: Instant;
  readonly snapshotKeyBy?: 'owner' | 'server';
  /** Additional content of the collection's first version. */
  readonly edit?: (editor: Editor) => void;
}

/**
 * An in-memory trust server with one repository, whose owner's keys it knows too. It follows the rules of a real one
 * until a test makes it lie.
 */
export class Simulator implements TrustServer {
  readonly gun: Gun;
  now: Instant;
  /** The names of the requested files. */
  readonly requests: string[] = [];
  /** The keys of the repository's owner and of its signers. */
  readonly owner = new TestKeys();
  /** The keys of the server. */
  readonly online = new TestKeys();
  /** Lies by name of file (`timestamp`, `2.root`), or by role, which includes its files by checksum. */
  readonly lies = new Map<string, Lie>();
  /** Where changes wait for signatures. */
  readonly proposals = new MemoryProposals();
  isOffline = false;
  /** Files sent along with a timestamp; undefined for a server that sends files one by one. */
  chainFor: ((known: KnownFiles, timestamp: Buffer) => Chain | undefined) | undefined;
  /** Called before each publish is checked, for example to make another publish come first. */
  beforePublish: () => Promise<void> = async () => {};

  private files: State = new Map();
  private readonly stored = new Map<string, Buffer>();
  private readonly newest = new Map<RoleName, number>();
  private readonly serverKeys = new Map<ServerRole, PublicKey>();

  private constructor(gun: Gun, now: Instant) {
    this.gun = gun;
    this.now = now;
  }

  /** A server with a published repository: root 1, and `targets` with the tag `latest`, which is `target(1)`. */
  static async start(options: SimulatorOptions = {}): Promise<Simulator> {
    const { gun = GUN, now = NOW } = options;
    const simulator = new Simulator(gun, now);
    const editor = Editor.create({
      root: [simulator.owner.makeRoot(gun, now)],
      targets: simulator.owner.make(),
      snapshot: options.snapshotKeyBy === 'owner' ? simulator.owner.make() : await simulator.publicKey(gun, 'snapshot'),
      timestamp: await simulator.publicKey(gun, 'timestamp'),
    });
    editor.addTarget('targets', 'latest', target(1));
    options.edit?.(editor);
    await simulator.publish(gun, await editor.sign(simulator.owner, now));
    simulator.requests.length = 0;
    return simulator;
  }

  // The operations of a trust server

  async read(_gun: string, file: RemoteFile, limit: number): Promise<Buffer> {
    const name = remoteName(file);
    this.requests.push(name);
    this.checkOnline();
    const answer = this.lies.get(name) ?? ('sha256' in file ? this.lies.get(file.role) : undefined) ?? this.truth(file);
    if (answer instanceof SignetError) throw answer;
    if (answer === 'endless' || answer.length > limit) {
      throw new SignetError('response-too-large', 'trust server returned a bad response.', { detail: { limit } });
    }
    return Buffer.from(answer);
  }

  async latest(gun: Gun, known: KnownFiles): Promise<Latest> {
    const timestamp = await this.read(gun, { role: 'timestamp' }, LIMITS.timestamp);
    return { timestamp, chain: this.chainFor?.(known, timestamp) };
  }

  async publicKey(_gun: string, role: ServerRole): Promise<PublicKey> {
    this.checkOnline();
    return this.serverKeys.get(role) ?? this.rotateKey(this.gun, role);
  }

  async rotateKey(_gun: string, role: ServerRole): Promise<PublicKey> {
    this.checkOnline();
    const key = this.online.make('ed25519');
    this.serverKeys.set(role, key);
    return key;
  }

  async publish(_gun: string, files: ReadonlyMap<RoleName, Buffer>): Promise<void> {
    this.checkOnline();
    this.requests.push(`publish ${[...files.keys()].join(' ')}`);
    await this.beforePublish();
    const parts = [...files].map(([role, bytes]) => ({ role, bytes }));
    for (;;) {
      const current = this.files;
      const accepted = await this.accept(current, parts);
      if (this.files !== current) continue;
      this.store(accepted);
      return;
    }
  }

  async remove(): Promise<void> {
    this.checkOnline();
    this.files = new Map();
    this.stored.clear();
    this.newest.clear();
  }

  // The actions of an honest owner

  /** Changes the published collection as its owner, whatever lies the server tells others. */
  async edit(change: (editor: Editor) => void): Promise<void> {
    const { set, unusable } = await this.trusted();
    const editor = Editor.of(set, unusable);
    change(editor);
    await this.publish(this.gun, await editor.sign(this.owner, this.now));
  }

  /** Adds a root key and removes the old ones in one root rotation; returns the new key. */
  async rotateRoot(): Promise<PublicKey> {
    const key = this.owner.makeRoot(this.gun, this.now);
    await this.edit((editor) => editor.replaceKeys('root', [key]));
    return key;
  }

  /** Lets the server renew its own expired files. */
  async refresh(): Promise<void> {
    this.store(await refreshOnline({ gun: this.gun, current: this.files, signer: this.online, now: this.now }));
  }

  /** The collection as seen by a new client that gets no lies. */
  trusted(): Promise<Collection> {
    const server: TrustServer = Object.assign(Object.create(this), {
      read: async (_gun: string, file: RemoteFile) => this.truth(file),
    });
    return updateCollection({ ...sourceOf(server, this.now, this.gun), cache: new MemoryCache(), purpose: 'publish' });
  }

  // The actions of a thief or a liar

  /** The current files; `serve` restores them. */
  get state(): State {
    return this.files;
  }

  /** The file with a name such as `2.root`; undefined if there is none. */
  byName(name: string): Buffer | undefined {
    return [...this.files].find(([role]) => role === name)?.[1] ?? this.stored.get(name);
  }

  serve(state: State): void {
    this.files = state;
    for (const [role, bytes] of state) this.index(role, bytes);
  }

  /** The current file of a role. */
  file(role: RoleName): Buffer {
    const bytes = this.files.get(role);
    if (bytes === undefined) throw new Error(`no ${role}`);
    return bytes;
  }

  /** Replaces a role's current file by any bytes. */
  replace(role: RoleName, bytes: Uint8Array): void {
    this.serve(new Map([...this.files, [role, Buffer.from(bytes)]]));
  }

  /** Changes a file's payload and signs it with `signers`, or with the role's own keys. */
  forge(role: RoleName, changes: Change | readonly Change[], signers: readonly Signer[] = this.signersOf(role)): void {
    const payload = [changes].flat().reduce<JsonValue>((value, change) => change(value), payloadOf(this.file(role)));
    this.replace(role, sealed(payload, signers));
  }

  /**
   * Signs a snapshot and a timestamp for the current files, as someone with the keys of both can. `entries` changes the
   * snapshot's payload first.
   */
  relist(...entries: Change[]): void {
    const listed = [...this.files].filter(([role]) => role === 'root' || isTargetsRole(role));
    this.forge('snapshot', [...listed.map(([role, bytes]) => put(['meta', role], infoOf(bytes))), raised, ...entries]);
    this.restamp();
  }

  /** Signs a timestamp for the current snapshot, as someone with its key can. */
  restamp(...changes: Change[]): void {
    this.forge('timestamp', [put(['meta', 'snapshot'], infoOf(this.file('snapshot'))), raised, ...changes]);
  }

  /** The keys that may currently sign a role. */
  signersOf(role: RoleName): readonly Signer[] {
    const signer = (key: PublicKey | undefined): Signer[] => {
      if (key === undefined) return [];
      const keys = this.owner.has(key) ? this.owner : this.online;
      return [{ key, private: keys.private(key) }];
    };
    if (isBaseRole(role)) {
      const root = readRoot(payloadOf(this.file('root')));
      return baseRoleKeys(root, role).keyIds.flatMap((id) => signer(root.keys.get(id)));
    }
    const parent = parentOf(role);
    const { delegations, delegationKeys } = readTargets(parent, payloadOf(this.file(parent)));
    const keyIds = delegations.find(({ name }) => name === role)?.keyIds ?? [];
    return keyIds.flatMap((id) => signer(delegationKeys.get(id)));
  }

  // Implementation

  private checkOnline(): void {
    if (this.isOffline) throw new SignetError('network-unreachable', 'the trust server cannot be reached');
  }

  private truth(file: RemoteFile): Buffer {
    const name = remoteName(file);
    const bytes = this.byName(name);
    if (bytes === undefined) throw missing(name);
    return bytes;
  }

  private async accept(
    current: State,
    parts: readonly { role: string; bytes: Buffer }[],
  ): Promise<readonly StoredFile[]> {
    try {
      const accepted = await acceptUpload({ gun: this.gun, parts, current, signer: this.online, now: this.now });
      const isStale = accepted.some(({ role, version }) => version <= (this.newest.get(role) ?? 0));
      if (isStale) throw new SignetError('version-conflict', 'a newer version is stored');
      return accepted;
    } catch (cause) {
      if (!isSignetError(cause)) throw cause;
      const code = cause.code === 'version-conflict' ? 'publish-conflict' : 'publish-rejected';
      throw new SignetError(code, cause.message, { cause, detail: cause.detail });
    }
  }

  private store(files: readonly StoredFile[]): void {
    for (const { role, version, bytes } of files) {
      this.newest.set(role, version);
      this.stored.set(`${version}.${role}`, bytes);
    }
    const all = new Map([...this.files, ...files.map(({ role, bytes }) => [role, bytes] as const)]);
    const { meta } = readSnapshot(payloadOf(all.get('snapshot') ?? Buffer.of()));
    this.serve(new Map([...all].filter(([role]) => role === 'timestamp' || role === 'snapshot' || meta.has(role))));
  }

  private index(role: RoleName, bytes: Buffer): void {
    const sha256 = fileInfoOf(bytes).hashes.get('sha256')?.toString('hex') ?? '';
    this.stored.set(remoteName({ role, sha256 }), bytes);
  }
}

const raised = (value: JsonValue): JsonValue => {
  const version = value instanceof Map ? value.get('version') : undefined;
  return put(['version'], Number(version) + 1)(value);
};

/** Sets the expiry of a payload. */
export function expiring(at: Instant): Change {
  return put(['expires'], formatTime(at));
}

/** Sets the version of a payload. */
export function versioned(version: number): Change {
  return put(['version'], version);
}

function infoOf(bytes: Buffer): JsonValue {
  return new Map(fileInfoJson(fileInfoOf(bytes)));
}

/** A client's configuration for the simulated repository, without its cache. */
export function sourceOf(server: TrustServer, now: Instant, gun = GUN): Omit<RepositorySource, 'cache'> {
  const proposals = server instanceof Simulator ? server.proposals : new MemoryProposals();
  return {
    gun,
    host: 'trust.example.com',
    server,
    proposals,
    pinning: TRUST_ON_FIRST_USE,
    now,
    whenUnreachable: 'cache',
    warn: () => {},
  };
}
