import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { JWK } from 'jose';
import { SignetError } from '../../core/errors/index.ts';
import { quoted } from '../../core/printable.ts';

/** A key that an issuer of tokens signs with. */
export interface IssuerKey {
  /** Fixed by the kind of key: the header of a token chooses nothing. */
  readonly algorithm: 'RS256' | 'ES256';
  readonly key: KeyObject;
  /** What tokens call it: its fingerprint as libtrust makes it (protocol B.4), and its `kid` in a JWKS. */
  readonly ids: readonly string[];
}

const PEM = /-----BEGIN ((?:TRUSTED )?CERTIFICATE|PUBLIC KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** How much of a digest a fingerprint has, in bytes. */
const FINGERPRINT = 30;
const SMALLEST_RSA = 2048;

/**
 * Reads the keys of an issuer: certificates and public keys in PEM, or a JWKS. What has no use for it, as keys for
 * encryption in a JWKS, is passed over. Throws `token-key-invalid` if there is none, one is too weak, or one is private.
 */
export function parseIssuerKeys(text: string): readonly IssuerKey[] {
  if (text.includes('PRIVATE KEY-----'))
    throw invalid('there is a private key in it, which only the issuer should have');
  const keys = text.trimStart().startsWith('{') ? jwksKeys(text) : pemKeys(text);
  if (keys.length === 0) throw invalid('there is no certificate, public key or JWKS in it');
  return keys;
}

/** The name of a key in the header of docker's tokens (protocol B.4): twelve groups of four letters and digits. */
export function libtrustFingerprint(key: KeyObject): string {
  const digest = createHash('sha256')
    .update(key.export({ format: 'der', type: 'spki' }))
    .digest();
  const bits = [...digest.subarray(0, FINGERPRINT)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)] ?? '').join('');
  return letters.match(/.{4}/g)?.join(':') ?? '';
}

function pemKeys(text: string): readonly IssuerKey[] {
  return [...text.matchAll(PEM)].map(([pem, label]) =>
    issuerKey(
      readable(() => (label === 'PUBLIC KEY' ? createPublicKey(pem) : new X509Certificate(pem).publicKey)),
      [],
    ),
  );
}

function jwksKeys(text: string): readonly IssuerKey[] {
  const document: unknown = readable(() => JSON.parse(text));
  const entries = typeof document === 'object' && document !== null && 'keys' in document ? document.keys : undefined;
  if (!Array.isArray(entries)) throw invalid('its JSON has no "keys"');
  return entries.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) throw invalid('a key in it is no object');
    const { kty, use, kid, d, k } = entry as Readonly<Record<string, unknown>>;
    if (d !== undefined || k !== undefined)
      throw invalid('there is a private key in it, which only the issuer should have');
    if ((kty !== 'RSA' && kty !== 'EC') || (use !== undefined && use !== 'sig')) return [];
    const key = readable(() => createPublicKey({ key: entry as JWK, format: 'jwk' }));
    return [issuerKey(key, typeof kid === 'string' ? [kid] : [])];
  });
}

function issuerKey(key: KeyObject, ids: readonly string[]): IssuerKey {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  const all = [libtrustFingerprint(key), ...ids];
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= SMALLEST_RSA) return { algorithm: 'RS256', key, ids: all };
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return { algorithm: 'ES256', key, ids: all };
  throw invalid('a key in it is neither RSA of 2048 bits or more nor EC on P-256');
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalid(`it cannot be read (${quoted(cause instanceof Error ? cause.message : String(cause), 100)})`, cause);
  }
}

function invalid(why: string, cause?: unknown): SignetError {
  return new SignetError('token-key-invalid', `the keys of the token issuer cannot be used: ${why}`, {
    cause,
    next: "Give the issuer's certificate or public key in PEM, or its JWKS: --token-issuer-keys FILE",
  });
}
