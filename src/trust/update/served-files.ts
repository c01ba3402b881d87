import type { KnownFiles } from '../../core/chain.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import type { FileInfo } from '../../core/metadata/file-info.ts';
import { readTimestamp } from '../../core/metadata/timestamp.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import { type Latest, type RemoteFile, remoteName, type TrustServer } from '../../remote/notary/trust-server.ts';

/** Where a collection's files are read from. */
export type FileServer = Pick<TrustServer, 'read' | 'latest'>;

/** Maximum number of concurrent requests. */
const AT_A_TIME = 8;

/**
 * A trust server during one update: files that came with the timestamp are not requested again, and files that will be
 * needed next are prefetched. Nothing is verified here; verification is up to the reader.
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

  /** Sends the request for the timestamp; callers of `timestamp` see its result or failure. */
  ask(known: KnownFiles): Promise<Latest> {
    const answer = this.server.latest(this.gun, known).then((latest) => {
      this.chain = new Map(latest.chain);
      return latest;
    });
    answer.catch(() => undefined);
    this.answer = answer;
    return answer;
  }

  /** The server's timestamp, requested once. */
  async timestamp(): Promise<Buffer> {
    return (await this.latest()).timestamp;
  }

  /** Whether the response included a root newer than the client's. */
  get hasRoot(): boolean {
    return this.chain.has('root');
  }

  /** Discards the response for the timestamp: the next call asks the server again. */
  forgetTimestamp(): void {
    this.answer = undefined;
  }

  /**
   * For servers that send files one by one: prefetches both files that a client without a root needs next. The
   * timestamp is not verified at that point, so it is used only as an address. Throws why there is no timestamp, unless
   * it is missing: the root may be missing too then, and that is the better error.
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

  /** Reads a file of at most `limit` bytes. Throws what `TrustServer.read` throws. */
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

  /**
   * A prefetched file must have the requested checksum, or the server is asked for the right one. A root is the newest
   * only once.
   */
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

/** The files that a client reports as known: the root it trusts, and the timestamp of its last visit. */
export async function knownFiles(root: Buffer | undefined, timestamp: Buffer | undefined): Promise<KnownFiles> {
  if (root === undefined) return {};
  if (timestamp === undefined) return { root: await sha256Of(root) };
  return { root: await sha256Of(root), timestamp: await sha256Of(timestamp) };
}

/** Unlike the rest of the runtime's cryptography, this loads faster than the request takes. */
async function sha256Of(bytes: Buffer): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))).toString('hex');
}

/** Undefined if the timestamp cannot be parsed; verification refuses it later. */
function promisedSnapshot(timestamp: Buffer): FileInfo | undefined {
  try {
    return readTimestamp(parseEnvelope('timestamp', timestamp).signed).snapshot;
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}
