import { SECOND } from '../core/time.ts';
import type { Log } from './log.ts';

/** Runs `job` every `seconds` until stopped; never twice at a time. A failure is logged, and the next run comes as planned. */
export function every(seconds: number, name: string, log: Log, job: () => void | Promise<void>): () => void {
  let running = false;
  const run = async () => {
    if (running) return;
    running = true;
    try {
      await job();
    } catch (error) {
      log.error(`${name} failed`, { error: String(error) });
    } finally {
      running = false;
    }
  };
  const timer = setInterval(run, seconds * SECOND);
  timer.unref();
  return () => clearInterval(timer);
}
