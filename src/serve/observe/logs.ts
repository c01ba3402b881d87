import { closeSync, openSync, writeSync } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import type { Instant } from '../../core/time.ts';
import type { Settings } from '../settings/settings.ts';
import { type AccessRecord, createAccessLog } from './access-log.ts';
import { createLog, type LineSink, type Log } from './log.ts';

/** Everything that the server writes about itself. */
export interface Logs {
  readonly log: Log;
  /** Undefined if there is no access log. */
  readonly logAccess: ((record: AccessRecord) => void) | undefined;
  /** Opens the access log's file again, after something has renamed it; never throws. */
  reopen(): void;
  close(): void;
}

type LogSettings = Pick<Settings, 'logLevel' | 'logFormat' | 'accessLog'>;

/** Lines of the access log that wait to be written together, in characters and milliseconds. */
const BATCH = 64 * 1024;
const DELAY = 200;

/** Opens the logs that the settings ask for; `sink` stands for standard error. Throws `access-log-unusable`. */
export function openLogs(settings: LogSettings, sink: LineSink | undefined, now: () => Instant): Logs {
  const write = sink ?? ((line: string) => process.stderr.write(line));
  const isTerminal = sink === undefined && process.stderr.isTTY;
  const automatic = isTerminal ? 'text' : 'json';
  const format = settings.logFormat === 'auto' ? automatic : settings.logFormat;
  const log = createLog({ level: settings.logLevel, format, write, now });
  switch (settings.accessLog) {
    case 'off':
      return { log, logAccess: undefined, reopen: () => {}, close: () => {} };
    case 'stderr':
      return { log, logAccess: createAccessLog(format, write), reopen: () => {}, close: () => {} };
    default: {
      const file = new LogFile(settings.accessLog, log);
      const fileFormat = settings.logFormat === 'auto' ? 'text' : settings.logFormat;
      const logAccess = createAccessLog(fileFormat, (line) => file.write(line));
      return { log, logAccess, reopen: () => file.reopen(), close: () => file.close() };
    }
  }
}

/** A file that lines are added to, several at a time. */
class LogFile {
  private readonly path: string;
  private readonly log: Log;
  private file: number;
  private waiting = '';
  private timer: NodeJS.Timeout | undefined;

  constructor(path: string, log: Log) {
    this.path = path;
    this.log = log;
    this.file = open(path);
  }

  write(line: string): void {
    this.waiting += line;
    if (this.waiting.length >= BATCH) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), DELAY);
  }

  reopen(): void {
    this.flush();
    try {
      const next = open(this.path);
      closeSync(this.file);
      this.file = next;
    } catch (error) {
      this.log.error('the access log cannot be opened again', { file: this.path, error: String(error) });
    }
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const lines = Buffer.from(this.waiting, 'utf8');
    this.waiting = '';
    try {
      for (let done = 0; done < lines.length; ) done += writeSync(this.file, lines, done);
    } catch (error) {
      this.log.error('the access log cannot be written', { file: this.path, error: String(error) });
    }
  }
}

function open(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SignetError('access-log-unusable', `cannot write the access log ${path}: ${why}`, { cause });
  }
}
