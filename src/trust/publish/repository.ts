import { Editor } from '../../core/edit/editor.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { readTargets } from '../../core/metadata/targets.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { EXPIRY_NOTICE } from '../../core/verify/expiry-warnings.ts';
import { canonicalKeyIds } from '../../core/verify/signers.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { countHere } from '../keys/signer-roles.ts';
import { type Collection, inspectExpired, updateCollection } from '../update/collection.ts';
import type { CollectionSource } from '../update/collection-source.ts';
import { explainingMirror } from '../update/stale-mirror.ts';
import { type CreateOptions, createCollection, signFirst, unpublished } from './create.ts';
import { type Publication, Publisher } from './publication.ts';
import type { RepositorySource } from './repository-source.ts';
import { send } from './send.ts';
import type { WaitingProposal } from './waiting-proposal.ts';

/** How often a publish that lost a race against another is made again on top of it. Of all that race, one wins each time. */
const MAX_RACES = 40;
/** Milliseconds: the first pause is at most so long, and none is longer than the last. */
const [FIRST_PAUSE, LAST_PAUSE] = [50, 2000];

/** A change to a collection; may be made again on newer state. */
type Edit = (editor: Editor, collection: Collection) => Promise<void> | void;

/** Whether a root that expires then is signed again with anything that is published now. */
export function isRenewedBy(expires: Instant, now: Instant): boolean {
  return expires < now + EXPIRY_NOTICE;
}

/**
 * One trust collection, for a person who signs. `TrustClient.repository` opens it.
 *
 * @example
 * ```ts
 * import { parseReference } from 'signet';
 *
 * const app = client.repository(parseReference('registry.example.com/team/app'), ['pull', 'push']);
 * const { kind } = await app.publish((editor) => editor.witness('targets'));
 * assert.equal(kind, 'published');
 * ```
 */
export class Repository {
  readonly source: RepositorySource;
  readonly keys: KeyRing;
  private readonly publisher: Publisher;

  constructor(source: RepositorySource, keys: KeyRing) {
    this.source = source;
    this.keys = keys;
    this.publisher = new Publisher(source, keys);
  }

  /** The trust server's host. */
  get host(): string {
    return this.source.host;
  }

  get gun(): CollectionSource['gun'] {
    return this.source.gun;
  }

  /** The collection as the server has it now; undefined if it was never published. Throws `trust-data-lost`. */
  current(): Promise<Collection | undefined> {
    return this.unlessMissing(updateCollection({ ...this.source, purpose: 'publish' }));
  }

  /** `current`, which has to be there. Throws `trust-data-missing`, with the step that changes that. */
  async present(): Promise<Collection> {
    return (await this.current()) ?? this.refuseMissing();
  }

  /** The collection for reading; throws `trust-data-missing` if it was never initialised. */
  async read(): Promise<Collection> {
    try {
      return await updateCollection({ ...this.source, purpose: 'read' });
    } catch (error) {
      throw await explainingMirror(error, this.source);
    }
  }

  /** The collection with all that has expired in it, to show and to fix. Nothing of it may be trusted. */
  inspect(): Promise<Collection> {
    return inspectExpired({ ...this.source, purpose: 'read' });
  }

  /**
   * Changes the collection and publishes the change. `edit` may be called again, on newer state, when someone else
   * published in between: no change of either is lost. If `edit` changes nothing, nothing is published; if the
   * keys here are fewer than a role's threshold, the change waits for the others (`Publication`).
   */
  publish(edit: Edit): Promise<Publication> {
    return this.change(() => this.current(), edit);
  }

  /** `publish` on top of a collection of which parts may have expired: `edit` has to sign those again. */
  repair(edit: Edit): Promise<Publication> {
    return this.change(() => this.unlessMissing(inspectExpired({ ...this.source, purpose: 'publish' })), edit);
  }

