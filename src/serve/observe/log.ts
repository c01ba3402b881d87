import type { Instant } from '../../core/time.ts';

type LogLevel = 'debug' | 'info' | 'warning' | 'error';
type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
/** Takes finished lines, each with its line feed. */
export type LineSink = (line: string) => void;

/** Where the server reports what happened. Fields never hold a secret. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  readonly write: LineSink;
  readonly now: () => Instant;
}

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warning', 'error'];

/** A log of one line for each event: JSON with `time`, `level`, `msg` and the fields, or text as logfmt writes it. */
export function createLog({ level: least, format, write, now }: LogOptions): Log {
  const at = (level: LogLevel) => {
    if (ORDER.indexOf(level) < ORDER.indexOf(least)) return () => {};
    return (msg: string, fields: LogFields = {}) => {
      const time = new Date(now()).toISOString();
      write(format === 'json' ? jsonLine({ time, level, msg, ...fields }) : textLine(time, level, msg, fields));
    };
  };
  return { debug: at('debug'), info: at('info'), warn: at('warning'), error: at('error') };
}

/** One JSON object on one line. */
export function jsonLine(fields: LogFields): string {
  return `${visible(JSON.stringify(fields))}\n`;
}

function textLine(time: string, level: LogLevel, msg: string, fields: LogFields): string {
  const rest = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${quoteIfNeeded(String(value))}`);
  return `${time} ${level.toUpperCase().padEnd(7)} ${visible(msg)}${rest.join('')}\n`;
}

function quoteIfNeeded(text: string): string {
  return /^[A-Za-z0-9_.:/@+,-]+$/.test(text) ? text : visible(JSON.stringify(text));
}

/** Control characters as escapes, so that nothing from outside ends a line or moves the cursor. */
function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    // JSON leaves what is beyond ASCII as it is, the 8-bit control characters of terminals included.
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : escaped;
  });
}
