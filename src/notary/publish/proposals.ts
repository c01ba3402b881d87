import { parseProposal } from '../../core/edit/proposal.ts';
import { SignetError } from '../../core/errors/index.ts';
import { digestHex, digestOf } from '../../core/names/digest.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Instant } from '../../core/time.ts';
import type { KeptProposal, ServerProposalStore } from '../store/proposal-store.ts';
import type { Logger } from './logger.ts';
import { Refusal } from './refusal.ts';

interface ProposalParts {
  readonly store: ServerProposalStore;
  readonly logger: Logger;
  readonly clock: () => Instant;
}

/**
 * The changes that wait for more signatures, at most one for each GUN (docs/proposals.md). The server only keeps them:
 * whether one is any good is for its signers to say, and for `acceptUpload` once they publish it.
 */
export class ServerProposals {
  private readonly store: ServerProposalStore;
  private readonly logger: Logger;
  private readonly clock: () => Instant;

  constructor({ store, logger, clock }: ProposalParts) {
    this.store = store;
    this.logger = logger;
    this.clock = clock;
  }

  /** Throws a `Refusal`: `metadata-not-found`. */
  async get(gun: Gun): Promise<KeptProposal> {
    const kept = await this.store.read(gun);
    if (kept === undefined) throw new Refusal('metadata-not-found', {});
    return kept;
  }

  /**
   * Replaces the proposal with the SHA-256 `former`; without `former` it adds one if there is none. Throws a `Refusal`:
   * `proposal-invalid`, also for one of another GUN, or `proposal-changed`.
   */
  async put(gun: Gun, former: string | undefined, proposal: Buffer, by: string | undefined): Promise<void> {
    const roles = rolesOf(gun, proposal);
    if (!(await this.replace(gun, former, proposal, by))) return;
    const checksum = digestHex(digestOf(proposal));
    this.logger.info(`proposed a change of ${gun}, checksum ${checksum}`, { gun, publisher: by, roles });
  }

  /** Removes the proposal with the SHA-256 `former`. Throws a `Refusal`: `proposal-changed`. */
  async remove(gun: Gun, former: string, by: string | undefined): Promise<void> {
    if (await this.replace(gun, former, undefined, by)) this.logRemoval(gun, by);
  }

  /** Removes the GUN's proposal, whatever it is. */
  async clear(gun: Gun, by: string | undefined): Promise<void> {
    if (await this.store.remove(gun)) this.logRemoval(gun, by);
  }

  /** Whether this changed anything. A request that is repeated finds its work done, and that is well (RFC 9110, 13.1.1). */
  private async replace(
    gun: Gun,
    former: string | undefined,
    proposal: Buffer | undefined,
    by: string | undefined,
  ): Promise<boolean> {
    const result = await this.store.replace({ gun, former, proposal, by, at: this.clock() });
    if (result === 'refused') throw new Refusal('proposal-changed');
    return result === 'replaced';
  }

  private logRemoval(gun: Gun, by: string | undefined): void {
    this.logger.info(`removed the proposed change of ${gun}`, { gun, publisher: by });
  }
}

function rolesOf(gun: Gun, text: Buffer): string {
  try {
    const proposal = parseProposal(text);
    if (proposal.gun !== gun) throw new SignetError('proposal-invalid', 'the proposal is for another repository');
    return [...proposal.files.keys()].join(', ');
  } catch (cause) {
    if (cause instanceof SignetError) throw new Refusal('proposal-invalid', cause.message, cause);
    throw cause;
  }
}
