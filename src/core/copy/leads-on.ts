import { SignetError } from '../errors/index.ts';
import type { TrustedRoot } from '../verify/root-trust.ts';
import { checkVersion } from '../verify/verify.ts';
import type { VerifiedCopy } from './verify-copy.ts';

/** How far a mirror has come with a collection: its newest root, and the version of its timestamp. */
export interface Lineage {
  readonly root: TrustedRoot;
  readonly timestamp: number;
}

/** What later copies of the same repository must lead on from. */
export function lineageOf({ set }: VerifiedCopy): Lineage {
  return { root: set.root, timestamp: set.timestamp.payload.version };
}

/**
 * Refuses a copy that is older than what the mirror has had, or whose roots do not lead on from that: clients that know
 * the mirrored one could not follow. Throws `version-rollback` or `root-rotation-invalid`.
 */
export function checkLeadsOn(before: Lineage, next: VerifiedCopy): void {
  const { gun, root, envelope } = before.root;
  const same = next.roots.find(({ root: { version } }) => version === root.version);
  checkVersion('root', next.set.root.root.version, root.version);
  if (!same?.envelope.bytes.equals(envelope.bytes)) {
    throw new SignetError('root-rotation-invalid', `its roots do not come from the one that the mirror has of ${gun}`, {
      detail: { version: root.version },
    });
  }
  checkVersion('timestamp', next.set.timestamp.payload.version, before.timestamp);
}
