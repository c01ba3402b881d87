import { type Instant, SECOND } from '../core/time.ts';
import type { Log } from './observe/log.ts';
import type { JobTimes } from './storage/job-times.ts';

export interface Job {
  readonly name: string;
  /** Time from one run to the next, in seconds. */
  readonly interval: number;
  readonly log: Log;
  run(): void | Promise<void>;
}

/** Runs the job once in each interval until stopped; never twice at a time. A failure is logged, and the next run comes as planned. */
export function every({ name, interval, log, run }: Job): () => void {
  let running = false;
  const tick = async () => {
    if (running) return;
    running = true;
    await attempt(name, log, run);
    running = false;
  };
  const timer = setInterval(tick, interval * SECOND);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Like `every`, for intervals that restarts must not stretch: the time of the last run is kept, and one that is due, or
 * was never done, starts at once. What another replica has done meanwhile is not due.
 */
export function everyAcrossRestarts(job: Job, times: JobTimes, now: () => Instant): () => void {
  const { name, interval, log } = job;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const plan = (wait: number) => {
    if (isStopped) return;
    timer = setTimeout(() => tick(runOnce), wait);
    timer.unref();
  };
  /** What was there when the next run was planned; undefined too before that. */
  let known: Instant | undefined;
  const begin = async () => {
    known = await times.last(name);
    return untilDue(known, interval * SECOND, now());
  };
  const runOnce = async () => {
    const last = await times.last(name);
    if (last !== known) return begin();
    await attempt(name, log, job.run);
    known = now();
    await times.ended(name, known);
    return interval * SECOND;
  };
  const tick = async (work: () => Promise<number>) => {
    let wait = interval * SECOND;
    await attempt(name, log, async () => {
      wait = await work();
    });
    plan(wait);
  };
  void tick(begin);
  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** In milliseconds. A last run that lies ahead, as after a clock was set back, is as good as one just now. */
function untilDue(last: Instant | undefined, interval: number, now: Instant): number {
  return last === undefined ? 0 : Math.max(0, Math.min(interval, last + interval - now));
}

async function attempt(name: string, log: Log, work: () => void | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log.error(`${name} failed`, { error: String(error) });
  }
}
