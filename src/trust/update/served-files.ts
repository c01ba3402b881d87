import type { KnownFiles } from '../../core/chain.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import type { FileInfo } from '../../core/metadata/file-info.ts';
import { readTimestamp } from '../../core/metadata/timestamp.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import { type Latest, type RemoteFile, remoteName, type TrustServer } from '../../remote/notary/trust-server.ts';

/** What a collection is read from. */
export type FileServer = Pick<TrustServer, 'read' | 'latest'>;

/** Files that are fetched at the same time, at most. */
const AT_A_TIME = 8;

/**
 * A trust server as one update sees it: what came along with the timestamp is not asked for, and what will be read next is
 * fetched ahead. Nothing of it is verified here, and nothing else is done with it than to give it to whoever reads it.
 */
export class ServedFiles implements Pick<FileServer, 'read'> {
  private readonly gun: Gun;
  private readonly server: FileServer;
  private answer: Promise<Latest> | undefined;
  private chain = new Map<string, Buffer>();
  private readonly ahead = new Map<string, Promise<Buffer>>();
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  constructor(gun: Gun, server: FileServer) {
    this.gun = gun;
    this.server = server;
  }

  /** Sends the request for the timestamp, whose answer or failure whoever calls `timestamp` sees. */
  ask(known: KnownFiles): Promise<Latest> {
    const answer = this.server.latest(this.gun, known).then((latest) => {
      this.chain = new Map(latest.chain);
      return latest;
    });
    answer.catch(() => undefined);
    this.answer = answer;
    return answer;
  }

  /** The server's timestamp, asked for once. */
  async timestamp(): Promise<Buffer> {
    return (await this.latest()).timestamp;
  }

  /** Whether a root newer than the client's came along. */
  get hasRoot(): boolean {
    return this.chain.has('root');
  }

  /** Forgets the answer for the timestamp: the next time the server is asked again. */
  forgetTimestamp(): void {
    this.answer = undefined;
  }

  /**
   * Where files come one by one: begins to fetch both that someone without a root needs next. What the timestamp says
   * is not verified at that time, so it serves as an address and nothing else. Throws why there is no timestamp,
   * unless it is missing: then the root may be as well, and that is the better error.
   */
  async beginFirstVisit(): Promise<void> {
    const latest = await this.latest().catch((error: unknown) => {
      if (isSignetError(error, 'trust-data-missing')) return undefined;
      throw error;
    });
    if (latest === undefined || latest.chain !== undefined) return;
    this.begin({ role: 'root' }, LIMITS.metadata);
    const promised = promisedSnapshot(latest.timestamp);
    const sha256 = promised?.hashes.get('sha256')?.toString('hex');
    if (promised === undefined || sha256 === undefined) return;
    this.begin({ role: 'snapshot', sha256 }, Math.min(promised.length, LIMITS.metadata));
  }

  /** The bytes of a file, at most `limit`. Throws what `TrustServer.read` throws. */
  async read(gun: Gun, file: RemoteFile, limit: number): Promise<Buffer> {
    const name = remoteName(file);
    const bytes = this.fromChain(name, file);
    if (bytes !== undefined && bytes.length <= limit) return bytes;
    const begun = this.ahead.get(name);
    this.ahead.delete(name);
    return begun ?? this.inTurn(() => this.server.read(gun, file, limit));
  }

  private latest(): Promise<Latest> {
    return this.answer ?? this.ask({});
  }

  private begin(file: RemoteFile, limit: number): void {
    const begun = this.inTurn(() => this.server.read(this.gun, file, limit));
    begun.catch(() => undefined);
    this.ahead.set(remoteName(file), begun);
  }

  /** A file by checksum must have it, else the server is asked for the right one. A root is the newest only once. */
  private fromChain(name: string, file: RemoteFile): Buffer | undefined {
    if ('sha256' in file) {
      const bytes = this.chain.get(file.role);
      return bytes !== undefined && digestHex(digestOf(bytes)) === file.sha256 ? bytes : undefined;
    }
    const bytes = this.chain.get(name);
    this.chain.delete(name);
    return bytes;
  }

  private async inTurn(fetch: () => Promise<Buffer>): Promise<Buffer> {
    if (this.running === AT_A_TIME) await new Promise<void>((resume) => this.waiting.push(resume));
    else this.running++;
    try {
      return await fetch();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running--;
      else next();
    }
  }
}

/** What a client says that it has: the root that it trusts, and the timestamp of its last visit. */
export async function knownFiles(root: Buffer | undefined, timestamp: Buffer | undefined): Promise<KnownFiles> {
  if (root === undefined) return {};
  if (timestamp === undefined) return { root: await sha256Of(root) };
  return { root: await sha256Of(root), timestamp: await sha256Of(timestamp) };
}

/** Unlike the runtime's other cryptography, this one does not take longer to load than the request it is for. */
async function sha256Of(bytes: Buffer): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))).toString('hex');
}

/** Undefined if the timestamp cannot be read, for which it is refused if it is verified. */
function promisedSnapshot(timestamp: Buffer): FileInfo | undefined {
  try {
    return readTimestamp(parseEnvelope('timestamp', timestamp).signed).snapshot;
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}
