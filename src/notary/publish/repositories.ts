import { acceptImport, type Import } from '../../core/accept/import.ts';
import type { StoredFile } from '../../core/accept/stored-file.ts';
import { acceptUpload, refreshOnline, type Upload } from '../../core/accept/upload.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import type { CurrentFiles, MetadataFile, MetadataStore } from '../store/metadata-store.ts';
import { type CurrentChain, CurrentChains } from './current-chains.ts';
import type { Logger } from './logger.ts';
import { KeyedMutex } from './mutex.ts';
import type { OnlineKeyService } from './online-key-service.ts';
import { Refusal } from './refusal.ts';
import { refusalOf } from './update-refusal.ts';

/** How often a publish is checked again when other processes change the repository between the check and the storing. */
const ATTEMPTS = 10;
/** Bytes of files that are verified at one go. */
const PAUSE_EVERY = 64 * 1024;

interface RepositoryParts {
  readonly store: MetadataStore;
  readonly keys: OnlineKeyService;
  readonly logger: Logger;
  readonly clock: () => Instant;
  /** Bytes of current metadata to keep in memory. */
  readonly cacheBytes: number;
  /** Whether no other process changes the store. */
  readonly isExclusive: boolean;
  readonly onImport: (imported: Imported) => void;
}

/** That a collection has come from another server. */
export interface Imported {
  readonly gun: Gun;
  /** The user's name, undefined for an anonymous one. */
  readonly by: string | undefined;
  /** The IP address that it was sent from. */
  readonly address: string;
  /** Which roots came, and the version of the timestamp over them, in words. */
  readonly what: string;
  readonly at: Instant;
}

/** What can be done with the trust data of a GUN. Changes of one GUN are made one after the other. */
export class Repositories {
  private readonly store: MetadataStore;
  private readonly keys: OnlineKeyService;
  private readonly logger: Logger;
  private readonly clock: () => Instant;
  private readonly chains: CurrentChains;
  private readonly onImport: (imported: Imported) => void;
  private readonly mutex = new KeyedMutex();
  private readonly publishers = new KeyedMutex();

  constructor({ store, keys, logger, clock, cacheBytes, isExclusive, onImport }: RepositoryParts) {
    this.store = store;
    this.keys = keys;
    this.logger = logger;
    this.clock = clock;
    this.onImport = onImport;
    this.chains = new CurrentChains({
      store,
      capacity: cacheBytes,
      isExclusive,
      onUnreadable: (gun, { code, message }) =>
        this.logger.warn(`what is stored of ${gun} is served as it is, and not renewed`, { gun, code, error: message }),
    });
  }

  /** The current files as they are, expired or not. */
  current(gun: Gun): Promise<CurrentChain> {
    return this.chains.get(gun);
  }

  /**
   * The current files, timestamp and snapshot renewed if they have expired (protocol B.7.3). If they cannot be
   * renewed, because the root has expired or the keys are not here, they stay as they are: what to make of an expired
   * file is for the client to decide.
   */
  async fresh(gun: Gun): Promise<CurrentChain> {
    const chain = await this.chains.get(gun);
    return this.isFresh(chain) ? chain : this.mutex.run(gun, () => this.renew(gun));
  }

  /** The file of a role with this SHA-256, current or not; undefined if none such is kept. */
  async byChecksum(gun: Gun, role: RoleName, sha256: string): Promise<MetadataFile | undefined> {
    const current = this.chains.kept(gun)?.files.get(role);
    return current?.sha256 === sha256 ? current : this.store.byChecksum(gun, role, sha256);
  }

  /** The file of a role with this version, current or not; undefined if none such is kept. */
  async byVersion(gun: Gun, role: RoleName, version: number): Promise<MetadataFile | undefined> {
    const current = this.chains.kept(gun)?.files.get(role);
    return current?.version === version ? current : this.store.byVersion(gun, role, version);
  }

  /**
   * Checks a publish and stores what it leads to (protocol B.6.3). What one publisher sends is worked on one after the
   * other, so that many publishes of one never keep another waiting. Throws a `Refusal`, or what a store throws.
   */
  async publish(gun: Gun, parts: Upload['parts'], publisher: string | undefined): Promise<void> {
    const inTurn = () => this.mutex.run(gun, () => this.acceptAndStore(gun, parts));
    const files = await this.publishers.run(publisher ?? '', inTurn);
    const timestamp = files.find(({ role }) => role === 'timestamp');
    if (timestamp === undefined) return;
    const checksum = digestHex(digestOf(timestamp.bytes));
    this.logger.info(`updated ${gun} to timestamp version ${timestamp.version}, checksum ${checksum}`, {
      gun,
      publisher,
      roles: files.map(({ role, version }) => `${role} ${version}`).join(', '),
    });
  }

