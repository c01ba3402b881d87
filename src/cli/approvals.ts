import { isatty } from 'node:tty';
import { printable } from '../core/printable.ts';
import { formatTime, type Instant } from '../core/time.ts';
import type { ApproveProposal } from '../trust/publish/repository-source.ts';
import type { ApproveFirstRoot, FirstRoot, FirstRootKey } from '../trust/update/first-root.ts';
import { printErr, printOut } from './terminal/output.ts';

const STDIN = 0;
const STDERR = 2;
/** Root keys shown at most. A longer list would push everything else off the screen. */
const MAX_KEYS = 8;

/**
 * Returns a function that asks the user whether to trust a root key on first use. The question goes to standard error,
 * as standard output may be a pipe. Undefined if there is no terminal to ask on.
 */
export function firstRootApproval(): ApproveFirstRoot | undefined {
  if (!isatty(STDIN) || !isatty(STDERR)) return undefined;
  const answers = new Map<string, Promise<boolean>>();
  // Images of one command are resolved concurrently: ask one question at a time, none twice, and none after Ctrl-C.
  let last: Promise<unknown> = Promise.resolve();
  return (root) => {
    const text = question(root);
    const answer = answers.get(text) ?? last.then(() => ask(text));
    answers.set(text, answer);
    last = answer;
    return answer;
  };
}

async function ask(text: string): Promise<boolean> {
  const { confirm } = await import('./terminal/prompt.ts');
  printErr(text);
  return confirm('Trust this root key?', printErr);
}

function question({ gun, server, keys }: FirstRoot): string {
  const lines = [
    `${gun} was never used here, and no root key is pinned for it.`,
    `  Repository:    ${gun}`,
    `  Trust server:  ${printable(server, 300)}`,
    ...keys.slice(0, MAX_KEYS).flatMap(keyLines),
    ...(keys.length > MAX_KEYS ? [`  and ${keys.length - MAX_KEYS} more`] : []),
    'Compare the key with what its owner says, in some other way than through this server.',
  ];
  return `${lines.join('\n')}\n`;
}

function keyLines({ id, canonicalId, commonName, notBefore, notAfter }: FirstRootKey): string[] {
  return [
    `  Root key:      ${canonicalId}`,
    `    listed as:   ${id}`,
    `    certificate: ${printable(commonName, 300)}, valid from ${day(notBefore)} to ${day(notAfter)}`,
  ];
}

function day(instant: Instant): string {
  return formatTime(instant).slice(0, 10);
}

/**
 * Returns a function that shows the user what others have proposed, when a command is about to sign or complete it, and
 * asks. Undefined if there is no terminal to ask on: such a change is then left to `signet trust approve`.
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