  /**
   * Creates the collection on the server (protocol C.12) with what `edit` adds, in one publish; goes on with one that
   * was prepared here. Its root is pinned here once the server has taken it. Throws `root-pin-mismatch` if the
   * person's own pins do not admit the root, and `trust-data-exists` if someone else was faster. If it fails before the
   * server may have taken it, no key stays that was made for it.
   */
  async initialize(edit: (editor: Editor) => Promise<void> | void, options: CreateOptions = {}): Promise<void> {
    const lock = await this.source.creationLock?.hold(this.source.warn);
    try {
      if (lock?.waited === true && (await this.current()) !== undefined) throw this.alreadyCreated();
      await this.create(edit, options);
    } finally {
      lock?.release();
    }
  }

  /**
   * Prepares the collection here, for a first publish later, as Notary's `init` does. If it fails, no key stays that was
   * made for it.
   */
  async prepare(options: CreateOptions): Promise<void> {
    const work = async () => signFirst(this.source, this.keys, await createCollection(this.source, this.keys, options));
    await this.keep(await this.keys.undoing(work, (error) => this.tellUndone(error)));
  }

  /** The proposal that waits for signatures; undefined if none does. Throws `proposal-stale`, `proposal-invalid`. */
  async proposal(): Promise<WaitingProposal | undefined> {
    const collection = await this.current();
    return collection === undefined ? undefined : this.publisher.waiting(collection);
  }

  /** `proposal`, of a collection that was loaded already. */
  waiting(collection: Collection): Promise<WaitingProposal | undefined> {
    return this.publisher.waiting(collection);
  }

  /** A proposal that someone passed on as a file, to be looked at and approved. Throws as `Publisher.adopt`. */
  async adopt(text: Buffer): Promise<WaitingProposal> {
    return this.publisher.adopt(await this.present(), text);
  }

  /**
   * Signs a proposal as it was shown, and publishes it once every threshold is met. Throws `proposal-unusual` unless what
   * is unusual about it was accepted.
   */
  approve(waiting: WaitingProposal, isUnusualAccepted = false): Promise<Publication> {
    return this.publisher.approve(waiting, isUnusualAccepted);
  }

  /** Drops the proposal that waits. Returns whether there was one. */
  discard(): Promise<boolean> {
    return this.publisher.discard();
  }

  /** Forgets the collection here: what was trusted of it, and with it the pin of its root. Keys stay. */
  forget(): Promise<void> {
    return this.source.cache.remove(this.gun);
  }

  private async create(edit: (editor: Editor) => Promise<void> | void, options: CreateOptions): Promise<void> {
    const work = async () => {
      const editor = (await unpublished(this.source)) ?? (await createCollection(this.source, this.keys, options));
      await edit(editor);
      const files = await signFirst(this.source, this.keys, editor);
      await send(this.source, this.keys, files);
      await this.keep(files);
    };
    try {
      await this.keys.undoing(work, (error) => this.tellUndone(error));
    } catch (error) {
      throw isSignetError(error, 'publish-conflict') ? this.alreadyCreated(error) : error;
    }
  }

  private tellUndone(error: unknown): void {
    if (isSignetError(error, 'publish-conflict')) return;
    this.source.warn(`${this.gun} is not founded, and the keys that were made for it are removed again`);
  }

  private alreadyCreated(cause?: SignetError): SignetError {
    return new SignetError('trust-data-exists', `somebody else has just founded ${this.gun}`, {
      cause,
      next: 'Run the command again.',
    });
  }

  private async change(load: () => Promise<Collection | undefined>, edit: Edit): Promise<Publication> {
    for (let race = 1; ; race++) {
      const collection = (await load()) ?? (await this.refuseMissing());
      const editor = Editor.of(collection.set, collection.unusable);
      await edit(editor, collection);
      if (!editor.isDirty) return { kind: 'unchanged' };
      await this.recallVersions(editor, collection);
      await this.renewRoot(editor, collection);
      try {
        return await this.publisher.offer(collection, editor);
      } catch (error) {
        if (!isSignetError(error, 'publish-conflict')) throw error;
        if (race === MAX_RACES) throw givenUp(error);
      }
      await this.pause(race);
    }
  }

