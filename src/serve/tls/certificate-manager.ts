import type { X509Certificate } from 'node:crypto';
import type { Instant } from '../../core/time.ts';
import type { Log } from '../observe/log.ts';
import type { CertificateSource } from './certificate-source.ts';
import { notAfter, notBefore, type ServerCertificate } from './server-certificate.ts';

/** What shows the certificate to clients. */
interface CertificateBearer {
  replaceCertificate(certificate: ServerCertificate): Promise<void>;
}

/** The certificate in use, and its change while the server runs. */
export class CertificateManager {
  readonly source: CertificateSource;
  private readonly log: Log;
  private certificate: ServerCertificate;
  /** The failure that the log knows of. */
  private reported: string | undefined;

  /** Throws `certificate-unusable`. */
  constructor(source: CertificateSource, log: Log, now: Instant) {
    this.source = source;
    this.log = log;
    this.certificate = source.load(now);
    this.report(now);
  }

  get current(): ServerCertificate {
    return this.certificate;
  }

  /** Why clients refuse the certificate in use: it, or the local authority, is not valid yet or no more. */
  failure(now: Instant): string | undefined {
    const { authority } = this.source;
    return (
      invalidity(this.certificate.leaf, now, 'it') ??
      (authority === undefined ? undefined : invalidity(authority, now, 'the local authority'))
    );
  }

  /** Takes a renewed certificate into use. One that cannot be used is logged, and the former one stays. */
  async renew(bearer: CertificateBearer, now: Instant): Promise<void> {
    try {
      await this.replace(bearer, now);
    } catch (error) {
      this.log.error('the certificate could not be replaced', { error: String(error) });
    }
    this.report(now);
  }

  /**
   * Tells the log when the certificate becomes invalid, as when the clock is set, and when it is valid again. Takes
   * another one into use if there is one that is valid.
   */
  async watch(bearer: CertificateBearer, now: Instant): Promise<void> {
    if (invalidity(this.certificate.leaf, now, 'it') !== undefined) await this.replace(bearer, now).catch(() => {});
    this.report(now);
  }

  private async replace(bearer: CertificateBearer, now: Instant): Promise<void> {
    const next = this.source.load(now);
    if (next.leaf.fingerprint256 === this.certificate.leaf.fingerprint256) return;
    await bearer.replaceCertificate(next);
    this.certificate = next;
    this.log.info('the certificate was replaced', { expires: isoTime(notAfter(next.leaf)) });
  }

  private report(now: Instant): void {
    const failure = this.failure(now);
    if (failure === this.reported) return;
    this.reported = failure;
    if (failure === undefined) this.log.info('the certificate is valid again');
    else this.log.warn('clients refuse the certificate', { why: failure });
  }
}

function invalidity(certificate: X509Certificate, now: Instant, what: string): string | undefined {
  if (notAfter(certificate) <= now) return `${what} has expired`;
  if (notBefore(certificate) <= now) return undefined;
  return `${what} is not valid before ${isoTime(notBefore(certificate))}`;
}

function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}
