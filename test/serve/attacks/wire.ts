import type { Socket } from 'node:net';
import { connect as connectPlainly } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { atEnd } from '../../support/cleanup.ts';
import type { Target } from './target.ts';

/** Where attackers come from: another address than everybody else. */
export const ELSEWHERE = '127.0.0.66';
export const HOST = 'Host: localhost';

/** What came back on a connection. */
export interface Answer {
  /** Statuses of all answers; none where the connection was closed without one. */
  readonly statuses: readonly number[];
  readonly text: string;
  readonly isClosed: boolean;
}

/** A TLS connection on which a test writes bytes of its own. */
export function open({ port, ca }: Target, localAddress = ELSEWHERE): Promise<TLSSocket> {
  const lower = connectPlainly({ host: '127.0.0.1', port, localAddress });
  return new Promise((resolve, reject) => {
    const socket = connect({ socket: lower, ca, servername: 'localhost' });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
    lower.once('error', reject);
    socket.on('error', () => {});
    atEnd(() => void socket.destroy());
  });
}

/** Sends bytes as they are. Returns what comes back, once that is `answers` whole answers or the connection is closed. */
export async function exchange(target: Target, bytes: string | Uint8Array, answers = 1): Promise<Answer> {
  const socket = await open(target);
  const answer = received(socket, answers);
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return answer.finally(() => socket.destroy());
}

/** The next answers on a connection, or all there are where it is closed before. */
export function received(socket: Socket, answers = Number.POSITIVE_INFINITY): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const end = (isClosed: boolean) => resolve({ statuses: statusesOf(text), text, isClosed });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (wholeAnswers(text) >= answers) end(false);
    });
    socket.on('close', () => end(true));
  });
}

/** A request without a body. */
export function request(line: string, ...headers: readonly string[]): string {
  return [`${line} HTTP/1.1`, ...headers, '', ''].join('\r\n');
}

function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** How many answers are complete, each with its body; interim ones are passed over. */
function wholeAnswers(text: string): number {
  let count = 0;
  for (let at = 0; ; ) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return count;
    const head = text.slice(at, end);
    at = end + 4;
    if (/^HTTP\/1\.1 1\d\d /.test(head)) continue;
    at += Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (at > text.length) return count;
    count++;
  }
}
