import { SignetError } from '../errors/index.ts';
import type { Instant } from '../time.ts';
import { OID } from './algorithms.ts';
import { contextTag, DerReader, TAG } from './der.ts';
import { type CertificateUse, readExtensions, WITHOUT_EXTENSIONS } from './x509-extensions.ts';

/** What of an X.509 certificate matters here. */
export interface Certificate extends CertificateUse {
  readonly der: Buffer;
  /** The distinguished names as they stand, DER. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** The subject's common name; undefined if there is none, or more than one. */
  readonly commonName: string | undefined;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  /** Whether it is signed with SHA-256 or better. */
  readonly signatureIsStrong: boolean;
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
}

const STRONG_SIGNATURES: ReadonlySet<string> = new Set([
  OID.ecdsaWithSha256,
  OID.ecdsaWithSha384,
  OID.ecdsaWithSha512,
  OID.sha256WithRsa,
  OID.sha384WithRsa,
  OID.sha512WithRsa,
  OID.ed25519,
]);
const TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Reads one certificate (RFC 5280). Its signature is not checked: who issued it is for the caller to decide.
 *
 * Not `X509Certificate` of node:crypto: that prints names in a form that a hostile name can imitate, and does not
 * tell the signature's algorithm before Node 24. Throws `certificate-invalid`.
 */
export function parseCertificate(der: Buffer): Certificate {
  try {
    const certificate = DerReader.sequenceOf(der);
    const signed = certificate.sequence();
    const algorithm = certificate.whole(TAG.sequence);
    certificate.bitString();
    certificate.end();
    return { der, ...readSigned(signed, algorithm) };
  } catch (cause) {
    throw new SignetError('certificate-invalid', `could not parse certificate: ${(cause as Error).message}`, { cause });
  }
}

function readSigned(signed: DerReader, algorithm: Buffer): Omit<Certificate, 'der'> {
  if (signed.peek() === contextTag(0)) signed.sequence(contextTag(0)).integer();
  signed.content(TAG.integer);
  if (!signed.whole(TAG.sequence).equals(algorithm)) malformed('it names two signature algorithms');
  const issuer = signed.whole(TAG.sequence);
  const validity = signed.sequence();
  const [notBefore, notAfter] = [readTime(validity), readTime(validity)];
  validity.end();
  const subject = signed.whole(TAG.sequence);
  const commonName = readCommonName(DerReader.sequenceOf(subject));
  const spki = signed.whole(TAG.sequence);
  const use = signed.done ? WITHOUT_EXTENSIONS : readUse(signed.sequence(contextTag(3)));
  signed.end();
  const signatureIsStrong = STRONG_SIGNATURES.has(DerReader.sequenceOf(algorithm).oid());
  return { issuer, subject, commonName, notBefore, notAfter, signatureIsStrong, spki, ...use };
}

function readTime(validity: DerReader): Instant {
  const short = validity.optional(TAG.utcTime)?.toString('latin1');
  const text =
    short === undefined
      ? validity.content(TAG.generalizedTime).toString('latin1')
      : `${short < '50' ? '20' : '19'}${short}`;
  const [, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = TIME.exec(text)?.map(Number) ?? [];
  const instant = Date.UTC(year, month - 1, day, hour, minute, second);
  if (Number.isNaN(instant) || formatDerTime(instant) !== text) malformed('it has a time that does not exist');
  return instant;
}

/** The text of a GeneralizedTime: `20261123174535Z`. */
export function formatDerTime(instant: Instant): string {
  return `${new Date(instant).toISOString().replace(/[-T:]/g, '').slice(0, 14)}Z`;
}

function readCommonName(subject: DerReader): string | undefined {
  const names: string[] = [];
  while (!subject.done) {
    const set = subject.sequence(TAG.set);
    while (!set.done) {
      const attribute = set.sequence();
      if (attribute.oid() === OID.commonName) names.push(readText(attribute));
    }
  }
  return names.length === 1 ? names[0] : undefined;
}

function readText(reader: DerReader): string {
  const ascii = reader.optional(TAG.printableString) ?? reader.optional(TAG.ia5String);
  const bytes = ascii ?? reader.content(TAG.utf8String);
  const text = bytes.toString(ascii === undefined ? 'utf8' : 'ascii');
  if (!Buffer.from(text, 'utf8').equals(bytes)) malformed('its name is not valid text');
  return text;
}

function readUse(wrapper: DerReader): CertificateUse {
  const extensions = wrapper.sequence();
  wrapper.end();
  return readExtensions(extensions);
}

function malformed(why: string): never {
  throw new SignetError('certificate-invalid', why);
}
