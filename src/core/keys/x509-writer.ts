import { SignetError } from '../errors/index.ts';
import type { Instant } from '../time.ts';
import { OID } from './algorithms.ts';
import { bitString, type DerNode, node, oid, sequence, TAG } from './der.ts';
import type { Signer } from './signer.ts';
import { commonNameOnly, extension, type UnsignedCertificate, unsignedCertificate } from './x509-parts.ts';

/** What varies between root certificates. */
interface CertificateBody {
  /** A positive number, big-endian. */
  readonly serial: Uint8Array;
  /** Subject and issuer. */
  readonly commonName: string;
  /** Whole seconds. */
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

const PRINTABLE = /^[A-Za-z0-9 '()+,\-./:=?]*$/;

/**
 * A certificate with exactly the fields of Notary's root certificates, in their order (protocol A.13), to be signed by the
 * key itself. Throws `key-unsupported` for an Ed25519 key.
 */
export function unsignedRootCertificate(
  key: Pick<Signer, 'type' | 'publicKey'>,
  body: CertificateBody,
): UnsignedCertificate {
  const name = commonNameOnly(text(body.commonName));
  return unsignedCertificate({
    serial: body.serial,
    algorithm: signatureAlgorithm(key),
    issuer: name,
    subject: name,
    notBefore: body.notBefore,
    notAfter: body.notAfter,
    spki: key.publicKey.bytes,
    extensions: extensions(),
  });
}

function signatureAlgorithm({ type }: Pick<Signer, 'type'>): DerNode {
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

function text(value: string): DerNode {
  return node(PRINTABLE.test(value) ? TAG.printableString : TAG.utf8String, Buffer.from(value, 'utf8'));
}
