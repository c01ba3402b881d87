import type { Instant } from '../../core/time.ts';
import { jsonLine, type LineSink } from './log.ts';

/** One answered request. */
export interface AccessRecord {
  readonly id: string;
  readonly at: Instant;
  readonly address: string;
  /** Name of the user, undefined for anonymous requests. */
  readonly user: string | undefined;
  readonly method: string;
  readonly url: URL;
  readonly host: string;
  readonly agent: string;
  readonly status: number;
  /** Length of the answer's body if it is known before it is sent. */
  readonly bytes: number | undefined;
  /** Until the answer began, in milliseconds. */
  readonly duration: number;
}

/** Query parameters that cannot hold a secret; the values of all others are left out of the log. */
const PLAIN_PARAMETERS: ReadonlySet<string> = new Set([
  'account',
  'artifactType',
  'change_id',
  'client_id',
  'digest',
  'from',
  'last',
  'mount',
  'n',
  'offline_token',
  'records',
  'scope',
  'service',
]);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const LONGEST = 1024;

/** A log of one line for each request: JSON, or the combined format that web servers share (without the referrer). */
export function createAccessLog(format: 'text' | 'json', write: LineSink): (record: AccessRecord) => void {
  const line = format === 'json' ? inJson : combined;
  return (record) => write(line(record));
}

function inJson(record: AccessRecord): string {
  const { id, address, user, method, url, host, agent, status, bytes, duration } = record;
  return jsonLine({
    time: new Date(record.at).toISOString(),
    level: 'info',
    msg: 'request',
    id,
    address,
    user,
    method,
    target: targetOf(url),
    host: host.slice(0, LONGEST),
    agent: agent.slice(0, LONGEST),
    status,
    bytes,
    ms: Math.round(duration * 100) / 100,
  });
}

function combined({ at, address, user, method, url, agent, status, bytes }: AccessRecord): string {
  const request = quoted(`${method} ${targetOf(url)} HTTP/1.1`);
  return `${address} - ${user ?? '-'} [${clfTime(at)}] ${request} ${status} ${bytes ?? '-'} "-" ${quoted(agent.slice(0, LONGEST))}\n`;
}

function targetOf(url: URL): string {
  const parameters = [...url.searchParams].map(([name, value]) => {
    const shown = PLAIN_PARAMETERS.has(name) ? encodeURIComponent(value) : '***';
    return `${encodeURIComponent(name)}=${shown}`;
  });
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  return `${url.pathname}${query}`.slice(0, LONGEST);
}

function clfTime(at: Instant): string {
  const date = new Date(at);
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** As Apache writes it: quotes and backslashes escaped, and everything that is not printable ASCII as `\xhh`. */
function quoted(text: string): string {
  const escaped = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/["\\]/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `"${escaped}"`;
}
