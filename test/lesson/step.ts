import type { Answer, Outcome } from '../support/run.ts';
import type { Shell } from './shell.ts';

/** What must hold after a command. `what` completes the sentence "checked that …". */
export interface Check {
  readonly what: string;
  /** Throws, or returns false, where it does not hold. */
  holds(outcome: Outcome, shell: Shell): unknown;
}

/** One command of the lesson, as it is typed, and what must happen. */
export interface Step {
  /** Its number in the lesson, or what the user tries. */
  readonly title: string;
  readonly shell: Shell;
  readonly line: string;
  /** What happens elsewhere before the command is typed. */
  readonly before?: () => void | Promise<void>;
  /** What the person types when asked; where it is given, be it nothing, the command runs in a terminal. */
  readonly answers?: readonly Answer[];
  readonly checks: readonly Check[];
}

/** What the steps tell of their progress. */
export interface Report {
  typed(step: Step): void;
  ran(step: Step, outcome: Outcome): void;
  checked(check: Check): void;
}

/** Runs the steps in their order and stops at the first difference, which it throws with the command and its output. */
export async function runSteps(steps: Iterable<Step>, report?: Report): Promise<void> {
  for (const step of steps) {
    await step.before?.();
    report?.typed(step);
    const outcome = await step.shell.run(step.line, step.answers);
    report?.ran(step, outcome);
    for (const check of [...step.checks, ...hidesSecrets(step)]) {
      await runCheck(step, check, outcome);
      report?.checked(check);
    }
  }
}

/** The exit code is `code`. */
export function exits(code: number): Check {
  return { what: `it exits with ${code}`, holds: ({ exitCode }) => exitCode === code };
}

/** Either stream has what `pattern` describes. */
export function says(pattern: RegExp): Check {
  return { what: `it says ${pattern}`, holds: ({ stdout, stderr }) => pattern.test(`${stdout}\n${stderr}`) };
}

/** The standard output is exactly `text`. */
export function prints(text: string): Check {
  return { what: `it prints exactly ${JSON.stringify(text)}`, holds: ({ stdout }) => stdout === text };
}

export function holds(what: string, check: Check['holds']): Check {
  return { what, holds: check };
}

function hidesSecrets({ answers = [] }: Step): Check[] {
  const secrets = answers.filter(({ isSecret }) => isSecret).map(({ send }) => send);
  const isShown = ({ stdout }: Outcome) => secrets.some((secret) => stdout.includes(secret));
  return secrets.length === 0 ? [] : [holds('it shows no secret', (outcome) => !isShown(outcome))];
}

async function runCheck(step: Step, check: Check, outcome: Outcome): Promise<void> {
  let cause: unknown;
  try {
    if ((await check.holds(outcome, step.shell)) !== false) return;
  } catch (error) {
    cause = error;
  }
  const told = cause instanceof Error ? `\n${cause.message}` : '';
  const { exitCode, stdout, stderr } = outcome;
  throw new Error(
    `step ${step.title}: ${step.line}\nexpected that ${check.what}${told}\nexit ${exitCode}\n${stdout}${stderr}`,
    { cause },
  );
}
