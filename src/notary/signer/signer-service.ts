import { isSignetError } from '../../core/errors/index.ts';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import { isKeyId, type KeyId } from '../../core/names/key-id.ts';
import {
  type CreateKeyRequest,
  type KeyInfoResponse,
  type PublicKeyMessage,
  SERVING,
  type SignatureMessage,
  type SignatureRequest,
} from '../grpc/messages.ts';
import { HEALTH_NAMES } from '../grpc/methods.ts';
import type { LocalOnlineKeys } from '../publish/local-online-keys.ts';
import type { Logger } from '../publish/logger.ts';
import type { OnlineKey, OnlineKeyType, OnlineRole } from '../store/online-key-store.ts';

/** The gRPC status codes that a signer returns. */
const STATUS = { unknown: 2, invalidArgument: 3, notFound: 5, internal: 13 } as const;
const NOT_SERVING = 2;

/** Makes a call fail with a gRPC status code and a text. */
export class CallFailure extends Error {
  readonly code: number;

  constructor(status: keyof typeof STATUS, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = STATUS[status];
  }
}

/**
 * The calls of a signer for Notary servers (protocol B.14.2), with the same responses as Notary's own. Methods throw
 * only `CallFailure`, with a text that callers may see.
 */
export class SignerService {
  private readonly keys: LocalOnlineKeys;
  private readonly log: Logger;

  constructor(keys: LocalOnlineKeys, log: Logger) {
    this.keys = keys;
    this.log = log;
  }

  /** Returns a key for a GUN and a role, the same one until it has signed (protocol B.14.3). */
  async createKey({ algorithm, gun, role }: CreateKeyRequest): Promise<PublicKeyMessage> {
    if (!isKeyType(algorithm)) {
      throw new CallFailure('unknown', `algorithm ${algorithm} not supported for create key`);
    }
    if (!isOnlineRole(role))
      throw new CallFailure('invalidArgument', `role ${role} is not one that a server signs for`);
    const name = readGun(gun);
    return this.answering('Key creation failed', async () => {
      const { id, bytes } = await this.keys.next(name, role, [], algorithm);
      this.log.info('handed out a key', { key: id, gun: name, role, algorithm });
      return { keyInfo: { keyId: id, algorithm }, publicKey: bytes };
    });
  }

  /** Deletes a key permanently. Succeeds if it does not exist. */
  async deleteKey(id: string): Promise<Record<string, never>> {
    return this.answering('Key deletion failed', async () => {
      if (isKeyId(id) && (await this.keys.remove(id))) this.log.warn('removed a key', { key: id });
      return {};
    });
  }

  async getKeyInfo(id: string): Promise<KeyInfoResponse> {
    const key = await this.answering('Key look-up failed', () => this.find(id));
    if (key === undefined) throw new CallFailure('notFound', `key ${id} not found`);
    return { keyInfo: { keyId: key.id, algorithm: key.type }, publicKey: key.publicBytes, role: key.role };
  }

  /** Signs a payload in Notary's encoding (protocol A.5). From then on the key counts as used. */
  async sign({ keyId, content }: SignatureRequest): Promise<SignatureMessage> {
    const key = await this.answering('Key look-up failed', () => this.find(keyId));
    if (key === undefined) throw new CallFailure('notFound', `signing key not found: ${keyId}`);
    return this.answering('Signing failed', async () => {
      const signer = this.keys.signer(key.gun);
      const signature = await signer.sign(key.id, content);
      if (signature === undefined) throw new CallFailure('notFound', `signing key not found: ${keyId}`);
      await signer.settle();
      const { method, bytes } = signature;
      return { keyInfo: { keyId: key.id, algorithm: key.type }, algorithm: method, content: bytes };
    });
  }

  /** The state of the signer, or of one of its services, as in gRPC's health service. */
  async checkHealth(name: string): Promise<number> {
    if (name !== '' && !HEALTH_NAMES.some((known) => known === name))
      throw new CallFailure('notFound', 'unknown service');
    try {
      await this.keys.check();
      return SERVING;
    } catch (error) {
      this.log.error('the signer cannot work', { error: String(error) });
      return NOT_SERVING;
    }
  }

  private async find(id: string): Promise<OnlineKey | undefined> {
    return isKeyId(id) ? this.keys.find(id as KeyId) : undefined;
  }

  /** Runs `work`. Its errors are logged, and not shown to the caller. */
  private async answering<T>(text: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof CallFailure) throw error;
      this.log.error(text, { error: String(error) });
      throw new CallFailure('internal', text, error);
    }
  }
}

function isKeyType(text: string): text is OnlineKeyType {
  return text === 'ecdsa' || text === 'ed25519';
}

function isOnlineRole(text: string): text is OnlineRole {
  return text === 'timestamp' || text === 'snapshot';
}

function readGun(text: string): Gun {
  try {
    return parseGun(text);
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw new CallFailure('invalidArgument', cause.message, cause);
  }
}