  /**
   * Checks a collection that comes from another server, and stores it with its history (protocol I.2). Throws a `Refusal`,
   * `import-taken` if the GUN has trust data by now, or what a store throws.
   */
  async import(gun: Gun, parts: Import['parts'], publisher: string | undefined, address: string): Promise<void> {
    const inTurn = () => this.mutex.run(gun, () => this.acceptAndImport(gun, parts));
    const files = await this.publishers.run(publisher ?? '', inTurn);
    const roots = files.filter(({ role }) => role === 'root').map(({ version }) => version);
    const timestamp = files.at(-1);
    if (timestamp === undefined) return;
    const [first, last] = [Math.min(...roots), Math.max(...roots)];
    const what = `roots ${first} to ${last}, timestamp version ${timestamp.version}`;
    const checksum = digestHex(digestOf(timestamp.bytes));
    this.logger.info(`imported ${gun} from another server: ${what}, checksum ${checksum}`, { gun, publisher });
    this.onImport({ gun, by: publisher, address, what, at: this.clock() });
  }

  /** Removes everything of the GUN; one that does not exist changes nothing (protocol B.9). */
  async delete(gun: Gun, deleter: string | undefined): Promise<void> {
    const remove = () => this.store.delete(gun, this.clock()).finally(() => this.chains.changed(gun));
    const existed = await this.mutex.run(gun, remove);
    if (existed) this.logger.info(`deleted ${gun}`, { gun, deleter });
  }

  /** Throws a `Refusal`, `import-taken`, if the GUN has trust data. */
  async refuseTaken(gun: Gun): Promise<void> {
    if ((await this.chains.get(gun)).files.size > 0) throw new Refusal('import-taken', {});
  }

  private async acceptAndImport(gun: Gun, parts: Import['parts']): Promise<readonly StoredFile[]> {
    const signer = this.keys.signer(gun, 'unused');
    const accept = () => acceptImport({ gun, parts, signer, now: this.clock(), pause: pauses() });
    const files = await this.accepted(accept).catch(async (error: unknown) => {
      // A faster import has used the keys by now, which is not what is wrong with this one.
      await this.refuseTaken(gun);
      throw error;
    });
    checkSize({ files: new Map() }, files);
    const result = await this.stored(gun, () => this.store.import({ gun, files, at: this.clock() }));
    if (result === 'taken') throw new Refusal('import-taken', {});
    await signer.settle();
    return files;
  }

  private async acceptAndStore(gun: Gun, parts: Upload['parts']): Promise<readonly StoredFile[]> {
    for (let attempt = 1; ; attempt++) {
      const chain = await this.chains.get(gun);
      const signer = this.keys.signer(gun);
      const files = await this.accepted(() => acceptUpload({ gun, parts, signer, ...this.stateOf(chain) }));
      checkSize(chain, files);
      const publication = { gun, files, expected: chain.revision, at: this.clock() };
      const result = await this.stored(gun, () => this.store.publish(publication));
      if (result === 'stored') {
        await signer.settle();
        return files;
      }
      if (result === 'version-exists' || attempt === ATTEMPTS) throw new Refusal('update-version-exists', {});
    }
  }

  private async accepted(accept: () => Promise<readonly StoredFile[]>): Promise<readonly StoredFile[]> {
    try {
      return await accept();
    } catch (error) {
      throw refusalOf(error);
    }
  }

  private async stored<Result>(gun: Gun, store: () => Promise<Result>): Promise<Result> {
    try {
      return await store();
    } catch (cause) {
      // What the machine has no room for is for the server around it to say.
      if (isSignetError(cause)) throw cause;
      this.logger.error(`cannot store an update of ${gun}`, { gun, error: String(cause) });
      throw new Refusal('update-failed', undefined, cause);
    } finally {
      this.chains.changed(gun);
    }
  }

  private async renew(gun: Gun): Promise<CurrentChain> {
    const chain = await this.chains.get(gun);
    if (this.isFresh(chain)) return chain;
    try {
      const files = await refreshOnline({ gun, signer: this.keys.signer(gun), ...this.stateOf(chain) });
      if (files.length > 0) await this.store.publish({ gun, files, expected: chain.revision, at: this.clock() });
    } catch (error) {
      const code = isSignetError(error) ? error.code : undefined;
      this.logger.warn(`cannot renew the timestamp of ${gun}`, { gun, code, error: String(error) });
    } finally {
      this.chains.changed(gun);
    }
    // Whether these files were stored or another process was faster, what counts is what is stored now.
    return this.chains.get(gun);
  }

  private isFresh({ freshUntil }: CurrentChain): boolean {
    return this.clock() <= freshUntil;
  }

  private stateOf({ files }: CurrentFiles): Omit<Upload, 'gun' | 'parts' | 'signer'> {
    const current = new Map<RoleName, Buffer>([...files].map(([role, { bytes }]) => [role, bytes]));
    return { current, now: this.clock(), pause: pauses() };
  }
}

/**
 * Refuses a publish that would make the collection too large to be kept in memory: all of it would be read from the disk
 * for every file that is asked for.
 */
function checkSize({ files: current }: Pick<CurrentFiles, 'files'>, files: readonly StoredFile[]): void {
  const sizes = new Map([...current.values(), ...files].map(({ role, bytes }) => [role, bytes.length] as const));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total > LIMITS.published) throw new Refusal('upload-too-large');
}

/** Lets everything run that waits, once in so many bytes of files. */
function pauses(): (bytes: number) => Promise<void> {
  let worked = 0;
  return async (bytes) => {
    worked += bytes;
    if (worked < PAUSE_EVERY) return;
    worked = 0;
    await new Promise((resolve) => setImmediate(resolve));
  };
}
