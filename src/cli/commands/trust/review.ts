import { SignetError } from '../../../core/errors/index.ts';
import type { Gun } from '../../../core/names/gun.ts';
import { countSignatures } from '../../../trust/keys/signatories.ts';
import type { WaitingProposal } from '../../../trust/publish/waiting-proposal.ts';
import { type Difference, describeProposal } from '../../../trust/report/describe.ts';
import type { Flag } from '../../line/declaration.ts';
import { countLines } from '../../wording/pending.ts';

/** The flag that answers the second question. No other flag does. */
export const ACCEPT_UNUSUAL: Flag = {
  name: 'accept-unusual',
  type: 'switch',
  about: 'Sign also a version that skips others, and an expiry outside the lifetime of its role; --yes does not',
};

/** Shows a proposal to the user and asks about it. */
interface Reviewer {
  readonly isInteractive: boolean;
  print(text: string): void;
  confirm(question: string, flag?: string): Promise<boolean>;
}

/** Answers given on the command line. */
interface Answers {
  readonly yes?: boolean;
  readonly acceptUnusual?: boolean;
}

/**
 * Shows everything in a pending proposal, and asks whether to sign it. Anything unusual gets a second question, which
 * `--yes` does not answer. Throws `confirmation-missing` if no one can be asked.
 */
export async function reviewProposal(
  session: Reviewer,
  gun: Gun,
  waiting: WaitingProposal,
  { yes = false, acceptUnusual = false }: Answers,
): Promise<boolean> {
  session.print(`To be signed in ${gun}:\n${proposalText(waiting)}`);
  if (waiting.unusual.length > 0) {
    session.print(unusualText(waiting));
    if (!acceptUnusual) {
      refuseUnasked(session.isInteractive, waiting);
      if (!(await session.confirm('Sign it although it is unusual?', `--${ACCEPT_UNUSUAL.name}`))) return false;
    }
  }
  return yes || (await session.confirm('Sign this change?'));
}

/** Describes the changes of a pending proposal, and its signatures. */
export function proposalText({ collection, files }: WaitingProposal): string {
  const changes = describeProposal(collection, files).map(({ role, edition, differences }) => {
    const same = differences.length === 0 ? '    signed again as it is\n' : '';
    return `  ${role}\n${same}${differenceLines(differences)}${differenceLines(edition)}`;
  });
  return `${changes.join('')}Signatures:\n${countLines(countSignatures(collection.set, files))}`;
}

/** Describes what is unusual about a pending proposal. Empty if nothing is. */
export function unusualText({ unusual }: WaitingProposal): string {
  return unusual.map((line) => `Unusual: ${line}\n`).join('');
}

/** Formats differences, one indented line each. */
export function differenceLines(differences: readonly Difference[]): string {
  return differences.map(({ sign, text }) => `    ${sign} ${text}\n`).join('');
}

function refuseUnasked(isInteractive: boolean, { unusual }: WaitingProposal): void {
  if (isInteractive) return;
  throw new SignetError('confirmation-missing', `no one can be asked whether to sign it: ${unusual.join('; ')}`, {
    next: `If it is meant to be so, say it on the command line: --${ACCEPT_UNUSUAL.name}`,
  });
}
