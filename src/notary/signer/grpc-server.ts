import type { Server as NetServer, Socket } from 'node:net';
import type { handleUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { SignetError } from '../../core/errors/index.ts';
import { MAX_MESSAGE, METHODS, type Method } from '../grpc/methods.ts';
import type { Logger } from '../publish/logger.ts';
import { CallFailure, type SignerService } from './signer-service.ts';

interface GrpcServerOptions {
  /** `0.0.0.0:7899`. Port 0 picks any free port. */
  readonly address: string;
  /** In PEM format. */
  readonly certificate: { readonly chain: string; readonly key: string };
  /**
   * PEM certificates of the authorities for client certificates, which are then required. Undefined accepts every
   * client.
   */
  readonly clientCa: Buffer | undefined;
  readonly log: Logger;
  /** Milliseconds until a connection must have shown its certificate. Five seconds by default. */
  readonly handshakeTimeout?: number;
}

/** A running signer. */
export interface GrpcServer {
  readonly port: number;
  /** Accepts no more calls, and gives running ones this many seconds to end. */
  stop(graceSeconds: number): Promise<void>;
}

const SECOND_MS = 1000;
const INTERNAL = 13;
/** Those who only begin to connect must not hold every descriptor: TLS waits two minutes by itself. */
const HANDSHAKE_TIMEOUT = 5 * SECOND_MS;
/** Connections of one address; a server has one, with many calls on it. */
const MAX_CONNECTIONS = 64;

const OPTIONS = {
  'grpc.max_receive_message_length': MAX_MESSAGE,
  'grpc.max_send_message_length': MAX_MESSAGE,
  'grpc.max_concurrent_streams': 256,
};

/** Serves a signer over gRPC and TLS. Throws `address-in-use` or `address-unavailable`. */
export async function startGrpcServer(service: SignerService, options: GrpcServerOptions): Promise<GrpcServer> {
  const grpc = await import('@grpc/grpc-js');
  const { address, certificate, clientCa, log, handshakeTimeout = HANDSHAKE_TIMEOUT } = options;
  const server = new grpc.Server(OPTIONS);
  const calls: [ServiceDefinition, Record<string, handleUnaryCall<unknown, unknown>>][] = [
    bound('createKey', METHODS.createKey, (request) => service.createKey(request), log),
    bound('deleteKey', METHODS.deleteKey, (id) => service.deleteKey(id), log),
    bound('getKeyInfo', METHODS.getKeyInfo, (id) => service.getKeyInfo(id), log),
    bound('sign', METHODS.sign, (request) => service.sign(request), log),
    bound('checkHealth', METHODS.checkHealth, (name) => service.checkHealth(name), log),
  ];
  for (const [definition, handlers] of calls) server.addService(definition, handlers);
  const pair = { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.chain) };
  const credentials = grpc.ServerCredentials.createSsl(clientCa ?? null, [pair], clientCa !== undefined);
  Object.assign(credentials._getConstructorOptions() ?? {}, { handshakeTimeout });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(unbound(address, error));
    });
  });
  boundConnections(server, log);
  return {
    port,
    stop: (graceSeconds) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.forceShutdown(), graceSeconds * SECOND_MS);
        server.tryShutdown(() => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
}

/**
 * Closes what one address opens beyond `MAX_CONNECTIONS`, before it is asked for a certificate. The library shows no one its
 * listeners, which stand in a private field: throws if that has become another.
 */
function boundConnections(server: object, log: Logger): void {
  const listeners: unknown = Reflect.get(server, 'http2Servers');
  if (!(listeners instanceof Map) || listeners.size === 0) throw new Error('the gRPC library has other listeners');
  const counts = new Map<string, number>();
  /** Of which the log has been told; again only once all their connections have ended, so that none can fill the log. */
  const told = new Set<string>();
  const onConnection = (socket: Socket) => {
    const { remoteAddress: address = '' } = socket;
    const count = counts.get(address) ?? 0;
    if (count >= MAX_CONNECTIONS) {
      socket.destroy();
      if (!told.has(address)) log.warn('an address has all connections that it may have: more are closed', { address });
      told.add(address);
      return;
    }
    counts.set(address, count + 1);
    socket.once('close', () => {
      const left = (counts.get(address) ?? 0) - 1;
      if (left > 0) {
        counts.set(address, left);
      } else {
        counts.delete(address);
        told.delete(address);
      }
    });
  };
  for (const listener of listeners.keys()) (listener as NetServer).prependListener('connection', onConnection);
}

/**
 * Adapts a method for the gRPC library. The message is decoded inside the handler, because only errors thrown there can
 * be answered.
 */
function bound<Request, Response>(
  name: string,
  { path, request: { decode }, response: { encode } }: Method<Request, Response>,
  answer: (request: Request) => Promise<Response>,
  log: Logger,
): [ServiceDefinition, Record<string, handleUnaryCall<unknown, unknown>>] {
  const bytes = { serialize: (value: Buffer) => value, deserialize: (value: Buffer) => value };
  const definition: ServiceDefinition = {
    [name]: {
      ...{ path, requestStream: false, responseStream: false },
      ...{ requestSerialize: bytes.serialize, requestDeserialize: bytes.deserialize },
      ...{ responseSerialize: bytes.serialize, responseDeserialize: bytes.deserialize },
    },
  };
  const handler: handleUnaryCall<unknown, unknown> = (call, callback) => {
    const work = async () => encode(await answer(read(decode, call.request as Buffer)));
    work().then(
      (response) => callback(null, response),
      (error: unknown) => {
        if (!(error instanceof CallFailure))
          log.error('a call of the signer failed', { call: path, error: String(error) });
        const [code, details] =
          error instanceof CallFailure ? [error.code, error.message] : [INTERNAL, 'internal error'];
        callback({ code, details });
      },
    );
  };
  return [definition, { [name]: handler }];
}

function unbound(address: string, cause: Error): SignetError {
  const isTaken = cause.message.includes('EADDRINUSE');
  return new SignetError(
    isTaken ? 'address-in-use' : 'address-unavailable',
    `cannot listen on ${address}: ${cause.message}`,
    {
      cause,
      next: 'Choose another address: signet signer --listen HOST:PORT',
    },
  );
}

function read<Request>(decode: (bytes: Buffer) => Request, bytes: Buffer): Request {
  try {
    return decode(bytes);
  } catch (cause) {
    if (cause instanceof SignetError) throw new CallFailure('invalidArgument', cause.message, cause);
    throw cause;
  }
}
