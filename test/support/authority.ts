import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { OID } from '../../src/core/keys/algorithms.ts';
import { bitString, type DerNode, integer, node, oid, sequence, TAG } from '../../src/core/keys/der.ts';
import { formatPem } from '../../src/core/keys/pem.ts';
import { generatePrivateKey, type PrivateKey } from '../../src/core/keys/private-key.ts';
import { makePublicKey, type PublicKey } from '../../src/core/keys/public-key.ts';
import { type Certificate, parseCertificate } from '../../src/core/keys/x509.ts';
import { commonNameOnly, extension, unsignedCertificate } from '../../src/core/keys/x509-parts.ts';
import { DAY, type Instant } from '../../src/core/time.ts';
import { NOW } from './simulator.ts';
import type { TestKeys } from './test-keys.ts';

/** The first byte of keyUsage. */
export const KEY_USAGE = { digitalSignature: 0b1000_0000, keyCertSign: 0b0000_0100 } as const;

/** The contents of a certificate besides its names and its key. */
export interface Paper {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  /** The first byte; no extension if absent. */
  readonly keyUsage?: number;
  /** Dotted identifiers of extKeyUsage; no extension if absent. */
  readonly purposes?: readonly string[];
  /** The dotted identifier of an additional critical extension. */
  readonly critical?: string;
  readonly digest?: 'sha256' | 'sha1';
}

const ALGORITHMS = {
  ec: { sha256: [oid(OID.ecdsaWithSha256)], sha1: [oid('1.2.840.10045.4.1')] },
  rsa: {
    sha256: [oid(OID.sha256WithRsa), node(TAG.null, [])],
    sha1: [oid('1.2.840.113549.1.1.5'), node(TAG.null, [])],
  },
} as const;
const TRUE = node(TAG.boolean, Buffer.of(0xff));
const AUTHORITY: Paper = { isAuthority: true, keyUsage: KEY_USAGE.keyCertSign };

/** A certificate authority that signs anything. */
export class Authority {
  readonly name: string;
  readonly certificate: Certificate;
  private readonly privateKey: KeyObject;

  private constructor(name: string, der: Buffer, privateKey: KeyObject) {
    this.name = name;
    this.certificate = parseCertificate(der);
    this.privateKey = privateKey;
  }

  /** A self-signed authority. */
  static root(name: string, paper: Paper = {}, keys = keyPair()): Authority {
    const der = certificate(name, name, keys.publicKey, { ...AUTHORITY, ...paper }, keys.privateKey);
    return new Authority(name, der, keys.privateKey);
  }

  /** An authority certified by this one. With `keys` of another authority, cross-signs that one. */
  authority(name: string, paper: Paper = {}, keys = keyPair()): Authority {
    const der = certificate(this.name, name, keys.publicKey, { ...AUTHORITY, ...paper }, this.privateKey);
    return new Authority(name, der, keys.privateKey);
  }

  /**
   * Creates a root key with this common name and adds it to `keys`; `chain` are the certificates that follow its own.
   */
  rootKey(keys: TestKeys, commonName: string, chain: readonly Authority[] = [], paper: Paper = {}): PublicKey {
    return this.certify(keys.add(generatePrivateKey('ecdsa')), commonName, chain, paper);
  }

  /** `rootKey` for an existing key. */
  certify(key: PrivateKey, commonName: string, chain: readonly Authority[] = [], paper: Paper = {}): PublicKey {
    const own = certificate(this.name, commonName, key.publicKey.bytes, paper, this.privateKey);
    const all = [own, ...chain.map((authority) => authority.certificate.der)];
    return makePublicKey('ecdsa-x509', Buffer.from(all.map(pemOf).join('')));
  }

  get pem(): string {
    return pemOf(this.certificate.der);
  }
}

/** An ordinary key, for a root or an authority. */
export function keyPair(): { readonly publicKey: Buffer; readonly privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey };
}

export function rsaKeyPair(modulusLength: number): ReturnType<typeof keyPair> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength });
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }), privateKey };
}

function pemOf(der: Buffer): string {
  return formatPem('CERTIFICATE', new Map(), der);
}

function certificate(issuer: string, subject: string, spki: Buffer, paper: Paper, signer: KeyObject): Buffer {
  const { from = NOW - DAY, to = NOW + 100 * DAY, digest = 'sha256' } = paper;
  const { body, signed } = unsignedCertificate({
    serial: randomBytes(8),
    algorithm: sequence(...ALGORITHMS[signer.asymmetricKeyType === 'rsa' ? 'rsa' : 'ec'][digest]),
    issuer: nameOf(issuer),
    subject: nameOf(subject),
    notBefore: from,
    notAfter: to,
    spki,
    extensions: extensionsOf(paper),
  });
  return signed(sign(digest, body, signer));
}

function extensionsOf({ isAuthority = false, pathLength, keyUsage, purposes, critical }: Paper): DerNode[] {
  const constraints = [...(isAuthority ? [TRUE] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])];
  const extensions = [extension(OID.basicConstraints, 'critical', sequence(...constraints))];
  if (keyUsage !== undefined) extensions.push(extension(OID.keyUsage, 'critical', bitString(Buffer.of(keyUsage))));
  if (purposes !== undefined)
    extensions.push(extension(OID.extendedKeyUsage, 'optional', sequence(...purposes.map(oid))));
  if (critical !== undefined) extensions.push(extension(critical, 'critical', sequence()));
  return extensions;
}

function nameOf(text: string): DerNode {
  return commonNameOnly(node(TAG.utf8String, Buffer.from(text)));
}
