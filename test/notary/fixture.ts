import { Editor } from '../../src/core/edit/editor.ts';
import { type SigningKeys, signWith } from '../../src/core/edit/signing.ts';
import { isSignetError } from '../../src/core/errors/index.ts';
import { canonicalize } from '../../src/core/json/canonical.ts';
import { type JsonValue, parseJson } from '../../src/core/json/parse.ts';
import { type PublicKey, parsePublicKey } from '../../src/core/keys/public-key.ts';
import { writeEnvelope } from '../../src/core/metadata/envelope.ts';
import type { Target } from '../../src/core/metadata/targets.ts';
import { type Gun, parseGun } from '../../src/core/names/gun.ts';
import type { KeyId } from '../../src/core/names/key-id.ts';
import type { BaseRole, RoleName } from '../../src/core/names/role.ts';
import type { Scope } from '../../src/core/scope.ts';
import type { Signature } from '../../src/core/signature.ts';
import { DAY, type Instant } from '../../src/core/time.ts';
import { trustCachedRoot } from '../../src/core/verify/root-trust.ts';
import { baseSigners } from '../../src/core/verify/signers.ts';
import { TrustedSet } from '../../src/core/verify/trusted-set.ts';
import { AuthorizationRequired, type Gate } from '../../src/http/gate.ts';
import { createTrustService, type TrustServerOptions, type TrustService } from '../../src/notary/index.ts';
import { LocalOnlineKeys } from '../../src/notary/publish/local-online-keys.ts';
import type { Logger } from '../../src/notary/publish/logger.ts';
import { Vault } from '../../src/notary/publish/seal.ts';
import { SealedKeyVault } from '../../src/notary/publish/sealed-key-vault.ts';
import type { OnlineKeyType } from '../../src/notary/store/online-key-store.ts';
import { METADATA_MIGRATIONS, SqliteMetadataStore } from '../../src/notary/store/sqlite-metadata-store.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../../src/notary/store/sqlite-online-key-store.ts';
import { PROPOSAL_MIGRATIONS, SqliteProposalStore } from '../../src/notary/store/sqlite-proposal-store.ts';
import { IN_MEMORY, openDatabase } from '../../src/store/sqlite.ts';
import { ask } from '../support/routes.ts';
import { TestKeys } from '../support/test-keys.ts';

export const NOW: Instant = Date.parse('2026-11-23T12:00:00Z');
export const MASTER_KEY = Buffer.alloc(32, 7);
export const GUN = parseGun('registry.example.com:5000/acme/app');
export const TARGET: Target = { length: 528, hashes: new Map([['sha256', Buffer.alloc(32)]]) };

/** A caller without a name who may do everything, as on a server without accounts. */
export const ANYONE: Gate = { subject: undefined, require: async () => {}, allows: async () => true };

/** A caller who is told to log in; `wanted` collects what he was asked for. */
export function stranger(wanted: Scope[] = []): Gate {
  return {
    subject: undefined,
    require: async (...scopes) => {
      wanted.push(...scopes);
      throw new AuthorizationRequired(scopes);
    },
    allows: async () => false,
  };
}

