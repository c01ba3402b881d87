import type { Instant } from '../time.ts';
import { OID } from './algorithms.ts';
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
} from './der.ts';
import { formatDerTime } from './x509.ts';

/** What stands in every certificate that is issued (RFC 5280, 4.1). */
interface CertificateFields {
  /** A positive number, big-endian. */
  readonly serial: Uint8Array;
  /** The AlgorithmIdentifier of the issuer's signature. */
  readonly algorithm: DerNode;
  readonly issuer: DerNode;
  readonly subject: DerNode;
  /** Fractions of a second are cut off. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** The subject's SubjectPublicKeyInfo, as DER. */
  readonly spki: Uint8Array;
  readonly extensions: readonly DerNode[];
}

const TRUE = node(TAG.boolean, Buffer.of(0xff));

/** A certificate of version 3 before it is signed: between the two, its issuer may be far away. */
export interface UnsignedCertificate {
  /** The bytes to sign (TBSCertificate), DER. */
  readonly body: Buffer;
  /** The certificate with this signature over `body`, DER. */
  signed(signature: Uint8Array): Buffer;
}

/** Puts a certificate together (RFC 5280, 4.1). Throws `key-malformed` if `spki` is not DER. */
export function unsignedCertificate(fields: CertificateFields): UnsignedCertificate {
  const { serial, algorithm, issuer, subject, notBefore, notAfter, spki, extensions } = fields;
  const signed = sequence(
    node(contextTag(0), [integer(2)]),
    integer(serial),
    algorithm,
    issuer,
    sequence(time(notBefore), time(notAfter)),
    subject,
    node(TAG.sequence, new DerReader(spki).content(TAG.sequence)),
    node(contextTag(3), [sequence(...extensions)]),
  );
  return {
    body: encodeDer(signed),
    signed: (signature) => encodeDer(sequence(signed, algorithm, bitString(signature))),
  };
}

/** A distinguished name of nothing but a common name, whose text is a node of its own type. */
export function commonNameOnly(text: DerNode): DerNode {
  return sequence(node(TAG.set, [sequence(oid(OID.commonName), text)]));
}

/** Builds one extension of a certificate. */
export function extension(name: string, weight: 'critical' | 'optional', value: DerNode): DerNode {
  return sequence(oid(name), ...(weight === 'critical' ? [TRUE] : []), octetString(encodeDer(value)));
}

/** UTCTime until 2049, as RFC 5280 asks for (4.1.2.5). */
function time(instant: Instant): DerNode {
  const digits = formatDerTime(instant);
  const isShort = digits >= '1950' && digits < '2050';
  return isShort
    ? node(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : node(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}
