import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { OID } from '../../core/keys/algorithms.ts';
import { bitString, type DerNode, integer, node, octetString, oid, sequence, TAG } from '../../core/keys/der.ts';
import { formatPem } from '../../core/keys/pem.ts';
import { commonNameOnly, extension, unsignedCertificate } from '../../core/keys/x509-parts.ts';
import type { Instant } from '../../core/time.ts';

/** What a certificate to be issued says. Keys are ECDSA keys on P-256. */
interface CertificateRequest {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** An authority that issues server certificates, or a server under these names. */
  readonly purpose: 'authority' | { readonly dnsNames: readonly string[]; readonly addresses: readonly string[] };
}

interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
}

const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: OID.keyUsage,
  subjectAltName: '2.5.29.17',
  basicConstraints: OID.basicConstraints,
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: OID.extendedKeyUsage,
} as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const TRUE = node(TAG.boolean, Buffer.of(0xff));
/** The tags `[n]` of implicitly tagged members. */
const KEY_IDENTIFIER = 0x80;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;

/** Issues a certificate (RFC 5280) signed with ECDSA and SHA-256, as PEM. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): string {
  const { body, signed } = unsignedCertificate({
    serial: randomBytes(16),
    algorithm: sequence(oid(OID.ecdsaWithSha256)),
    issuer: nameOf(issuer.commonName),
    subject: nameOf(request.commonName),
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    spki: spkiOf(request.publicKey),
    extensions: extensions(request, createPublicKey(issuer.privateKey)),
  });
  const der = signed(sign('sha256', body, issuer.privateKey));
  return formatPem('CERTIFICATE', new Map(), der);
}

function extensions({ purpose, publicKey }: CertificateRequest, issuerKey: KeyObject): DerNode[] {
  const identifiers = [
    extension(EXTENSION.subjectKeyIdentifier, 'optional', octetString(keyIdentifier(publicKey))),
    extension(EXTENSION.authorityKeyIdentifier, 'optional', sequence(node(KEY_IDENTIFIER, keyIdentifier(issuerKey)))),
  ];
  if (purpose === 'authority') {
    const certSignAndCrlSign = bitString(Buffer.of(0b00000110), 1);
    return [
      extension(EXTENSION.basicConstraints, 'critical', sequence(TRUE, integer(0))),
      extension(EXTENSION.keyUsage, 'critical', certSignAndCrlSign),
      ...identifiers,
    ];
  }
  const digitalSignature = bitString(Buffer.of(0b10000000), 7);
  return [
    extension(EXTENSION.basicConstraints, 'critical', sequence()),
    extension(EXTENSION.keyUsage, 'critical', digitalSignature),
    extension(EXTENSION.extendedKeyUsage, 'optional', sequence(oid(SERVER_AUTH))),
    extension(EXTENSION.subjectAltName, 'optional', alternativeNames(purpose)),
    ...identifiers,
  ];
}

function alternativeNames({ dnsNames, addresses }: Exclude<CertificateRequest['purpose'], 'authority'>): DerNode {
  return sequence(
    ...dnsNames.map((name) => node(DNS_NAME, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => node(IP_ADDRESS, addressBytes(address))),
  );
}

function nameOf(commonName: string): DerNode {
  return commonNameOnly(node(TAG.utf8String, Buffer.from(commonName, 'utf8')));
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** SHA-256 of the whole SubjectPublicKeyInfo, cut to 160 bits (RFC 7093, method 4). */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256').update(spkiOf(key)).digest().subarray(0, 20);
}

/** The 4 or 16 bytes of an IP address in text form. */
function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail = ''] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = groups.includes('::') ? Array<string>(8 - before.length - after.length).fill('0') : [];
  return Buffer.from([...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
