import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { SignetError } from '../../core/errors/index.ts';
import { formatPem, parsePem } from '../../core/keys/pem.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Instant } from '../../core/time.ts';
import { readSmallFile } from '../../store/files.ts';

/** What a TLS server needs: a certificate, with those of its issuers, and its private key, both as PEM. */
export interface ServerCertificate {
  readonly chain: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

/**
 * Reads a PEM certificate chain, the server's own first, and its unencrypted private key.
 * Throws `certificate-unusable` where they cannot be read, do not belong together, or are not valid at `now`.
 */
export function loadServerCertificate(certificateFile: string, keyFile: string, now: Instant): ServerCertificate {
  const chain = readCertificates(certificateFile);
  const [leaf] = chain;
  if (leaf === undefined) throw unusable(`there is no certificate in ${certificateFile}`);
  const key = readKey(keyFile);
  if (!leaf.checkPrivateKey(key))
    throw unusable(`${keyFile} is not the key of the first certificate in ${certificateFile}`);
  if (notBefore(leaf) > now) throw unusable(`${certificateFile} is not valid before ${leaf.validFrom}`);
  if (notAfter(leaf) <= now) throw unusable(`${certificateFile} expired at ${leaf.validTo}`);
  return {
    chain: chain.map(({ raw }) => formatPem('CERTIFICATE', new Map(), raw)).join(''),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    leaf,
  };
}

/** Every certificate of a PEM file. Throws `certificate-unusable`. */
export function readCertificates(file: string): readonly X509Certificate[] {
  try {
    const blocks = parsePem(readFile(file)).filter(({ type }) => type === 'CERTIFICATE');
    return blocks.map(({ bytes }) => new X509Certificate(bytes));
  } catch (cause) {
    throw unusable(`cannot read the certificate ${file}: ${reasonOf(cause)}`, cause);
  }
}

/** All certificates of a PEM file of authorities, as PEM. Throws `certificate-unusable`, also if there is none. */
export function readAuthorities(file: string): Buffer {
  const certificates = readCertificates(file);
  if (certificates.length === 0) throw unusable(`there is no certificate in ${file}`);
  return Buffer.from(certificates.map(String).join(''));
}

/** An unencrypted private key in PEM. Throws `certificate-unusable`. */
export function readKey(file: string): KeyObject {
  try {
    const pem = readFile(file);
    try {
      return createPrivateKey({ key: pem, format: 'pem' });
    } finally {
      pem.fill(0);
    }
  } catch (cause) {
    throw unusable(`cannot read the private key ${file}: ${reasonOf(cause)}`, cause);
  }
}

function readFile(file: string): Buffer {
  const content = readSmallFile(file, LIMITS.keyFile, true);
  if (content === undefined) throw new Error('there is no such file');
  return content;
}

/** When a certificate becomes valid. */
export function notBefore({ validFrom }: X509Certificate): Instant {
  return Date.parse(validFrom);
}

/** When a certificate expires. */
export function notAfter({ validTo }: X509Certificate): Instant {
  return Date.parse(validTo);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function unusable(message: string, cause?: unknown): SignetError {
  return new SignetError('certificate-unusable', message, { cause });
}
