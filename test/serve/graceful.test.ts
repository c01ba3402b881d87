import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { digestOf } from '../../src/core/names/digest.ts';
import { dataFolder } from '../../src/serve/data/data-folder.ts';
import { content } from '../registry/fixture.ts';
import { makeAuthority } from '../remote/certificates.ts';
import { atEnd } from '../support/cleanup.ts';
import { type SignetServer, startSignet } from '../support/signet-server.ts';
import { temporaryFolder } from '../support/temp.ts';
import { holderOf } from './attacks/target.ts';

// A certificate that changes and a server that stops, under clients that are in the middle of something.

const ROUNDS = 6;
const CLIENTS = 8;
const authority = makeAuthority('The authority of the tests');
const HOST = 'Host: localhost';

/** A TLS connection on which one request comes after the other. */
class Connection {
  readonly fingerprint: string;
  private readonly socket: TLSSocket;
  private text = '';
  private isClosed = false;
  private wake = () => {};

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    this.fingerprint = socket.getPeerCertificate().fingerprint256;
    socket.on('data', (data: Buffer) => {
      this.text += data.toString('latin1');
      this.wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.wake();
    });
    atEnd(() => void socket.destroy());
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: authority.cert });
      socket.once('secureConnect', () => resolve(new Connection(socket)));
      socket.once('error', reject);
    });
  }

  /** Status and headers of the answer. Throws where the connection ends before. */
  async ask(
    line: string,
    body: Uint8Array = Buffer.of(),
  ): Promise<{ readonly status: number; header(name: string): string }> {
    this.text = '';
    this.socket.write(`${line} HTTP/1.1\r\n${HOST}\r\nContent-Length: ${body.length}\r\n\r\n`);
    this.socket.write(body);
    for (;;) {
      const end = this.text.indexOf('\r\n\r\n');
      const head = this.text.slice(0, end + 2);
      const header = (name: string) => new RegExp(`^${name}: (.*)\r$`, 'im').exec(head)?.[1] ?? '';
      if (end >= 0 && this.text.length >= end + 4 + Number(header('content-length'))) {
        return { status: Number(head.split(' ')[1]), header };
      }
      if (this.isClosed) throw new Error(`the connection ended before the answer to ${line}`);
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  close(): void {
    this.socket.end();
  }
}

function newCertificate(): { readonly cert: string; readonly key: string } {
  return authority.issue(['localhost', '127.0.0.1']);
}

async function start(): Promise<{ server: SignetServer; port: number; pid: number; renew(): void }> {
  const folder = temporaryFolder();
  const [certFile, keyFile] = [join(folder, 'own.crt'), join(folder, 'own.key')];
  const renew = () => {
    const { cert, key } = newCertificate();
    writeFileSync(keyFile, key);
    writeFileSync(certFile, cert);
  };
  renew();
  const server = await startSignet({ args: ['--auth=off', `--tls-certificate=${certFile}`, `--tls-key=${keyFile}`] });
  const port = Number(server.host.split(':')[1]);
  return { server, port, pid: holderOf(dataFolder(server.data).holder), renew };
}

function countOf(server: SignetServer, text: string): number {
  return server.log().split(text).length - 1;
}

test('a new certificate refuses no connection and cuts off no request', async () => {
  const { server, port, pid, renew } = await start();
  let isOver = false;
  let requests = 0;
  const failures: unknown[] = [];
  const seen = new Set<string>();
  const client = async (lasting: boolean) => {
    while (!isOver) {
      try {
        const connection = await Connection.open(port);
        seen.add(connection.fingerprint);
        let goesOn = true;
        while (goesOn && !isOver) {
          const { status, header } = await connection.ask('GET /_signet/health');
          expect(status).toBe(200);
          requests++;
          goesOn = lasting && header('connection') !== 'close';
        }
        connection.close();
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, at) => client(at % 2 === 0));
  for (let round = 1; round <= ROUNDS; round++) {
    renew();
    process.kill(pid, 'SIGHUP');
    while (countOf(server, 'the certificate was replaced') < round) await Bun.sleep(5);
    const before = requests;
    while (seen.size < round + 1 || requests < before + 100) await Bun.sleep(5);
  }
  isOver = true;
  await Promise.all(clients);
  expect(failures).toEqual([]);
  expect(seen.size).toBe(ROUNDS + 1);
  await server.stop();
}, 120_000);

test('uploads that have begun come to their end when the server stops, on their connection or another', async () => {
  const { server, port, pid } = await start();
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(port)));
  const uploads = await Promise.all(
    connections.map(async (connection, at) => {
      const { status, header } = await connection.ask('POST /v2/alice/app/blobs/uploads/');
      expect(status).toBe(202);
      return { connection, location: header('location'), bytes: content(at, 50_000) };
    }),
  );
  // Half of them have sent their bytes when it is told to stop, the others have not.
  const patch = async ({ connection, location, bytes }: (typeof uploads)[number]) =>
    expect((await connection.ask(`PATCH ${location}`, bytes)).status).toBe(202);
  await Promise.all(uploads.slice(CLIENTS / 2).map(patch));
  process.kill(pid, 'SIGTERM');
  while (countOf(server, '"stopping"') === 0) await Bun.sleep(2);
  const refused = await (await Connection.open(port)).ask('GET /_signet/health');
  expect([refused.status, refused.header('retry-after'), refused.header('connection')]).toEqual([503, '1', 'close']);
  await Promise.all(uploads.slice(0, CLIENTS / 2).map(patch));
  const ended = uploads.map(async ({ connection, location, bytes }, at) => {
    const own = at % 2 === 0 ? connection : await Connection.open(port);
    return (await own.ask(`PUT ${location}?digest=${digestOf(bytes)}`)).status;
  });
  expect(await Promise.all(ended)).toEqual(uploads.map(() => 201));
  await server.stop();
  await server.start();
  for (const { bytes } of uploads) {
    const connection = await Connection.open(port);
    expect((await connection.ask(`GET /v2/alice/app/blobs/${digestOf(bytes)}`)).status).toBe(200);
  }
  await server.stop();
}, 60_000);
