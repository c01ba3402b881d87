import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';

const FORMAT = 1;
const NONCE = 12;
const TAG = 16;

/**
 * Seals private keys at rest with AES-256-GCM under one master key. A sealed value is one byte of format, 12 bytes of
 * nonce, the ciphertext, and 16 bytes of tag; it opens only together with the context it was sealed in.
 */
export class Vault {
  private readonly masterKey: KeyObject;

  /** `masterKey` has 32 bytes; it is copied, so the caller can wipe its own. Throws `master-key-invalid`. */
  constructor(masterKey: Buffer) {
    if (masterKey.length !== 32) {
      throw new SignetError('master-key-invalid', `the master key has ${masterKey.length} bytes instead of 32`);
    }
    this.masterKey = createSecretKey(masterKey);
  }

  seal(secret: Uint8Array, context: readonly string[]): Buffer {
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', this.masterKey, nonce).setAAD(contextBytes(context));
    const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([Buffer.from([FORMAT]), nonce, ciphertext, cipher.getAuthTag()]);
  }

  /** What another vault sealed, sealed by this one in the same context. Throws `online-key-unreadable`. */
  sealAgain(other: Vault, sealed: Uint8Array, context: readonly string[]): Buffer {
    const secret = other.open(sealed, context);
    try {
      return this.seal(secret, context);
    } finally {
      secret.fill(0);
    }
  }

  /** The secret, for the caller to wipe. Throws `online-key-unreadable`. */
  open(sealed: Uint8Array, context: readonly string[]): Buffer {
    if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE + TAG) throw keyUnreadable(context);
    const nonce = sealed.subarray(1, 1 + NONCE);
    const decipher = createDecipheriv('aes-256-gcm', this.masterKey, nonce, { authTagLength: TAG })
      .setAAD(contextBytes(context))
      .setAuthTag(sealed.subarray(-TAG));
    const secret = decipher.update(sealed.subarray(1 + NONCE, -TAG));
    try {
      decipher.final();
      return secret;
    } catch (cause) {
      secret.fill(0);
      throw keyUnreadable(context, cause);
    }
  }
}

/** None of the names can contain a zero byte, so different contexts never have the same bytes. */
function contextBytes(context: readonly string[]): Buffer {
  return Buffer.from(context.join('\0'), 'utf8');
}

/** The error of a key that does not open. */
export function keyUnreadable(context: readonly string[], cause?: unknown): SignetError {
  return new SignetError('online-key-unreadable', `cannot open the server's key (${context.join(', ')})`, { cause });
}
