import type { Gun } from '../names/gun.ts';

/** Where the one proposal of a collection waits for signatures (`formatProposal`). What is read from it proves nothing. */
export interface ProposalStore {
  /** Undefined if none waits. */
  read(gun: Gun): Promise<Buffer | undefined>;
  /**
   * Puts `proposal`, or nothing, in the place of `former`, as `read` gave it. Returns false, and changes nothing, if
   * something else stands there by now. Throws `proposals-unsupported` if the place cannot keep any.
   */
  replace(gun: Gun, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean>;
}
