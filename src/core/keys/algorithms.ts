/** Object identifiers of keys, their encryption and certificates. */
export const OID = {
  ecPublicKey: '1.2.840.10045.2.1',
  rsaEncryption: '1.2.840.113549.1.1.1',
  /** RFC 8410. */
  ed25519: '1.3.101.112',
  /** Notary's own, for its 96-byte private keys (protocol C.2.1). */
  notaryEd25519: '1.3.6.1.4.1.11591.15.1',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha1: '1.2.840.113549.2.7',
  hmacSha256: '1.2.840.113549.2.9',
  hmacSha512: '1.2.840.113549.2.11',
  aes128Cbc: '2.16.840.1.101.3.4.1.2',
  aes192Cbc: '2.16.840.1.101.3.4.1.22',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  sha384WithRsa: '1.2.840.113549.1.1.12',
  sha512WithRsa: '1.2.840.113549.1.1.13',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
  ecdsaWithSha512: '1.2.840.10045.4.3.4',
  commonName: '2.5.4.3',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  extendedKeyUsage: '2.5.29.37',
  anyPurpose: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
} as const;

/** An elliptic curve by the names that OpenSSL and DER know it under. */
export interface Curve {
  readonly name: string;
  readonly oid: string;
  /** Bytes of one coordinate, of the private scalar, and of half a signature. */
  readonly size: number;
  readonly bits: number;
}

/** The curves that Notary reads; it generates only the first (protocol A.4). */
export const CURVES: readonly Curve[] = [
  { name: 'prime256v1', oid: '1.2.840.10045.3.1.7', size: 32, bits: 256 },
  { name: 'secp224r1', oid: '1.3.132.0.33', size: 28, bits: 224 },
  { name: 'secp384r1', oid: '1.3.132.0.34', size: 48, bits: 384 },
  { name: 'secp521r1', oid: '1.3.132.0.35', size: 66, bits: 521 },
];

/** RSA keys below this are refused everywhere (protocol A.4). */
export const MIN_RSA_BITS = 2048;
/** RSA keys above this cost more time to verify with than anyone gains. */
export const MAX_RSA_BITS = 8192;
