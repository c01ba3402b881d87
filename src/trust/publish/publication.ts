import { type Edition, signSnapshot } from '../../core/edit/edition.ts';
import type { Editor } from '../../core/edit/editor.ts';
import { checkOwnRoot } from '../../core/edit/own-root.ts';
import {
  countersign,
  examineProposal,
  formatProposal,
  joinProposal,
  mergeCopies,
  type Proposal,
  type ProposedFile,
  parseProposal,
  rightlySigned,
  type Standing,
} from '../../core/edit/proposal.ts';
import type { SigningKeys } from '../../core/edit/signing.ts';
import { unusualIn } from '../../core/edit/unusual.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { readRoot } from '../../core/metadata/root.ts';
import type { RoleName } from '../../core/names/role.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Collection } from '../update/collection.ts';
import type { ProposalPlace } from './proposals.ts';
import type { RepositorySource } from './repository-source.ts';
import { send } from './send.ts';
import type { WaitingProposal } from './waiting-proposal.ts';

/**
 * The result of a change: nothing to do, published, or waiting for the signatures of others.
 *
 * @example
 * ```ts
 * import { type Publication, signImages } from 'signet';
 *
 * const { digest, size } = await client.manifest(image);
 * const publication: Publication = await signImages(repository, [{ tag: '1.2', digest, size }]);
 * if (publication.kind === 'waiting') console.log('others have to sign: signet trust approve');
 * else assert.equal(publication.kind, 'published');
 * ```
 */
export type Publication =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'published' }
  /** It waits for more signatures; nothing has changed for anyone. */
  | {
      readonly kind: 'waiting';
      readonly files: readonly ProposedFile[];
      readonly collection: Collection;
      /** Where it waits: on the trust server, or in a file that has to be passed on. */
      readonly place: ProposalPlace;
    };

type PublisherKeys = SigningKeys & Pick<KeyRing, 'keepMade' | 'has'>;

/** Publishes what is signed enough, and keeps what is not where others can sign it (thresholds above one). */
export class Publisher {
  private readonly source: RepositorySource;
  private readonly keys: PublisherKeys;

  constructor(source: RepositorySource, keys: PublisherKeys) {
    this.source = source;
    this.keys = keys;
  }

  /** Publishes an editor's changes, or proposes them. Throws `publish-conflict` if someone else was faster. */
  async offer(collection: Collection, editor: Editor): Promise<Publication> {
    const edition = await editor.edition(this.keys, this.source.now);
    if (edition.files.has('root')) await this.checkRoot(collection);
    if (edition.incomplete.size > 0) return this.propose(collection, edition);
    await send(this.source, this.keys, await editor.withSnapshot(edition.files, this.keys, this.source.now));
    return { kind: 'published' };
  }

  /** The proposal that waits; undefined if none does. Throws `proposal-stale` or `proposal-invalid`. */
  async waiting(collection: Collection): Promise<WaitingProposal | undefined> {
    const text = await this.source.proposals.read(this.source.gun);
    if (text === undefined) return undefined;
    const proposal = this.parse(text);
    return { ...this.examined(collection, proposal), stored: text, isGain: false };
  }

  /**
   * A proposal that was passed on, with the signatures of the copy that waits already; nothing is kept of it before it is
   * approved. Throws `proposal-conflict` if another one waits, `proposal-stale` or `proposal-invalid`.
   */
  async adopt(collection: Collection, text: Buffer): Promise<WaitingProposal> {
    const { gun, proposals } = this.source;
    const read = this.parse(text);
    const passedOn = rightlySigned(read, examine(collection, read));
    const present = await this.usableProposal(collection);
    const kept = present && rightlySigned(present.proposal, present.files);
    const proposal = kept === undefined ? passedOn : mergeCopies(passedOn, kept);
    if (proposal === undefined) {
      throw new SignetError('proposal-conflict', `another change of ${gun} waits for signatures`, { detail: { gun } });
    }
    return {
      ...this.examined(collection, proposal),
      stored: present?.stored ?? (await proposals.read(gun)),
      isGain: kept !== undefined && isSignedFurther(kept, proposal),
    };
  }

  /**
   * Signs a waiting proposal with the keys that are here, and publishes it once that is enough. Throws
   * `signing-key-missing` if no key here has anything to sign in it, `proposal-stale`, and `proposal-unusual` unless
   * what is unusual about it was accepted.
   */
  async approve(waiting: WaitingProposal, isUnusualAccepted: boolean): Promise<Publication> {
    const { collection, proposal, files, unusual, stored, isGain } = waiting;
    if (unusual.length > 0 && !isUnusualAccepted) throw new SignetError('proposal-unusual', unusual.join('; '));
    if (proposal.files.has('root')) await this.checkRoot(collection);
    const signed = await countersign(proposal, files, this.keys);
    if (!isGain && !isSignedFurther(proposal, signed) && files.some(({ shortfall }) => shortfall !== undefined)) {
      throw new SignetError('signing-key-missing', 'no key here can add a signature to the proposal');
    }
    return this.settle(collection, signed, stored);
  }

  /** Drops a waiting proposal, whatever it is. Returns whether there was one. */
  async discard(): Promise<boolean> {
    const { gun, proposals } = this.source;
    for (;;) {
      const text = await proposals.read(gun);
      if (text === undefined) return false;
      if (await proposals.replace(gun, text, undefined)) return true;
    }
  }

