import { type ErrorCode, isSignetError, type SignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Outcome } from './migrate.ts';

/** Repositories that are worked on at the same time. */
const AT_A_TIME = 8;

/** What stops the others as well: they would ask for the same passphrase again, or fail for the same reason. */
const FOR_ALL: readonly ErrorCode[] = [
  'cancelled',
  'key-passphrase-wrong',
  'passphrase-missing',
  'passphrase-command-failed',
  'import-unsupported',
];

const SKIPPED: Outcome = { kind: 'skipped' };

interface Many {
  readonly guns: readonly Gun[];
  /** Moves one, or says what would be moved. */
  readonly work: (gun: Gun) => Promise<Outcome>;
  /** Told of each as soon as it is known. */
  readonly finished: (gun: Gun, outcome: Outcome) => void;
  /** When it is aborted, nothing new is begun; what has begun is finished. */
  readonly signal: AbortSignal;
}

/** Whether the reason of a failure is that of all the others as well. */
export function endsAll(error: unknown): error is SignetError {
  return isSignetError(error, ...FOR_ALL);
}

/**
 * Works on many repositories, some at a time. One that fails does not stop the others, unless the reason is theirs as well.
 * Returns what became of every one, in the order of `guns`, and the error that stopped all, if one did. Whatever a person
 * ended, or waited for its turn behind what stopped all, was not begun.
 */
export async function runAll({
  guns,
  work,
  finished,
  signal,
}: Many): Promise<{ readonly outcomes: ReadonlyMap<Gun, Outcome>; readonly stopped: SignetError | undefined }> {
  const outcomes = new Map<Gun, Outcome>(guns.map((gun) => [gun, SKIPPED]));
  const waiting = guns[Symbol.iterator]();
  let stopped: SignetError | undefined;
  const worker = async () => {
    for (const gun of waiting) {
      if (signal.aborted || stopped !== undefined) return;
      const outcome = await work(gun).catch((error: unknown): Outcome => ({ kind: 'failed', error: known(error) }));
      if (outcome.kind === 'failed' && endsAll(outcome.error)) {
        const isFirst = stopped === undefined;
        stopped ??= outcome.error;
        if (outcome.error.code === 'cancelled' || (!isFirst && outcome.error === stopped)) continue;
      }
      outcomes.set(gun, outcome);
      finished(gun, outcome);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return { outcomes, stopped };
}

function known(error: unknown): SignetError {
  if (isSignetError(error)) return error;
  throw error;
}
