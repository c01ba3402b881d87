import { Editor } from '../core/editor.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { issueRootCertificate } from '../core/keys/certificate.ts';
import type { PrivateKey } from '../core/keys/private-key.ts';
import type { TrustServer } from '../remote/trust-server.ts';
import { type Collection, updateCollection } from './collection.ts';
import type { CollectionSource } from './collection-source.ts';
import type { KeyRing } from './key-ring.ts';

/** How often a publish that lost a race against another is made again on top of it. */
const MAX_RACES = 5;

/** What a repository is brought up to date from and published to. */
export interface RepositorySource extends Omit<CollectionSource, 'purpose'> {
  readonly server: TrustServer;
}

/** One trust collection, for a person who signs. */
export class Repository {
  private readonly source: RepositorySource;
  readonly keys: KeyRing;

  constructor(source: RepositorySource, keys: KeyRing) {
    this.source = source;
    this.keys = keys;
  }

  /** The trust server's host. */
  get host(): string {
    return this.source.host;
  }

  get gun(): CollectionSource['gun'] {
    return this.source.gun;
  }

  /** The collection as the server has it now; undefined where it was never initialised. */
  async current(): Promise<Collection | undefined> {
    try {
      return await updateCollection({ ...this.source, purpose: 'publish' });
    } catch (error) {
      if (!isSignetError(error, 'trust-data-missing')) throw error;
      await this.refuseIfKnown(error);
      // A repository without a root does not exist; one that misses another file is damaged (protocol G-8).
      if (error.detail.resource !== 'root') throw error;
      return undefined;
    }
  }

  /** The collection for reading; throws `trust-data-missing` where it was never initialised. */
  read(): Promise<Collection> {
    return updateCollection({ ...this.source, purpose: 'read' });
  }

  /**
   * Changes the collection and publishes the change. `edit` may be called again, on newer state, when somebody else
   * published in between: no change of either is lost. Where `edit` changes nothing, nothing is published.
   */
  async publish(edit: (editor: Editor, collection: Collection) => Promise<void> | void): Promise<void> {
    for (let race = 1; ; race++) {
      const collection = await this.current();
      if (collection === undefined) throw new SignetError('trust-data-missing', `${this.gun} has no trust data yet`);
      const editor = Editor.of(collection.set, collection.unusable);
      await edit(editor, collection);
      if (!editor.isDirty) return;
      const files = await editor.sign(this.keys, this.source.now);
      try {
        return await this.source.server.publish(this.gun, files);
      } catch (error) {
        if (race === MAX_RACES || !isSignetError(error, 'publish-conflict')) throw error;
      }
    }
  }

  /**
   * Creates the collection on the server (protocol C.12, with a snapshot key held by the server) with what `edit` adds,
   * in one publish. Its root is pinned here once the server has taken it.
   */
  async initialize(edit: (editor: Editor) => Promise<void> | void): Promise<void> {
    const { server, cache, now } = this.source;
    // The server is asked first: if it cannot be reached, no key has been made for nothing.
    const timestamp = await server.publicKey(this.gun, 'timestamp');
    const snapshot = await server.publicKey(this.gun, 'snapshot');
    const root = await issueRootCertificate(await this.rootKey(), this.gun, now);
    const targets = (await this.targetsKey()).publicKey;
    const editor = Editor.create({ root: [root], targets, snapshot, timestamp });
    await edit(editor);
    const files = await editor.sign(this.keys, now);
    await server.publish(this.gun, files);
    for (const [role, bytes] of files) await cache.write(this.gun, role, bytes);
  }

  /** The person's root key: the first one on disk, else a new one, as docker chooses it. */
  private async rootKey(): Promise<PrivateKey> {
    const ids = (await this.keys.list()).filter(({ role }) => role === 'root').map(({ id }) => id);
    const first = ids.sort()[0];
    const present = first === undefined ? undefined : await this.keys.find(first, 'root');
    return present ?? this.keys.create('root');
  }

  /** The repository key that an earlier attempt to initialise left behind, else a new one. */
  private async targetsKey(): Promise<PrivateKey> {
    const left = (await this.keys.list()).find(({ role, gun }) => role === 'targets' && gun === this.gun);
    const present = left === undefined ? undefined : await this.keys.find(left.id, 'targets');
    return present ?? this.keys.create('targets', this.gun);
  }

  /** A repository that was trusted here and is gone from the server must not quietly be founded anew with other keys. */
  private async refuseIfKnown(cause: SignetError): Promise<void> {
    const known = await this.source.cache.read(this.gun, 'root');
    if (known === undefined) return;
    throw new SignetError(
      'trust-data-lost',
      `the trust server has no data for ${this.gun} any more, though it was trusted here before`,
      {
        cause,
        next: `If it was deleted on purpose, forget it first: remove tuf/${this.gun} from the trust folder.`,
      },
    );
  }
}
