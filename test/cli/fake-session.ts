import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reviewProposal } from '../../src/cli/commands/trust/review.ts';
import { DockerPlace, NotaryFolder, type TrustPlace } from '../../src/cli/place.ts';
import type { Session } from '../../src/cli/session.ts';
import { answerOf } from '../../src/cli/terminal/answer.ts';
import { SignetError } from '../../src/core/errors/index.ts';
import type { Login } from '../../src/core/login.ts';
import { type Digest, digestOf } from '../../src/core/names/digest.ts';
import { familiarReference, type Reference } from '../../src/core/names/reference.ts';
import type { Engine, TransferOptions } from '../../src/engine/api/api.ts';
import type { Manifest } from '../../src/remote/registry/manifest.ts';
import { PLAIN_CONNECTION } from '../../src/remote/transport/connection.ts';
import { CredentialStore } from '../../src/store/credentials.ts';
import type { KeyStore } from '../../src/store/key-store.ts';
import { addSigner } from '../../src/trust/changes/sign.ts';
import type { TrustClient } from '../../src/trust/client.ts';
import type { Evidence } from '../../src/trust/decide/evidence.ts';
import type { FileVault } from '../../src/trust/keys/file-vault.ts';
import type { KeyRing } from '../../src/trust/keys/key-ring.ts';
import type { Repository } from '../../src/trust/publish/repository.ts';
import { type Configuration, NO_CONFIGURATION, resolveName } from '../../src/trust/settings/configuration.ts';
import type { NotaryPlaceOptions } from '../../src/trust/settings/notary-place.ts';
import { Simulator } from '../support/simulator.ts';
import { temporaryFolder } from '../support/temp.ts';
import { Visitor } from '../support/visitor.ts';

/** The repository that the simulated server knows. */
export const NAME = 'registry.example.com/acme/app';

/** An image that somebody has. */
export interface FakeImage {
  readonly digest: Digest;
  readonly size: number;
  /** Under which names with digests the engine knows it. */
  readonly repoDigests?: readonly string[];
}

export function fakeImage(text: string): FakeImage {
  return { digest: digestOf(Buffer.from(text)), size: 500 + text.length };
}

/** A session without terminal, network or engine. What it would print is kept, what is asked is answered by `answers`. */
export class FakeSession implements Session {
  configuration: Configuration = NO_CONFIGURATION;
  readonly folder = temporaryFolder();
  readonly credentials = new CredentialStore(this.folder, { PATH: '' });
  env: Record<string, string | undefined> = {};
  isInteractive = true;
  printed = '';
  errors = '';
  /** What was asked, and the answers that wait. */
  readonly asked: string[] = [];
  readonly answers: string[] = [];
  stdin = '';
  isClosed = false;
  /** Who the registry lets in: `user:password`. */
  login = 'alice:right';
  loginAnswer: 'nothing' | 'identity token' = 'nothing';
  /** What engine and registry have, by familiar name. */
  readonly inEngine = new Map<string, FakeImage>();
  readonly inRegistry = new Map<string, FakeImage>();
  readonly pushed: string[] = [];
  readonly pulled: string[] = [];
  /** How each was pushed. */
  readonly pushOptions: TransferOptions[] = [];
  /** An index of which the engine has one manifest. */
  indexInEngine: Digest | undefined;
  engineFails: SignetError | undefined;

