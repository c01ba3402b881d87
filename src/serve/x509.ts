import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { OID } from '../core/keys/algorithms.ts';
import {
  bitString,
  contextTag,
  type DerNode,
  DerReader,
  encodeDer,
  integer,
  node,
  octetString,
  oid,
  sequence,
  TAG,
} from '../core/keys/der.ts';
import { formatPem } from '../core/keys/pem.ts';
import { formatDerTime } from '../core/keys/x509.ts';
import type { Instant } from '../core/time.ts';

/** What a certificate to be issued says. Keys are ECDSA keys on P-256. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** An authority that issues server certificates, or a server under these names. */
  readonly purpose: 'authority' | { readonly dnsNames: readonly string[]; readonly addresses: readonly string[] };
}

export interface Issuer {
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
const UTC_TIME_ENDS = Date.UTC(2050, 0, 1);

/** Issues a certificate (RFC 5280) signed with ECDSA and SHA-256, as PEM. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const body = sequence(
    node(contextTag(0), [integer(2)]),
    integer(randomBytes(16)),
    algorithm,
    distinguishedName(issuer.commonName),
    sequence(time(request.notBefore), time(request.notAfter)),
    distinguishedName(request.commonName),
    node(TAG.sequence, new DerReader(spkiOf(request.publicKey)).content(TAG.sequence)),
    node(contextTag(3), [sequence(...extensions(request, createPublicKey(issuer.privateKey)))]),
  );
  const signature = sign('sha256', encodeDer(body), issuer.privateKey);
  return formatPem('CERTIFICATE', new Map(), encodeDer(sequence(body, algorithm, bitString(signature))));
}

function extensions({ purpose, publicKey }: CertificateRequest, issuerKey: KeyObject): DerNode[] {
  const identifiers = [
    extension(EXTENSION.subjectKeyIdentifier, false, octetString(keyIdentifier(publicKey))),
    extension(EXTENSION.authorityKeyIdentifier, false, sequence(node(KEY_IDENTIFIER, keyIdentifier(issuerKey)))),
  ];
  if (purpose === 'authority') {
    const certSignAndCrlSign = bitString(Buffer.of(0b00000110), 1);
    return [
      extension(EXTENSION.basicConstraints, true, sequence(TRUE, integer(0))),
      extension(EXTENSION.keyUsage, true, certSignAndCrlSign),
      ...identifiers,
    ];
  }
  const digitalSignature = bitString(Buffer.of(0b10000000), 7);
  return [
    extension(EXTENSION.basicConstraints, true, sequence()),
    extension(EXTENSION.keyUsage, true, digitalSignature),
    extension(EXTENSION.extendedKeyUsage, false, sequence(oid(SERVER_AUTH))),
    extension(EXTENSION.subjectAltName, false, alternativeNames(purpose)),
    ...identifiers,
  ];
}

function alternativeNames({ dnsNames, addresses }: Exclude<CertificateRequest['purpose'], 'authority'>): DerNode {
  return sequence(
    ...dnsNames.map((name) => node(DNS_NAME, Buffer.from(name, 'latin1'))),
    ...addresses.map((address) => node(IP_ADDRESS, addressBytes(address))),
  );
}

function extension(name: string, critical: boolean, value: DerNode): DerNode {
  return sequence(oid(name), ...(critical ? [TRUE] : []), octetString(encodeDer(value)));
}

function distinguishedName(commonName: string): DerNode {
  const text = node(TAG.utf8String, Buffer.from(commonName, 'utf8'));
  return sequence(node(TAG.set, [sequence(oid(OID.commonName), text)]));
}

/** Fractions of a second are cut off; UTCTime until 2049 (RFC 5280, 4.1.2.5). */
function time(instant: Instant): DerNode {
  const digits = formatDerTime(instant);
  return instant < UTC_TIME_ENDS
    ? node(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : node(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
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
