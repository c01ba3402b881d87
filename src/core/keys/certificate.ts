import { nodeCrypto } from '../crypto.ts';
import { SignetError } from '../errors/index.ts';
import type { Gun } from '../names/gun.ts';
import type { KeyId } from '../names/key-id.ts';
import { DAY, type Instant, SECOND, UNEXPIRED } from '../time.ts';
import { formatPem, parsePem } from './pem.ts';
import { makePublicKey, type PublicKey } from './public-key.ts';
import type { Signer } from './signer.ts';
import { readSpki, verifyingKey } from './verifying-key.ts';
import { type Certificate, parseCertificate } from './x509.ts';
import { unsignedRootCertificate } from './x509-writer.ts';

/** A root key in the form that makes it one of a repository: wrapped in a certificate for the GUN (protocol A.13). */
export interface RootCertificate {
  /** The TUF ID of `key`. */
  readonly keyId: KeyId;
  /** The key as metadata lists it, certificates and all. */
  readonly key: PublicKey;
  readonly commonName: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly leaf: Certificate;
  /** Certificates of authorities that follow the leaf, in their order. */
  readonly intermediates: readonly Certificate[];
}

const VALIDITY = 3650 * DAY;
const MAX_CHAIN = 16;

/**
 * The certificate of a root key. Undefined if the key is to be skipped (protocol A.13.1 step 2): not exactly one
 * leaf, in the first place, or PEM text that is not byte for byte what Go writes (A.4), or a key that cannot verify
 * anything.
 */
export function rootCertificateOf(key: PublicKey): RootCertificate | undefined {
  if (!key.type.endsWith('-x509')) return undefined;
  try {
    verifyingKey(key);
    const blocks = parsePem(key.bytes);
    const rebuilt = blocks.map(({ bytes }) => formatPem('CERTIFICATE', new Map(), bytes)).join('');
    if (blocks.length > MAX_CHAIN || !key.bytes.equals(Buffer.from(rebuilt, 'utf8'))) return undefined;
    const [leaf, ...intermediates] = blocks.map(({ bytes }) => parseCertificate(bytes));
    if (leaf?.commonName === undefined || leaf.isAuthority) return undefined;
    if (!intermediates.every(({ isAuthority }) => isAuthority)) return undefined;
    const { commonName, notBefore, notAfter } = leaf;
    return { keyId: key.id, key, commonName, notBefore, notAfter, leaf, intermediates };
  } catch {
    return undefined;
  }
}

/**
 * Whether the certificate may be relied on at `now` (protocol A.13.1 step 3). Its intermediates must be valid too:
 * Notary drops those that are not, after which the key has another ID than the one its root lists (protocol G-20).
 */
export function isCertificateValid({ leaf, intermediates }: RootCertificate, now: Instant): boolean {
  try {
    for (const certificate of [leaf, ...intermediates]) checkCertificate(certificate, now);
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the certificate is one for `gun`: by its common name, or a prefix of it if the name ends in `*`. A prefix that
 * ends inside of the host is taken for all of it, unlike in Notary: it would be one of look-alike hosts as well.
 */
export function matchesGun({ commonName }: RootCertificate, gun: Gun): boolean {
  if (!commonName.endsWith('*')) return commonName === gun;
  const prefix = commonName.replace(/\*+$/, '');
  return gun.startsWith(prefix === '' || prefix.includes('/') ? prefix : `${prefix}/`);
}

/**
 * Checks one certificate by itself: dates (it may begin up to a day from now), signature algorithm, size of its key.
 * Throws `certificate-invalid`, or what `readSpki` throws.
 */
export function checkCertificate(certificate: Certificate, now: Instant): void {
  const { notBefore, notAfter, signatureIsStrong, spki } = certificate;
  if (notBefore > notAfter) invalid('it ends before it begins');
  if (now !== UNEXPIRED && notBefore > now + DAY)
    invalid(`it is not valid before ${new Date(notBefore).toISOString()}`);
  if (notAfter < now) invalid(`it expired at ${new Date(notAfter).toISOString()}`);
  if (!signatureIsStrong) invalid('it is signed with a weak algorithm');
  readSpki(spki);
}

/** A root certificate before its key has signed it. */
interface RootCertificateDraft {
  /** What the key signs as the body of a certificate, DER. */
  readonly body: Buffer;
  /** The key as metadata lists it, in the certificate with this signature. */
  signed(signature: Uint8Array): PublicKey;
}

/**
 * Issues the certificate that makes `key` a root key of `gun` (protocol A.13), valid from `now` for 3650 days, and
 * returns it as the public key for metadata. Throws `key-unsupported` for an Ed25519 key, and what `key` throws.
 */
export async function issueRootCertificate(key: Signer, gun: Gun, now: Instant): Promise<PublicKey> {
  const draft = draftRootCertificate(key, gun, now);
  return draft.signed(await key.signCertificate(draft.body));
}

/** The certificate that `issueRootCertificate` has the key sign. Throws `key-unsupported` for an Ed25519 key. */
export function draftRootCertificate(
  key: Pick<Signer, 'type' | 'publicKey'>,
  gun: Gun,
  now: Instant,
): RootCertificateDraft {
  const notBefore = Math.floor(now / SECOND) * SECOND;
  const { body, signed } = unsignedRootCertificate(key, {
    serial: nodeCrypto().randomBytes(16),
    commonName: gun,
    notBefore,
    notAfter: notBefore + VALIDITY,
  });
  return {
    body,
    signed: (signature) =>
      makePublicKey(`${key.type}-x509`, Buffer.from(formatPem('CERTIFICATE', new Map(), signed(signature)), 'utf8')),
  };
}

function invalid(why: string): never {
  throw new SignetError('certificate-invalid', `invalid certificate: ${why}`);
}