  readonly simulator: Simulator;
  private readonly person: Visitor;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
    this.person = new Visitor(simulator);
  }

  /** From now on this person is asked about what others have proposed, or nobody is, as in a real session. */
  asksAboutProposals(): void {
    this.person.approveProposal = this.isInteractive
      ? (gun, waiting) => reviewProposal(this, gun, waiting, {})
      : undefined;
  }

  get keyStore(): KeyStore {
    return this.person.keyStore;
  }

  get keyFiles(): FileVault {
    return this.person.keyFiles;
  }

  get keys(): KeyRing {
    return this.person.keys;
  }

  /** Both streams, as they would be seen. */
  get output(): { readonly stdout: string; readonly stderr: string } {
    const stderr = this.errors + this.person.warnings.map((warning) => `${warning}\n`).join('');
    return { stdout: this.printed, stderr };
  }

  now(): number {
    return this.simulator.now;
  }

  print(text: string): void {
    this.printed += text;
  }

  printError(text: string): void {
    this.errors += text;
  }

  write(bytes: Uint8Array): void {
    this.printed += Buffer.from(bytes).toString('latin1');
  }

  /** In pieces of three bytes. */
  async *input(): AsyncGenerator<Uint8Array> {
    const bytes = Buffer.from(this.stdin);
    for (let at = 0; at < bytes.length; at += 3) yield bytes.subarray(at, at + 3);
  }

  async askLine(prompt: string): Promise<string> {
    this.asked.push(prompt);
    const answer = this.answers.shift();
    if (answer === undefined) throw new SignetError('input-ended', 'the input ended before there was an answer');
    return answer;
  }

  async askHidden(prompt: string): Promise<Buffer> {
    return Buffer.from(await this.askLine(prompt));
  }

  async readSecret(): Promise<Buffer> {
    return Buffer.from(this.stdin);
  }

  confirm(question: string, flag = '--yes'): Promise<boolean> {
    return answerOf(() => this.askLine(question), flag);
  }

  resolve(name: string): Reference {
    return resolveName(name, this.configuration);
  }

  get evidence(): Evidence {
    return this.person.evidence(this.configuration.images);
  }

  async repository(): Promise<Repository> {
    return this.person.repository();
  }

  /** Names are read as in the place that is asked for; what is found there is always this person's collection. */
  async place({ trustDir }: Partial<NotaryPlaceOptions>): Promise<TrustPlace> {
    const trustFolder = join(this.folder, 'trust');
    const client = { collection: () => this.person.repository() } as unknown as TrustClient;
    const { configuration, credentials, keys, keyFiles } = this;
    const opened = { configuration, credentials, keys, keyFiles, trustFolder, client };
    if (trustDir === undefined) return new DockerPlace(opened);
    const server = new URL('https://trust.example.com');
    const place = { trustDir, server, pinning: undefined, connectionFor: async () => PLAIN_CONNECTION };
    return new NotaryFolder(opened, place);
  }

  async manifest(reference: Reference): Promise<Manifest> {
    const name = familiarReference({ ...reference, digest: undefined });
    const image = this.inRegistry.get(name);
    if (image === undefined || (reference.digest !== undefined && reference.digest !== image.digest))
      throw new SignetError('not-found', `manifest for ${name} not found: manifest unknown`);
    return { ...image, mediaType: 'application/vnd.oci.image.manifest.v1+json', bytes: Buffer.alloc(0) };
  }

  async username(): Promise<string | undefined> {
    return (await this.credentials.find('registry.example.com'))?.username;
  }

  async checkLogin(_registry: string, { username, password, identityToken }: Login): Promise<Buffer | undefined> {
    const secret = identityToken ?? password;
    if (`${username}:${secret}` !== this.login) throw new SignetError('unauthorized', 'the token service refuses it');
    return this.loginAnswer === 'nothing' ? undefined : Buffer.from('token');
  }

  async engine(): Promise<Engine> {
    const { inEngine, pushed, engineFails } = this;
    const known = (name: string) => {
      if (engineFails !== undefined) throw engineFails;
      return inEngine.get(name);
    };
    return {
      host: 'unix:///engine',
      version: async () => '1.41',
      describe: async () => ({ version: '20.10.24', platform: 'linux/amd64', prefersBuildKit: false }),
      inspectImage: async (name) => {
        const image = known(name);
        if (image === undefined) return undefined;
        const { digest: id, repoDigests = [] } = image;
        return { id, repoTags: [], repoDigests, descriptor: undefined, os: '', architecture: '' };
      },
      inspectContainer: async () => undefined,
      inspectService: async () => undefined,
      tag: async () => undefined,
      pull: async (name, options = {}) => {
        this.pulled.push(options.platform === undefined ? name : `${name} for ${options.platform}`);
        const image = this.inRegistry.get(name);
        if (image === undefined) throw new SignetError('engine-refused', `no such image ${name}`);
        inEngine.set(name, image);
      },
      push: async (name, options = {}) => {
        const image = known(name);
        if (image === undefined) throw new SignetError('engine-refused', `no such image ${name}`);
        pushed.push(name);
        this.pushOptions.push(options);
        options.show?.write('pushing\n');
        return { ...image, insteadOf: this.indexInEngine, source: 'push-result' };
      },
      close: () => undefined,
    };
  }

  async engineAuth(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.keys.close();
  }

  /** Writes docker's configuration as if this login had been stored. */
  storeLogin(user: string, password: string): void {
    const auths = { 'registry.example.com': { auth: btoa(`${user}:${password}`) } };
    writeFileSync(join(this.folder, 'config.json'), JSON.stringify({ auths }));
  }

  /** Writes a file into a folder of its own and returns its path. */
  file(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }
}

/** The server has never heard of the repository. */
export async function uninitialised(): Promise<FakeSession> {
  const session = new FakeSession(await Simulator.start());
  await session.simulator.remove();
  return session;
}

/** The repository has keys and no tags; they are this person's. */
export async function empty(): Promise<FakeSession> {
  const session = await uninitialised();
  await (await session.repository()).initialize(() => undefined);
  return session;
}

/** `v1` is signed by the signer alice and released; all keys are this person's. */
export async function loaded(): Promise<FakeSession> {
  const session = await empty();
  const { publicKey } = await session.keys.create('alice');
  const repository = await session.repository();
  await repository.publish((editor) => addSigner(editor, 'alice', [publicKey]));
  await repository.publish((editor) => {
    const { digest, size } = fakeImage('v1');
    const hashes = new Map([['sha256' as const, Buffer.from(digest.slice('sha256:'.length), 'hex')]]);
    for (const role of editor.delegationsOf('targets')) editor.addTarget(role.name, 'v1', { length: size, hashes });
  });
  session.simulator.requests.length = 0;
  return session;
}

/** As `loaded`, and the server answers no more. */
export async function offline(): Promise<FakeSession> {
  const session = await loaded();
  session.simulator.isOffline = true;
  return session;
}

/** Somebody else at another machine, before the same server. */
export function visitorOf({ simulator }: FakeSession): FakeSession {
  return new FakeSession(simulator);
}
