import type { Client, ServiceError } from '@grpc/grpc-js';
import { SignetError } from '../../core/errors/index.ts';
import { isUsable, makePublicKey, type PublicKey } from '../../core/keys/public-key.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { printable } from '../../core/printable.ts';
import { type Signature, verifySignature } from '../../core/signature.ts';
import type { OnlineKeyType, OnlineRole } from '../store/online-key-store.ts';
import { type PublicKeyMessage, SERVING } from './messages.ts';
import { HEALTH_NAMES, METHODS, type Method } from './methods.ts';

/** A client's view of a Notary signer (protocol B.14.2). */
export interface RemoteSigner {
  /** Creates a key. A signer with a database returns the same key again until it has signed. */
  createKey(type: OnlineKeyType, gun: Gun, role: OnlineRole): Promise<PublicKey>;
  /** Returns the public key with this ID. Undefined if the signer does not have it. */
  find(id: KeyId): Promise<PublicKey | undefined>;
  /** Signs with `key`, and checks the signature. Undefined if the signer does not have the key. */
  sign(key: PublicKey, message: Uint8Array): Promise<Signature | undefined>;
  /** Throws if the signer cannot be reached or reports that it cannot work. */
  check(): Promise<void>;
  close(): void;
}

/** The address of a signer, and the certificates of both sides. */
interface SignerAddress {
  /** `signer.example.com:7899`. The signer's certificate must be for this host. */
  readonly authority: string;
  /** PEM certificates of the authorities for the signer's certificate. No others are trusted. */
  readonly ca: Buffer;
  /** PEM chain and key that authenticate this server to the signer. Undefined for a signer that asks for none. */
  readonly client: { readonly chain: Buffer; readonly key: Buffer } | undefined;
}

const SECOND_MS = 1000;
const CALL_MS = 5 * SECOND_MS;
const HEALTH_MS = 10 * SECOND_MS;
/** After a call has timed out, calls fail immediately for this long, because readers wait for them. */
const SILENCE_MS = 5 * SECOND_MS;
/** Size limit of a response in bytes, far more than a key or signature needs. */
const MAX_ANSWER = 64 * 1024;

/** Characters quoted of an error text of the signer or of the connection. */
const LONGEST_REASON = 300;

const OPTIONS = {
  'grpc.max_receive_message_length': MAX_ANSWER,
  // Reconnect quickly, so that the call after the next one reaches a restarted signer.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': SECOND_MS,
  'grpc.enable_http_proxy': 0,
};

/** Creates a client of a signer over gRPC and TLS. It connects on the first call. */
export async function openRemoteSigner({ authority, ca, client }: SignerAddress): Promise<RemoteSigner> {
  const grpc = await import('@grpc/grpc-js');
  const credentials = grpc.credentials.createSsl(ca, client?.key ?? null, client?.chain ?? null);
  return new GrpcSigner(new grpc.Client(authority, credentials, OPTIONS), authority, grpc.status);
}

class GrpcSigner implements RemoteSigner {
  private readonly client: Client;
  private readonly authority: string;
  private readonly status: typeof import('@grpc/grpc-js').status;
  private silentUntil = 0;

  constructor(client: Client, authority: string, status: typeof import('@grpc/grpc-js').status) {
    this.client = client;
    this.authority = authority;
    this.status = status;
  }

  async createKey(type: OnlineKeyType, gun: Gun, role: OnlineRole): Promise<PublicKey> {
    const answer = await this.call(METHODS.createKey, { algorithm: type, gun, role });
    const key = this.keyOf(answer);
    if (key.type !== type) throw this.faulty(`it made a key of type ${printable(key.type)} in place of ${type}`);
    return key;
  }

  async find(id: KeyId): Promise<PublicKey | undefined> {
    const answer = await this.callOrMissing(METHODS.getKeyInfo, id);
    if (answer === undefined) return undefined;
    const key = this.keyOf(answer);
    if (key.id !== id) throw this.faulty(`asked for the key ${id}, it gave ${key.id}`);
    return key;
  }