/** A user with a name who may do everything; `wanted` collects what for. */
export function user(name: string, wanted: Scope[] = []): Gate {
  return {
    subject: name,
    require: async (...scopes) => {
      wanted.push(...scopes);
    },
    allows: async () => true,
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface TestServerOptions extends Partial<TrustServerOptions> {
  readonly path?: string;
  readonly keptVersions?: number;
  readonly keyType?: OnlineKeyType;
  readonly masterKey?: Buffer;
}

/** A trust server on a database of its own, with a clock that stands still until it is moved. */
export class TestServer {
  now = NOW;
  readonly log: string[] = [];
  readonly database;
  readonly server: TrustService;
  private readonly keys: LocalOnlineKeys;

  constructor({ keyType = 'ed25519', masterKey = MASTER_KEY, ...options }: TestServerOptions = {}) {
    this.database = openDatabase(
      options.path ?? IN_MEMORY,
      METADATA_MIGRATIONS,
      ONLINE_KEY_MIGRATIONS,
      PROPOSAL_MIGRATIONS,
    );
    const write: Logger['info'] = (message) => this.log.push(message);
    this.keys = new LocalOnlineKeys(
      new SealedKeyVault(new SqliteOnlineKeyStore(this.database), new Vault(masterKey)),
      keyType,
      () => this.now,
    );
    this.server = createTrustService({
      store: new SqliteMetadataStore(this.database, options),
      keys: this.keys,
      proposalStore: new SqliteProposalStore(this.database),
      logger: { info: write, warn: write, error: write },
      clock: () => this.now,
      ...options,
    });
  }

  async send(method: string, path: string, init: RequestInit & { gate?: Gate } = {}): Promise<Reply> {
    const url = new URL(path, 'https://trust.example.com');
    const { gate = ANYONE, ...rest } = init;
    const response = await ask(this.server.routes, new Request(url.href, { ...rest, method }), gate);
    if (response === undefined) throw new Error(`${method} ${path} was not answered`);
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Signs anything with a key of the server, as whoever has its database can. */
  async signAs(gun: Gun, id: KeyId, message: Uint8Array): Promise<Signature> {
    const signature = await this.keys.signer(gun).sign(id, message);
    if (signature === undefined) throw new Error(`the server has no key ${id}`);
    return signature;
  }

  get(name: string, gun: string = GUN): Promise<Reply> {
    return this.send('GET', `/v2/${gun}/_trust/tuf/${name}`);
  }

  post(files: Iterable<readonly [string, string | Uint8Array]>, gun: string = GUN, gate = ANYONE): Promise<Reply> {
    return this.send('POST', `/v2/${gun}/_trust/tuf/`, { ...form(files), gate });
  }
}

/** A form as Go's client writes it (protocol B.6.1). */
export function form(
  files: Iterable<readonly [string, string | Uint8Array]>,
  boundary = '5eac7f9ce2c4c6214dafebe33d498a52',
): { body: Uint8Array<ArrayBuffer>; headers: Record<string, string> } {
  const parts = [...files].flatMap(([role, content], index) => [
    `${index === 0 ? '' : '\r\n'}--${boundary}\r\n`,
    `Content-Disposition: form-data; name="files"; filename="${role}"\r\n`,
    'Content-Type: application/octet-stream\r\n\r\n',
    content,
  ]);
  const chunks = [...parts, `\r\n--${boundary}--\r\n`].map((chunk) => Buffer.from(chunk as string));
  return {
    body: new Uint8Array(Buffer.concat(chunks)),
    headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
  };
}

/** The owner of a repository: makes its keys, signs, and publishes through the server's own routes. */
export class Owner {
  readonly gun: Gun;
  private readonly server: TestServer;
  private readonly keys = new TestKeys();

  constructor(server: TestServer, gun: Gun = GUN) {
    this.server = server;
    this.gun = gun;
  }

  readonly ring: SigningKeys = this.keys;

  newKey(): PublicKey {
    return this.keys.make();
  }

  newRootKey(): PublicKey {
    return this.keys.makeRoot(this.gun, this.server.now - DAY);
  }

  async serverKey(role: 'snapshot' | 'timestamp'): Promise<PublicKey> {
    const { text } = await this.server.get(`${role}.key`, this.gun);
    return parsePublicKey(parseJson(text), role);
  }

  /** The files of a first publish: root, and `targets` with one target, `latest`. */
  async firstFiles(options: { ownSnapshotKey?: boolean } = {}): Promise<ReadonlyMap<RoleName, Buffer>> {
    const editor = Editor.create({
      root: [this.newRootKey()],
      targets: this.newKey(),
      snapshot: options.ownSnapshotKey ? this.newKey() : await this.serverKey('snapshot'),
      timestamp: await this.serverKey('timestamp'),
    });
    editor.addTarget('targets', 'latest', TARGET);
    return editor.sign(this.ring, this.server.now);
  }

  async publishFirst(options: { ownSnapshotKey?: boolean } = {}): Promise<void> {
    await this.expectPublished(await this.firstFiles(options));
  }

  /** The files that the given changes to the published collection lead to. */
  async edited(change: (editor: Editor) => void): Promise<ReadonlyMap<RoleName, Buffer>> {
    const editor = Editor.of(await this.load());
    change(editor);
    return editor.sign(this.ring, this.server.now);
  }

  async edit(change: (editor: Editor) => void): Promise<void> {
    await this.expectPublished(await this.edited(change));
  }

  addTag(name: string): Promise<void> {
    return this.edit((editor) => editor.addTarget('targets', name, TARGET));
  }

  /** What a client that follows the protocol gets, all of it verified. */
  async load(): Promise<TrustedSet> {
    const root = await this.body('root.json');
    const set = new TrustedSet(trustCachedRoot(this.gun, root), this.server.now);
    set.updateTimestamp(await this.body('timestamp.json'));
    set.updateSnapshot(await this.body(`snapshot.${sha256(set.timestamp.payload.snapshot)}.json`));
    const roles: Parameters<TrustedSet['updateTargets']>[0][] = ['targets'];
    for (let role = roles.shift(); role !== undefined; role = roles.shift()) {
      const promised = set.promised(role);
      if (promised === undefined) continue;
      set.updateTargets(role, await this.body(`${role}.${sha256(promised)}.json`));
      roles.push(...set.delegationsOf(role).map(({ name }) => name));
    }
    return set;
  }

  private async body(name: string): Promise<Buffer> {
    const { status, text } = await this.server.get(name, this.gun);
    if (status !== 200) throw new Error(`GET ${name}: ${status} ${text}`);
    return Buffer.from(text);
  }

  /** A file with this payload, signed by the keys that the published root gives the role. */
  async sealed(role: BaseRole, payload: JsonValue): Promise<Buffer> {
    const { root } = await this.load();
    return writeEnvelope(payload, await signWith(role, canonicalize(payload), baseSigners(root.root, role), this.ring));
  }

  async expectPublished(files: ReadonlyMap<RoleName, Buffer>): Promise<void> {
    const { status, text } = await this.server.post(files, this.gun);
    if (status !== 200) throw new Error(`POST: ${status} ${text}`);
  }
}

function sha256({ hashes }: { hashes: ReadonlyMap<string, Buffer> }): string {
  return hashes.get('sha256')?.toString('hex') ?? '';
}

/** The code of the SignetError that `work` fails with. */
export async function codeOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    if (isSignetError(error)) return error.code;
    throw error;
  }
  return 'none';
}

/** The version that a metadata file's text gives itself. */
export function versionOf(text: string): number {
  return (JSON.parse(text) as { signed: { version: number } }).signed.version;
}
