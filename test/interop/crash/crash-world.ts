import { readFileSync } from 'node:fs';
import { AuthorizedClient } from '../../../src/remote/auth/authorized.ts';
import { MemoryTokens } from '../../../src/remote/auth/token.ts';
import { HttpClient } from '../../../src/remote/http/http.ts';
import { NotaryServer } from '../../../src/remote/notary/notary-server.ts';
import { random } from '../../support/random.ts';
import { brokenPromises, Promises, Pusher, type Send } from '../../support/registry-pusher.ts';
import { type SignetServer, startSignet } from '../../support/signet-server.ts';
import { faultsIn, uploadFiles } from './data.ts';
import { DockerReader } from './docker-reader.ts';
import { TokenAsker } from './token-asker.ts';
import { TrustPublisher } from './trust-publisher.ts';

const NAME = 'alice';
const PASSWORD = 'who works while the server dies';
const REPOSITORIES = ['alice/app', 'alice/other'] as const;
const PUSHERS = 2;
const PUBLISHERS = 3;
const LARGEST_BLOB = 200_000;
const SHORTEST_LIFE = 30;
const LIFE_SPREAD = 300;
/** So many kills a docker's cache lives through. */
const MEMORY = 10;

/** What has happened. */
export interface Figures {
  kills: number;
  publishes: number;
  /** Of which no client heard. */
  unansweredPublishes: number;
  blobsAndManifests: number;
  resumedUploads: number;
  /** Milliseconds from the start to the first answer, of each start. */
  readonly starts: number[];
}

/** One who does something again and again. */
interface Loader {
  step(): Promise<void>;
}

/** A server under load, which is killed at random moments and looked at each time. */
export class CrashWorld {
  readonly figures: Figures = {
    kills: 0,
    publishes: 0,
    unansweredPublishes: 0,
    blobsAndManifests: 0,
    resumedUploads: 0,
    starts: [],
  };
  private readonly server: SignetServer;
  private readonly next: () => number;
  private readonly promises = new Promises();
  private readonly checked = new Set<string>();
  private readonly publishers: readonly TrustPublisher[];
  private readonly pushers: readonly Pusher[];
  private readonly tokens: TokenAsker;
  private readonly docker: DockerReader;
  private readonly token: string;
  private isUp = true;

  private constructor(server: SignetServer, token: string, seed: number) {
    this.server = server;
    this.token = token;
    this.next = random(seed);
    this.publishers = Array.from({ length: PUBLISHERS }, (_, at) => this.publisher(at, seed));
    this.pushers = Array.from({ length: PUSHERS }, (_, at) => this.pusher(seed + at));
    this.tokens = new TokenAsker(server.origin, NAME, PASSWORD);
    this.docker = new DockerReader(server, [NAME, PASSWORD]);
  }

  static async start(seed: number): Promise<CrashWorld> {
    const server = await startSignet({ args: ['--token-lifetime=1h', '--gc-interval=1s'] });
    await server.addUser(NAME, PASSWORD);
    const scopes = REPOSITORIES.map((name) => `scope=repository:${name}:pull,push`).join('&');
    const headers = { authorization: `Basic ${Buffer.from(`${NAME}:${PASSWORD}`).toString('base64')}` };
    const tls = { rejectUnauthorized: false };
    const answer = await fetch(`${server.origin}/auth/token?service=signet&${scopes}`, { headers, tls });
    const { token } = (await answer.json()) as { token: string };
    return new CrashWorld(server, token, seed);
  }

  /** Lets everybody work for a moment, kills the server, starts it again and looks whether all is as promised. */
  async crash(): Promise<void> {
    await this.workUntilKilled();
    const started = performance.now();
    await this.server.start();
    this.figures.starts.push(performance.now() - started);
    this.figures.kills++;
    this.isUp = true;
    await this.check();
  }

  /** Looks at everything that was ever promised. */
  async checkAll(): Promise<void> {
    this.checked.clear();
    await this.check();
    for (const { published, unanswered } of this.publishers) {
      this.figures.publishes += published + unanswered;
      this.figures.unansweredPublishes += unanswered;
    }
    this.figures.blobsAndManifests = this.promises.kept.size;
    this.figures.resumedUploads = this.promises.resumed;
  }

  /** Stops the server; returns where its data lie. */
  async stop(): Promise<string> {
    await this.server.stop();
    return this.server.data;
  }

  private async workUntilKilled(): Promise<void> {
    const work = [...this.publishers, ...this.pushers, this.tokens].map((loader) => this.work(loader));
    await Bun.sleep(SHORTEST_LIFE + this.next() * LIFE_SPREAD);
    this.isUp = false;
    await this.server.kill();
    await Promise.all(work);
  }

  /** What fails while the server dies is nobody's fault; what fails before is. */
  private async work(loader: Loader): Promise<void> {
    while (this.isUp) {
      try {
        await loader.step();
      } catch (error) {
        if (this.isUp) throw error;
      }
    }
  }

  private async check(): Promise<void> {
    const faults = faultsIn(this.server.data);
    const files = uploadFiles(this.server.data).length;
    if (files > PUSHERS * (this.figures.kills + 1)) faults.push(`${files} files of uploads`);
    faults.push(...(await brokenPromises(this.promises, this.send, (path) => this.isNew(path))));
    if (faults.length > 0) throw new Error(faults.join('\n'));
    await this.tokens.check();
    await this.checkTrust();
  }

  /** Each tag is looked at every time, everything else once, and again at the end. */
  private isNew(path: string): boolean {
    const isNew = !this.checked.has(path);
    if (this.promises.kept.has(path)) this.checked.add(path);
    return isNew;
  }

  private async checkTrust(): Promise<void> {
    const digests = await Promise.all(this.publishers.map((publisher) => publisher.check()));
    if (this.figures.kills % MEMORY === 0) this.docker.forget();
    const there = this.publishers.filter((_, at) => digests[at] !== undefined);
    const seen = there.length === 0 ? [] : await this.docker.latest(there.map(({ gun }) => gun));
    const wrong = there.filter((publisher, at) => seen[at] !== digests[this.publishers.indexOf(publisher)]);
    if (wrong.length > 0) throw new Error(`docker sees something else in ${wrong.map(({ gun }) => gun).join(', ')}`);
  }

  private publisher(number: number, seed: number): TrustPublisher {
    const url = new URL(this.server.origin);
    const authority = readFileSync(this.server.authority);
    const http = new HttpClient({
      userAgent: 'crash',
      connectionFor: async () => ({ authorities: [authority], identities: [], verify: true, address: undefined }),
      // A dead server is not waited for.
      sleep: async () => {},
    });
    const login = async () => ({ username: NAME, password: Buffer.from(PASSWORD), identityToken: undefined });
    const client = new AuthorizedClient({
      http,
      logins: [{ registry: 'localhost', find: login }],
      tokens: new MemoryTokens(),
    });
    const gun = `${this.server.host}/alice/signed-${number}`;
    return new TrustPublisher(gun, new NotaryServer(url, client, ['pull', 'push']), seed * 100 + number);
  }

  private pusher(seed: number): Pusher {
    const { promises, send } = this;
    return new Pusher({ seed, promises, send, repositories: REPOSITORIES, largest: LARGEST_BLOB });
  }

  private readonly send: Send = (method, path, body, headers = {}) =>
    fetch(this.server.origin + path, {
      method,
      headers: { ...headers, authorization: `Bearer ${this.token}` },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      tls: { rejectUnauthorized: false },
      keepalive: false,
    });
}