  async sign(key: PublicKey, message: Uint8Array): Promise<Signature | undefined> {
    const answer = await this.callOrMissing(METHODS.sign, { keyId: key.id, content: Buffer.from(message) });
    if (answer === undefined) return undefined;
    const method = key.type === 'ed25519' ? 'eddsa' : 'ecdsa';
    const signature = { keyId: key.id, method, bytes: Buffer.from(answer.content) };
    if (!verifySignature(key, signature, message))
      throw this.faulty(`its signature by the key ${key.id} does not verify`);
    return signature;
  }

  async check(): Promise<void> {
    for (const name of HEALTH_NAMES) {
      const status = await this.attempt(METHODS.checkHealth, name, HEALTH_MS);
      if (status !== SERVING) throw this.faulty(`its ${name} is not serving (status ${status})`);
    }
    this.silentUntil = 0;
  }

  close(): void {
    this.client.close();
  }

  /**
   * The key in a response. Its ID must be computed from its bytes (protocol A.4.1), or later look-ups would not find
   * it.
   */
  private keyOf({ keyInfo, publicKey }: PublicKeyMessage): PublicKey {
    const type = keyInfo.algorithm;
    if (type !== 'ecdsa' && type !== 'ed25519') throw this.faulty(`it has a key of type ${printable(type) || '""'}`);
    const key = makePublicKey(type, Buffer.from(publicKey));
    if (!isUsable(key)) throw this.faulty('it gave a key that cannot be used');
    if (key.id !== keyInfo.keyId) throw this.faulty(`it calls the key ${key.id} ${printable(keyInfo.keyId)}`);
    return key;
  }

  private async callOrMissing<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
  ): Promise<Response | undefined> {
    try {
      return await this.call(method, request);
    } catch (error) {
      const cause = error instanceof SignetError ? (error.cause as Partial<ServiceError> | undefined) : undefined;
      if (cause?.code === this.status.NOT_FOUND) return undefined;
      throw error;
    }
  }

  private async call<Request, Response>(method: Method<Request, Response>, request: Request): Promise<Response> {
    if (performance.now() < this.silentUntil) throw this.silent(CALL_MS);
    return this.attempt(method, request, CALL_MS);
  }

  private attempt<Request, Response>(
    { path, request: { encode }, response: { decode } }: Method<Request, Response>,
    request: Request,
    milliseconds: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(
        path,
        encode,
        (bytes: Buffer) => bytes,
        request,
        { deadline: Date.now() + milliseconds },
        (error, bytes) => {
          try {
            if (error !== null) throw this.failureOf(error, milliseconds);
            if (bytes === undefined) throw this.faulty('it gave an empty answer');
            resolve(decode(bytes));
          } catch (cause) {
            reject(cause);
          }
        },
      );
    });
  }

  private failureOf(error: ServiceError, milliseconds: number): SignetError {
    if (error.code === this.status.DEADLINE_EXCEEDED) {
      this.silentUntil = performance.now() + SILENCE_MS;
      return this.silent(milliseconds, error);
    }
    const why = printable(error.details, LONGEST_REASON);
    if (error.code !== this.status.UNAVAILABLE) {
      return new SignetError('signer-refused', `the signer ${this.authority} refused: ${why}`, { cause: error });
    }
    return new SignetError('signer-unreachable', `cannot reach the signer ${this.authority}: ${why}`, { cause: error });
  }

  private silent(milliseconds: number, cause?: unknown): SignetError {
    const message = `the signer ${this.authority} did not answer within ${milliseconds / SECOND_MS} seconds`;
    return new SignetError('signer-silent', message, { cause });
  }

  private faulty(why: string): SignetError {
    return new SignetError('signer-faulty', `the signer ${this.authority} is at fault: ${why}`);
  }
}
