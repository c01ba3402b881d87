import { SignetError } from '../errors/index.ts';
import { OID } from './algorithms.ts';
import { DerReader, TAG } from './der.ts';

/** What a certificate says of its own use (RFC 5280, 4.2.1). */
export interface CertificateUse {
  /** Whether it may issue others (basicConstraints, CA). */
  readonly isAuthority: boolean;
  /** How many authorities may stand between it and the leaf; undefined if that is not limited. */
  readonly pathLength: number | undefined;
  /** Whether its key may sign certificates, as far as keyUsage says: also if there is none. */
  readonly maySignCertificates: boolean;
  /** The purposes of extKeyUsage, as dotted identifiers; undefined if it has none and serves all. */
  readonly purposes: ReadonlySet<string> | undefined;
  /** Whether it has a critical extension that is not known here: then no chain may rely on it. */
  readonly hasUnknownCritical: boolean;
}

export const WITHOUT_EXTENSIONS: CertificateUse = {
  isAuthority: false,
  pathLength: undefined,
  maySignCertificates: true,
  purposes: undefined,
  hasUnknownCritical: false,
};

const MAX_EXTENSIONS = 64;
const MAX_PURPOSES = 32;
/** The place of keyCertSign in the first byte of keyUsage. */
const KEY_CERT_SIGN = 0b0000_0100;

/** What may be critical without harm: what is read here, and names and policies that no root certificate is chosen by. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.subjectAltName,
  OID.certificatePolicies,
]);

/** Reads the extensions of a certificate. Throws `certificate-invalid` or `key-malformed`. */
export function readExtensions(extensions: DerReader): CertificateUse {
  const seen = new Set<string>();
  let use = WITHOUT_EXTENSIONS;
  while (!extensions.done) {
    const extension = extensions.sequence();
    const name = extension.oid();
    if (seen.has(name) || seen.size === MAX_EXTENSIONS) malformed('it has an extension twice, or too many');
    seen.add(name);
    const isCritical = extension.peek() === TAG.boolean && extension.boolean();
    const value = extension.content(TAG.octetString);
    extension.end();
    if (isCritical && !UNDERSTOOD.has(name)) use = { ...use, hasUnknownCritical: true };
    use = { ...use, ...READERS.get(name)?.(value) };
  }
  return use;
}

const READERS: ReadonlyMap<string, (value: Buffer) => Partial<CertificateUse>> = new Map([
  [OID.basicConstraints, readBasicConstraints],
  [OID.keyUsage, readKeyUsage],
  [OID.extendedKeyUsage, readPurposes],
]);

function readBasicConstraints(value: Buffer): Partial<CertificateUse> {
  const constraints = DerReader.sequenceOf(value);
  const isAuthority = constraints.peek() === TAG.boolean && constraints.boolean();
  const pathLength = constraints.done ? undefined : constraints.integer();
  constraints.end();
  return { isAuthority, pathLength };
}

function readKeyUsage(value: Buffer): Partial<CertificateUse> {
  const reader = new DerReader(value);
  const [unused, first = 0] = reader.content(TAG.bitString);
  reader.end();
  if (unused === undefined || unused > 7) malformed('its key usage is malformed');
  return { maySignCertificates: (first & KEY_CERT_SIGN) !== 0 };
}

function readPurposes(value: Buffer): Partial<CertificateUse> {
  const list = DerReader.sequenceOf(value);
  const purposes = new Set<string>();
  while (!list.done) {
    purposes.add(list.oid());
    if (purposes.size > MAX_PURPOSES) malformed('it has too many purposes');
  }
  return { purposes };
}

function malformed(why: string): never {
  throw new SignetError('certificate-invalid', why);
}
