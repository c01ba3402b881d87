import { type ErrorCode, isSignetError, type SignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Outcome } from './migrate.ts';

/** Repositories processed at the same time. */
const AT_A_TIME = 8;

/** Errors that stop the others as well: they would ask for the same passphrase again, or fail for the same reason. */
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
  /** Migrates a repository, or plans its migration. */
  readonly work: (gun: Gun) => Promise<Outcome>;
  /** Called for each repository as soon as its outcome is known. */
  readonly finished: (gun: Gun, outcome: Outcome) => void;
  /** After an abort, no new repository is begun; those in progress are finished. */
  readonly signal: AbortSignal;
}

/** Whether the reason of a failure is that of all the others as well. */
export function endsAll(error: unknown): error is SignetError {
  return isSignetError(error, ...FOR_ALL);
}

/**
 * Processes many repositories, several at a time. If one fails, the others continue, unless they would fail for the
 * same reason. Returns the outcome of every one, in the order of `guns`, and the error that stopped them all, if any.
 * Those that a person cancelled, or that waited for their turn when all stopped, count as not begun.
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
