import type { TLSSocket } from 'node:tls';
import type { Script } from '../../support/scripted-https.ts';

const PIECE = Buffer.alloc(64 * 1024, ' ');

/** An answer whose body never ends. */
export function endless(status = 200): Script {
  return () => (socket) => {
    socket.write(`HTTP/1.1 ${status} -\r\n\r\n`);
    pour(socket, PIECE);
  };
}

/** An answer whose head never ends. */
export const endlessHead: Script = () => (socket) => {
  socket.write('HTTP/1.1 200 -\r\n');
  pour(socket, Buffer.from(`X-More: ${'x'.repeat(1000)}\r\n`));
};

/** An answer that begins, and then nothing more comes. */
export const stalling: Script = () => (socket) =>
  void socket.write('HTTP/1.1 200 -\r\nContent-Length: 500\r\n\r\n{"sig');

/** An answer that says it is longer than it is. */
export function shortened(body: Uint8Array): Script {
  return () => (socket) => {
    socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 200 -\r\nContent-Length: ${body.length + 1}\r\n\r\n`), body]));
  };
}

/** An answer that is announced to be of that many bytes. */
export function announced(length: number): Script {
  return () => (socket) => void socket.write(`HTTP/1.1 200 -\r\nContent-Length: ${length}\r\n\r\n{`);
}

/** Bytes that are no answer in HTTP. */
export const gibberish: Script = () => (socket) => void socket.end('220 mail.example.com ESMTP\r\n');

/** An answer with nothing but a status and headers. */
export function status(code: number, headers: Record<string, string> = {}): Script {
  return () => new Response(null, { status: code, headers });
}

/** The bytes under other headers. */
export function labelled(body: Uint8Array, headers: Record<string, string>): Response {
  return new Response(new Uint8Array(body), { headers });
}

function pour(socket: TLSSocket, piece: Uint8Array): void {
  const more = () => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on('drain', more);
  more();
}
