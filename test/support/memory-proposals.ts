import type { Gun } from '../../src/core/names/gun.ts';
import type { PlacedProposals, ProposalPlace } from '../../src/trust/publish/proposals.ts';

/** An in-memory store of proposals. */
export class MemoryProposals implements PlacedProposals {
  private readonly kept = new Map<Gun, Buffer>();

  async read(gun: Gun): Promise<Buffer | undefined> {
    return this.kept.get(gun);
  }

  async place(): Promise<ProposalPlace> {
    return 'server';
  }

  async replace(gun: Gun, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean> {
    const present = this.kept.get(gun);
    if (present === undefined ? former !== undefined : former === undefined || !present.equals(former)) return false;
    if (proposal === undefined) this.kept.delete(gun);
    else this.kept.set(gun, proposal);
    return true;
  }
}
