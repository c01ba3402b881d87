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

/** Who is shown a proposal and asked about it. */
interface Reviewer {
  readonly isInteractive: boolean;
  print(text: string): void;
  confirm(question: string, flag?: string): Promise<boolean>;
}

/** What the command line has answered already. */
interface Answers {
  readonly yes?: boolean;
  readonly acceptUnusual?: boolean;
}

/**
 * Shows all that a waiting proposal says, and asks whether to sign it; what is unusual about it is a question of its own,
 * to which `--yes` is no answer. Throws `confirmation-missing` where nobody can be asked.
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

/** What a waiting proposal would change, and the signatures it has. */
export function proposalText({ collection, files }: WaitingProposal): string {
  const changes = describeProposal(collection, files).map(({ role, edition, differences }) => {
    const same = differences.length === 0 ? '    signed again as it is\n' : '';
    return `  ${role}\n${same}${differenceLines(differences)}${differenceLines(edition)}`;
  });
  return `${changes.join('')}Signatures:\n${countLines(countSignatures(collection.set, files))}`;
}

/** What is unusual about a waiting proposal; empty where nothing is. */
export function unusualText({ unusual }: WaitingProposal): string {
  return unusual.map((line) => `Unusual: ${line}\n`).join('');
}

export function differenceLines(differences: readonly Difference[]): string {
  return differences.map(({ sign, text }) => `    ${sign} ${text}\n`).join('');
}

function refuseUnasked(isInteractive: boolean, { unusual }: WaitingProposal): void {
  if (isInteractive) return;
  throw new SignetError('confirmation-missing', `no one can be asked whether to sign it: ${unusual.join('; ')}`, {
    next: `If it is meant to be so, say it on the command line: --${ACCEPT_UNUSUAL.name}`,
  });
}
