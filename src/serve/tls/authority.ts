import { createPublicKey, generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { SignetError } from '../../core/errors/index.ts';
import { parseCertificate } from '../../core/keys/x509.ts';
import { DAY, HOUR, type Instant } from '../../core/time.ts';
import { writePrivateFile } from '../../store/files.ts';
import type { DataFolder } from '../data/data-folder.ts';
import type { OwnNames } from './own-names.ts';
import {
  loadServerCertificate,
  notAfter,
  notBefore,
  readCertificates,
  readKey,
  type ServerCertificate,
} from './server-certificate.ts';
import { issueCertificate } from './x509.ts';

/** How the names of all authorities begin. */
export const AUTHORITY_NAME = 'Signet authority of ';
const AUTHORITY_LIFE = 3652 * DAY;
/** Clients of Apple refuse certificates that live longer than 825 days; this one is renewed by itself. */
const SERVER_LIFE = 397 * DAY;
/** A server's certificate is replaced when less than this is left. */
export const RENEWAL = 30 * DAY;
/** Clocks of clients may be this much behind. */
const SKEW = HOUR;

/**
 * The certificate authority of one data folder. It issues the certificate of this server and nothing else, and is what
 * clients are told to trust: the certificate can then be renewed without them.
 */
export class Authority {
  readonly certificate: X509Certificate;
  private readonly folder: DataFolder;
  private readonly key: KeyObject;

  private constructor(folder: DataFolder, certificate: X509Certificate, key: KeyObject) {
    this.folder = folder;
    this.certificate = certificate;
    this.key = key;
  }

  /**
   * Opens the authority of a data folder, or creates it if there is none. An authority that is there but cannot be
   * used is never replaced, since clients trust it. Throws `certificate-unusable` or `authority-expired`.
   */
  static open(folder: DataFolder, machine: string, now: Instant): Authority {
    if (!existsSync(folder.authorityCertificate)) makeAuthority(folder, machine, now);
    const [certificate] = readCertificates(folder.authorityCertificate);
    const key = readKey(folder.authorityKey);
    if (certificate === undefined || !certificate.checkPrivateKey(key)) {
      throw new SignetError(
        'certificate-unusable',
        `${folder.authorityKey} is not the key of ${folder.authorityCertificate}`,
      );
    }
    if (notAfter(certificate) <= now) {
      throw new SignetError('authority-expired', `the local authority expired at ${certificate.validTo}`);
    }
    return new Authority(folder, certificate, key);
  }

  /** The authority's certificate as PEM. */
  get pem(): string {
    return this.certificate.toString();
  }

  /** The server's certificate: the one in the data folder if it serves `names` for a while yet, or else a new one. */
  serverCertificate(names: OwnNames, now: Instant): ServerCertificate {
    const present = this.present(now);
    if (present !== undefined && this.isGood(present, names, now)) return present;
    const { privateKey, publicKey } = generateKey();
    const [first = 'localhost'] = names.dnsNames;
    const pem = issueCertificate(
      {
        commonName: first,
        publicKey,
        notBefore: now - SKEW,
        notAfter: Math.min(now + SERVER_LIFE, notAfter(this.certificate)),
        purpose: { dnsNames: names.dnsNames, addresses: names.addresses },
      },
      { commonName: this.commonName, privateKey: this.key },
    );
    writePrivateFile(this.folder.serverKey, pemOf(privateKey));
    writePrivateFile(this.folder.serverCertificate, Buffer.from(pem));
    return loadServerCertificate(this.folder.serverCertificate, this.folder.serverKey, now);
  }

  private get commonName(): string {
    return parseCertificate(this.certificate.raw).commonName ?? '';
  }

  /** A certificate that cannot be used, cut off by a crash for example, counts as missing. */
  private present(now: Instant): ServerCertificate | undefined {
    try {
      return loadServerCertificate(this.folder.serverCertificate, this.folder.serverKey, now);
    } catch {
      return undefined;
    }
  }

  private isGood({ leaf }: ServerCertificate, names: OwnNames, now: Instant): boolean {
    const isOurs = leaf.verify(createPublicKey(this.key));
    const namesAll =
      names.dnsNames.every((name) => leaf.checkHost(name) !== undefined) &&
      names.addresses.every((address) => leaf.checkIP(address) !== undefined);
    const isLast = notAfter(leaf) >= notAfter(this.certificate);
    return isOurs && namesAll && (isLast || notAfter(leaf) - now >= RENEWAL) && notBefore(leaf) <= now;
  }
}

/** The key is written first: without a certificate it is nothing, and a crash in between leaves no half authority. */
function makeAuthority(folder: DataFolder, machine: string, now: Instant): void {
  mkdirSync(folder.tls, { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKey();
  const commonName = `${AUTHORITY_NAME}${machine.slice(0, 40)}`;
  const pem = issueCertificate(
    { commonName, publicKey, notBefore: now - SKEW, notAfter: now + AUTHORITY_LIFE, purpose: 'authority' },
    { commonName, privateKey },
  );
  writePrivateFile(folder.authorityKey, pemOf(privateKey));
  writePrivateFile(folder.authorityCertificate, Buffer.from(pem));
}

function generateKey(): { privateKey: KeyObject; publicKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function pemOf(key: KeyObject): Buffer {
  return Buffer.from(key.export({ type: 'pkcs8', format: 'pem' }));
}
