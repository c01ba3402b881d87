import { SignetError } from '../errors/index.ts';
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
import type { PrivateKey } from './private-key.ts';
import { formatDerTime } from './x509.ts';

/** What varies between root certificates. */
export interface CertificateBody {
  /** A positive number, big-endian. */
  readonly serial: Uint8Array;
  /** Subject and issuer. */
  readonly commonName: string;
  /** Whole seconds. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;
const TRUE = Buffer.of(0xff);

/**
 * A self-signed certificate with exactly the fields of Notary's root certificates, in their order (protocol A.13), as
 * DER. Throws `key-unsupported` for an Ed25519 key.
 */
export function signedCertificate(key: PrivateKey, body: CertificateBody): Buffer {
  const algorithm = signatureAlgorithm(key);
  const name = sequence(node(TAG.set, [sequence(oid(OID.commonName), text(body.commonName))]));
  const signed = sequence(
    node(contextTag(0), [integer(2)]),
    integer(body.serial),
    algorithm,
    name,
    sequence(time(body.notBefore), time(body.notAfter)),
    name,
    node(TAG.sequence, new DerReader(key.publicKey.bytes).content(TAG.sequence)),
    node(contextTag(3), [sequence(...extensions())]),
  );
  const signature = key.signCertificate(encodeDer(signed));
  return encodeDer(sequence(signed, algorithm, bitString(signature)));
}

function signatureAlgorithm({ type }: PrivateKey): DerNode {
  switch (type) {
    case 'ecdsa':
      return sequence(oid(OID.ecdsaWithSha256));
    case 'rsa':
      return sequence(oid(OID.sha256WithRsa), node(TAG.null, []));
    case 'ed25519':
      throw new SignetError('key-unsupported', 'a root certificate needs an ECDSA or RSA key');
  }
}

function extensions(): DerNode[] {
  const digitalSignatureAndKeyEncipherment = bitString(Buffer.of(0b10100000), 5);
  return [
    extension(OID.keyUsage, 'critical', digitalSignatureAndKeyEncipherment),
    extension(OID.extendedKeyUsage, 'optional', sequence(oid(OID.codeSigning))),
    extension(OID.basicConstraints, 'critical', sequence()),
  ];
}

function extension(name: string, weight: 'critical' | 'optional', value: DerNode): DerNode {
  const critical = weight === 'critical' ? [node(TAG.boolean, TRUE)] : [];
  return sequence(oid(name), ...critical, octetString(encodeDer(value)));
}

function text(value: string): DerNode {
  return node(PRINTABLE.test(value) ? TAG.printableString : TAG.utf8String, Buffer.from(value, 'utf8'));
}

/** UTCTime until 2049, as RFC 5280 asks for. */
function time(instant: Instant): DerNode {
  const digits = formatDerTime(instant);
  const isShort = digits >= '1950' && digits < '2050';
  return isShort
    ? node(TAG.utcTime, Buffer.from(digits.slice(2), 'latin1'))
    : node(TAG.generalizedTime, Buffer.from(digits, 'latin1'));
}