  /** Throws `root-unconfirmed` before anything that follows a root of someone else's leaves this machine. */
  private checkRoot({ set }: Collection): Promise<void> {
    return checkOwnRoot(set.root, this.source.pinning, (id) => this.keys.has(id));
  }

  private parse(text: Buffer): Proposal {
    const proposal = parseProposal(text);
    if (proposal.gun === this.source.gun) return proposal;
    throw new SignetError('proposal-invalid', `the proposal is one for ${proposal.gun}`);
  }

  private async propose(collection: Collection, edition: Edition): Promise<Publication> {
    const present = await this.usableProposal(collection);
    const own: Proposal = { gun: this.source.gun, files: edition.files };
    if (present === undefined) return this.settle(collection, own, await this.source.proposals.read(own.gun));
    const { proposal, same } = joinProposal(present.proposal, edition);
    const files = examine(collection, proposal);
    if (proposal.files.has('root')) await this.checkRoot(collection);
    const signed = await countersign(proposal, files, this.keys, same);
    const isComplete = examine(collection, signed).every(({ shortfall }) => shortfall === undefined);
    if (isComplete || isSignedFurther(proposal, signed))
      await this.approveOthers({ ...present, ...this.examined(collection, proposal) });
    return this.settle(collection, signed, present.stored);
  }

  /**
   * What someone else has proposed says more than the change that was asked for here: versions, expiries, other roles.
   * It is neither signed nor published by the way. Throws `proposal-unseen` if there is no one to ask, or the answer is no.
   */
  private async approveOthers(waiting: WaitingProposal): Promise<void> {
    const { gun, approveProposal } = this.source;
    const isApproved = await approveProposal?.(gun, waiting);
    if (isApproved === true) return;
    const why = isApproved === undefined ? ', and no one can be asked whether to sign it' : '';
    throw new SignetError('proposal-unseen', `a change of ${gun} that others have signed waits already${why}`, {
      next: `Look at it and sign it: signet trust approve ${gun}\nOr drop it: signet trust discard ${gun}`,
    });
  }

  private examined(
    collection: Collection,
    proposal: Proposal,
  ): Pick<WaitingProposal, 'collection' | 'proposal' | 'files' | 'unusual'> {
    const files = examine(collection, proposal);
    return { collection, proposal, files, unusual: unusualIn(files, standingOf(collection), this.source.now) };
  }

  /** A proposal that nothing can come of any more is not in the way of another. */
  private async usableProposal(collection: Collection): Promise<WaitingProposal | undefined> {
    try {
      return await this.waiting(collection);
    } catch (error) {
      if (isSignetError(error, 'proposal-stale', 'proposal-invalid', 'role-unknown')) return undefined;
      throw error;
    }
  }

  private async settle(collection: Collection, proposal: Proposal, former: Buffer | undefined): Promise<Publication> {
    const { gun, proposals } = this.source;
    const files = examine(collection, proposal);
    const isComplete = files.every(({ shortfall }) => shortfall === undefined);
    if (isComplete) await this.publishAll(collection, proposal.files);
    const waiting = isComplete ? undefined : formatProposal(proposal);
    // What waits names the keys that were made for it, and it may wait even if this fails.
    const isReplaced = await proposals.replace(gun, former, waiting).catch((error: unknown) => {
      this.keys.keepMade();
      throw error;
    });
    if (isReplaced) this.keys.keepMade();
    if (!isReplaced && !isComplete) {
      throw new SignetError('publish-conflict', 'somebody else signed the proposal at the same time');
    }
    if (isComplete) return { kind: 'published' };
    return { kind: 'waiting', files, collection, place: await proposals.place(gun) };
  }

  private async publishAll({ set }: Collection, files: ReadonlyMap<RoleName, Buffer>): Promise<void> {
    const { gun, now } = this.source;
    const newRoot = files.get('root');
    const root = newRoot === undefined ? set.root.root : readRoot(parseEnvelope('root', newRoot).signed);
    const snapshot = await signSnapshot(root, set.snapshot.payload, files, this.keys, now);
    try {
      await send(this.source, this.keys, snapshot === undefined ? files : new Map([...files, ['snapshot', snapshot]]));
    } catch (cause) {
      if (!isSignetError(cause, 'publish-rejected') || cause.detail.name !== 'ErrBadHierarchy') throw cause;
      throw new SignetError('signing-key-missing', 'all have signed, and the key of the snapshot is not here', {
        cause,
        next: `Whoever has it gives the last approval: signet trust approve ${gun}`,
      });
    }
  }
}

function examine(collection: Collection, proposal: Proposal): readonly ProposedFile[] {
  return examineProposal(proposal, standingOf(collection));
}

function standingOf({ set, unusable }: Collection): Standing {
  return {
    root: set.root.root,
    payloadOf: (role) => set.targets.get(role)?.payload,
    versionOf: (role) => {
      if (role === 'root') return set.root.root.version;
      if (role === 'snapshot' || role === 'timestamp') return 0;
      return (set.targets.get(role) ?? unusable.get(role))?.payload.version ?? 0;
    },
  };
}

function isSignedFurther(before: Proposal, after: Proposal): boolean {
  const count = (role: RoleName, bytes: Buffer) => parseEnvelope(role, bytes).signatures.length;
  return [...after.files].some(([role, bytes]) => count(role, bytes) > count(role, before.files.get(role) ?? bytes));
}
