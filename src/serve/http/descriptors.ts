import { closeSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import type { Log } from '../observe/log.ts';

/** Between two looks, in milliseconds. */
const LOOK = 100;
/** Descriptors that are held ready for the files of requests that are running when there are no others. */
const SPARES = 16;
/** Of all descriptors, the part that connections may not take; never fewer or more than so many. */
const RESERVE = { part: 1 / 8, least: 2 * SPARES, most: 1024 };

/** What is known when nothing can be opened to find out more. */
const EXHAUSTED = { used: 1, limit: 1 };

/** What takes connections. */
interface Acceptor {
  /** Accepts nothing more, and closes what is idle. */
  pause(): void;
  /** Throws if it cannot. */
  resume(): void;
}

/**
 * Keeps descriptors free: a process that has none cannot open a file, and goes round in circles over the connections that
 * it cannot accept, while their clients wait. Close to the limit new connections are refused, until there are enough
 * again. The log is told of both. Does nothing if the system does not say how many there are. Returns what ends it.
 */
export function guardDescriptors(acceptor: Acceptor, log: Log): () => void {
  if (readUsage() === undefined) return () => {};
  let spares = openSpares();
  let isPaused = false;
  const look = () => {
    const { used, limit } = readUsage() ?? EXHAUSTED;
    const reserve = Math.min(RESERVE.most, Math.max(RESERVE.least, limit * RESERVE.part));
    if (!isPaused && used > limit - reserve) {
      isPaused = true;
      acceptor.pause();
      spares = closeSpares(spares);
      log.warn('too many connections or files are open: connections are refused');
    } else if (isPaused && used < limit - 2 * reserve) {
      acceptor.resume();
      spares = openSpares();
      isPaused = false;
      log.info('connections are accepted again', { open: used, limit });
    }
  };
  // It keeps the process alive, which nothing else does while no port is open.
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      log.error('the number of open files cannot be watched', { error: String(error) });
    }
  }, LOOK);
  return () => {
    clearInterval(timer);
    spares = closeSpares(spares);
  };
}

/**
 * Open descriptors of this process, and how many there may be at this moment: that can be changed from outside.
 * Undefined if the system does not tell, or has no descriptor left to read it with.
 */
function readUsage(): { readonly used: number; readonly limit: number } | undefined {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    // The size is their number since Linux 6.2, and 0 before.
    const used = statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length;
    return { used, limit: soft === undefined ? Number.POSITIVE_INFINITY : Number(soft) };
  } catch {
    return undefined;
  }
}

function openSpares(): readonly number[] {
  return Array.from({ length: SPARES }, () => openSync('/dev/null', 'r'));
}

function closeSpares(spares: readonly number[]): readonly number[] {
  for (const spare of spares) closeSync(spare);
  return [];
}