  /** Waits a random time, longer after each race, so that processes that lost together do not race again. */
  private async pause(race: number): Promise<void> {
    const milliseconds = Math.random() * Math.min(FIRST_PAUSE * 2 ** race, LAST_PAUSE);
    const { sleep = (time: number) => new Promise<void>((wake) => setTimeout(wake, time)) } = this.source;
    await sleep(milliseconds);
  }

  /** A role that existed before goes on with its versions: the server takes none of them twice. */
  private async recallVersions(editor: Editor, { set }: Collection): Promise<void> {
    for (const role of editor.forgottenRoles()) {
      const sha256 = set.promised(role)?.hashes.get('sha256')?.toString('hex');
      if (sha256 === undefined) continue;
      const bytes = await this.source.server.read(this.gun, { role, sha256 }, LIMITS.metadata);
      editor.continueAfter(role, readTargets(role, parseEnvelope(role, bytes).signed).version);
    }
  }

  /** A root that nears its expiry is signed again with anything that is published (protocol C.11 step 4), if its key is here. */
  private async renewRoot(editor: Editor, { set }: Collection): Promise<void> {
    if (!isRenewedBy(set.root.root.expires.at, this.source.now)) return;
    const ids = canonicalKeyIds(set.signersOf('root'));
    if ((await countHere(this.keys, ids)) > 0) editor.witnessRoot();
  }

  private async refuseMissing(): Promise<never> {
    const { gun } = this;
    const isPrepared = (await unpublished(this.source)) !== undefined;
    throw new SignetError(
      'trust-data-missing',
      isPrepared ? `${gun} is prepared here, and not published yet` : `${gun} has no trust data yet`,
      { next: isPrepared ? `Publish it: signet trust publish ${gun}` : `Found it: signet trust init ${gun}` },
    );
  }

  private async unlessMissing(loading: Promise<Collection>): Promise<Collection | undefined> {
    try {
      return await loading;
    } catch (error) {
      if (!isSignetError(error, 'trust-data-missing')) throw error;
      // A repository without a root does not exist; one that misses another file is damaged (protocol G-8).
      if (error.detail.resource !== 'root' && (await this.hasRoot())) throw error;
      await this.refuseIfKnown(error);
      return undefined;
    }
  }

  /** Whether the server has a root. If one was only prepared here, nothing before has asked for it. */
  private async hasRoot(): Promise<boolean> {
    try {
      await this.source.server.read(this.gun, { role: 'root' }, LIMITS.metadata);
      return true;
    } catch (error) {
      if (!isSignetError(error, 'trust-data-missing')) throw error;
      return false;
    }
  }

  /** A repository that was trusted here and is gone from the server must not quietly be created again with other keys. */
  private async refuseIfKnown(cause: SignetError): Promise<void> {
    const known = await this.source.cache.read(this.gun, 'root');
    if (known === undefined || (await unpublished(this.source)) !== undefined) return;
    throw new SignetError(
      'trust-data-lost',
      `the trust server has no data for ${this.gun} any more, though it was trusted here before`,
      {
        cause,
        next: `If it was deleted on purpose, forget it first: signet trust delete ${this.gun}\nIf the server lost it, its owner publishes it again: signet trust publish ${this.gun}`,
      },
    );
  }

  private async keep(files: ReadonlyMap<RoleName, Buffer>): Promise<void> {
    for (const [role, bytes] of files) await this.source.cache.write(this.gun, role, bytes);
  }
}

function givenUp(error: SignetError): SignetError {
  return error.reworded(`others have published ${MAX_RACES} times in between: ${error.message}`, {
    next: 'Nothing has changed. Run the command again when fewer people publish at the same time.',
  });
}
