import { isatty } from 'node:tty';
import type { ApproveProposal } from '../trust/publish/repository-source.ts';
import { printOut } from './terminal/output.ts';

const STDIN = 0;

/**
 * Shows the person at the terminal what others have proposed where a command is about to sign or to complete it, and
 * asks. Undefined where there is no terminal to ask at: then such a change is left to `signet trust approve`.
 */
export function proposalApproval(): ApproveProposal | undefined {
  if (!isatty(STDIN)) return undefined;
  return async (gun, waiting) => {
    const [{ reviewProposal }, { answerOf }, { askLine }] = await Promise.all([
      import('./commands/trust/review.ts'),
      import('./terminal/answer.ts'),
      import('./terminal/prompt.ts'),
    ]);
    printOut(`A change of ${gun} waits for signatures, and this command would sign it.\n`);
    const confirm = (question: string, flag = '--yes') => answerOf(() => askLine(`${question} [y/N] `), flag);
    return reviewProposal({ isInteractive: true, print: printOut, confirm }, gun, waiting, {});
  };
}
