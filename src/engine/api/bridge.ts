import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SignetError } from '../../core/errors/index.ts';
import type { DockerCli } from '../cli/cli.ts';

const MAX_COMPLAINT = 8 * 1024;

/** A private unix socket connected to an engine that only the docker command can reach (TCP, TLS, SSH). */
interface Bridge {
  readonly socketPath: string;
  /** The error output of the docker command for the latest connection, once it has ended; empty if there was none. */
  complaint(): Promise<string>;
  close(): void;
}

/**
 * Opens a bridge: each connection to the socket runs `docker … system dial-stdio`, so that keys, certificates and SSH
 * remain docker's business. `globals` are docker's global options, as typed. The socket is in a folder of its own
 * (0700), which is removed with the bridge.
 */
export async function openBridge(
  cli: DockerCli,
  globals: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Bridge> {
  const folder = mkdtempSync(join(tmpdir(), 'signet-engine-'));
  chmodSync(folder, 0o700);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const closers = new Set<() => void>();
  let complaint = Promise.resolve('');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = connect(socket, cli.path, [...globals, 'system', 'dial-stdio'], env);
    if (connection === undefined) return;
    complaint = connection.complaint;
    closers.add(connection.close);
    complaint.finally(() => closers.delete(connection.close));
  });
  const socketPath = join(folder, 'engine.sock');
  await listen(server, socketPath);
  return {
    socketPath,
    complaint: () => complaint,
    close: () => {
      server.close();
      for (const close of closers) close();
      process.off('exit', remove);
      remove();
    },
  };
}

function connect(socket: Socket, path: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = start(path, args, env);
  if (child === undefined) {
    socket.destroy();
    return undefined;
  }
  const close = () => {
    child.kill();
    socket.destroy();
  };
  for (const end of [socket, child, child.stdin, child.stdout]) end.on('error', close);
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
  socket.once('close', () => child.kill());
  return { close, complaint: firstText(child.stderr) };
}

/** Undefined if the program is gone; the connection then ends without a response. */
function start(path: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  try {
    return spawn(path, [...args], { stdio: ['pipe', 'pipe', 'pipe'], env });
  } catch {
    return undefined;
  }
}

async function firstText(stream: Readable): Promise<string> {
  let text = '';
  try {
    for await (const chunk of stream) text = (text + String(chunk)).slice(0, MAX_COMPLAINT);
  } catch {
    // A broken error stream has nothing more to say.
  }
  return text.trim();
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((settle, fail) => {
    server.once('error', (cause) => {
      fail(new SignetError('engine-unreachable', 'no socket can be opened towards the engine', { cause }));
    });
    server.listen(socketPath, settle);
    server.unref();
  });
}
