import { join } from 'node:path';
import type { ProposalStore } from '../core/edit/proposal-store.ts';
import { isSignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import type { Gun } from '../core/names/gun.ts';
import { ContainedFolder, type Path } from './contained-folder.ts';
import { collectionPath } from './trust-folder.ts';

/** Number of attempts while another process holds the lock, and milliseconds between them. */
const ATTEMPTS = 200;
const PAUSE = 25;

/** Proposals in the trust folder, next to the cached metadata: `<base>/tuf/<GUN>/proposal.json` (docs/proposals.md). */
export class ProposalFolder implements ProposalStore {
  private readonly folder: ContainedFolder;

  /** `base` as for `MetadataFolder`. */
  constructor(base: string) {
    this.folder = new ContainedFolder(base);
  }

  /** The path of a collection's proposal, whether or not it exists. */
  pathOf(gun: Gun): string {
    return join(this.folder.base, ...proposalPath(gun));
  }

  /** Throws `file-unsafe`, `file-unreadable` or `too-large`. */
  async read(gun: Gun): Promise<Buffer | undefined> {
    return this.folder.read(proposalPath(gun), LIMITS.upload);
  }

  /** Throws the errors of `exchangeFile`; `file-locked` if the other process does not finish within seconds. */
  async replace(gun: Gun, former: Buffer | undefined, proposal: Buffer | undefined): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return this.folder.exchange(proposalPath(gun), { former, next: proposal, limit: LIMITS.upload });
      } catch (error) {
        if (attempt === ATTEMPTS || !isSignetError(error, 'file-locked')) throw error;
      }
      await new Promise((wake) => setTimeout(wake, PAUSE));
    }
  }
}

function proposalPath(gun: Gun): Path {
  return [...collectionPath(gun), 'proposal.json'];
}
