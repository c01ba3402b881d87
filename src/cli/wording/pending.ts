import { SignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import { countSignatures, type Signatory, type SignatureCount } from '../../trust/keys/signatories.ts';
import type { ProposalPlace } from '../../trust/publish/proposals.ts';
import type { Publication } from '../../trust/publish/publication.ts';
import type { Repository } from '../../trust/publish/repository.ts';

/** The exit code of every command whose change is signed but needs more signatures to take effect. */
export const PENDING = 1;

/** The manual's entry for this exit code. */
export const PENDING_EXIT: readonly (readonly [code: number, meaning: string])[] = [
  [PENDING, 'It failed; or it is signed, and not in force before others have signed it as well.'],
];

/**
 * Requires a publication that has taken effect. One that still needs signatures is an error here: docker's output and
 * exit code 0 promise scripts that the change is made. Throws `signatures-pending`.
 */
export function inForce(repository: Repository, publication: Publication): void {
  if (publication.kind !== 'waiting') return;
  const counts = countSignatures(publication.collection.set, publication.files);
  const lacking = counts.filter((count) => count.signed.length < count.threshold);
  throw new SignetError('signatures-pending', `signed, but not in force yet: ${lacking.map(shortCount).join('; ')}`, {
    detail: { roles: lacking.map(({ role }) => role) },
    exitCode: PENDING,
    next: othersStep(repository.gun, publication.place),
  });
}

/** The next step for other signers of a change that waits in this place. */
export function othersStep(gun: Gun, place: ProposalPlace): string {
  if (place === 'server') return `Others sign it with: signet trust approve ${gun}`;
  return `The trust server keeps no proposals. Pass this file on: ${place}\nOthers sign it with: signet trust approve --file FILE ${gun}`;
}

/** How many of the required signatures a pending change has, one line per group of signers. */
export function countLines(counts: readonly SignatureCount[]): string {
  return counts.map((count) => `  ${longCount(count)}\n`).join('');
}

function shortCount({ role, as, signed, threshold }: SignatureCount): string {
  return `${as ?? role} has ${signed.length} of ${threshold} signatures`;
}

function longCount(count: SignatureCount): string {
  const { role, as, signed, threshold, lacking } = count;
  const title = as === undefined ? role : `${role}, as the ${as}`;
  const given = signed.length === 0 ? 'no one has signed' : `signed by ${signatoryNames(signed)}`;
  const needed = threshold - signed.length;
  const open = needed <= 0 ? '' : `; needs ${needed} more of ${signatoryNames(lacking)}`;
  return `${title}: ${signed.length} of ${threshold}, ${given}${open}`;
}

/** People by their names, and keys without a known name by the start of their IDs. */
export function signatoryNames(signatories: readonly Signatory[]): string {
  return signatories.map(({ name, id }) => (name === '' ? id.slice(0, 12) : `${name} (${id.slice(0, 7)})`)).join(', ');
}
