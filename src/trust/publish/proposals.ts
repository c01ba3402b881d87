import type { ProposalStore } from '../../core/edit/proposal-store.ts';
import { isSignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';

/** Proposals in files of this machine (`ProposalFolder`). */
interface LocalProposals extends ProposalStore {
  /** The file of a collection's proposal, whether or not there is one. */
  pathOf(gun: Gun): string;
}

/** Where a proposal waits: with the trust server, or in the file at that path. */
export type ProposalPlace = 'server' | (string & {});

/** Proposals that are kept in one of several places. */
export interface PlacedProposals extends ProposalStore {
  /** Where the collection's proposal is, as of the last `read` or `replace`; `server` if none waits, so no file either. */
  place(gun: Gun): Promise<ProposalPlace>;
}

/**
 * The proposals of a collection wherever they can be: on the trust server, or in a file of this machine if the server
 * keeps none; people then pass the file on. A proposal that is in the file moves to the server as soon as the server
 * takes it. What the server has goes before what the file has.
 */
export class Proposals implements PlacedProposals {
  private readonly remote: ProposalStore;
  private readonly local: LocalProposals;
  private readonly places = new Map<Gun, ProposalPlace>();

  constructor(remote: ProposalStore, local: LocalProposals) {
    this.remote = remote;
    this.local = local;
  }

  async read(gun: Gun): Promise<Buffer | undefined> {
    const shared = await this.remote.read(gun);
    const proposal = shared ?? (await this.local.read(gun));
    this.places.set(gun, shared === undefined && proposal !== undefined ? this.local.pathOf(gun) : 'server');
    return proposal;
  }

  /** Never throws `proposals-unsupported`: the file takes what the server does not. */
  async replace(gun: Gun, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean> {
    if (former === undefined && proposal === undefined) return (await this.read(gun)) === undefined;
    try {
      const replaced = await this.replaceShared(gun, former, proposal);
      this.places.set(gun, 'server');
      return replaced;
    } catch (error) {
      if (!isSignetError(error, 'proposals-unsupported')) throw error;
      const replaced = await this.local.replace(gun, former, proposal);
      this.places.set(gun, replaced && proposal === undefined ? 'server' : this.local.pathOf(gun));
      return replaced;
    }
  }

  async place(gun: Gun): Promise<ProposalPlace> {
    if (!this.places.has(gun)) await this.read(gun);
    return this.places.get(gun) ?? 'server';
  }

  private async replaceShared(gun: Gun, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean> {
    const isLocal = former !== undefined && (await this.local.read(gun))?.equals(former) === true;
    const replaced =
      (await this.remote.replace(gun, former, proposal)) ||
      (isLocal && proposal !== undefined && (await this.remote.replace(gun, undefined, proposal)));
    // The file goes last: a process that is stopped in between leaves the proposal twice, but leaves it.
    if (replaced && isLocal) await this.local.replace(gun, former, undefined);
    return replaced;
  }
}
