import type { Instant } from '../core/time.ts';
import type { CertificateSource } from './certificate-source.ts';
import type { Listener } from './listener.ts';
import type { Log } from './log.ts';
import { notAfter, type ServerCertificate } from './server-certificate.ts';

/** In milliseconds. */
const ACCEPTING = 10;

/** The certificate in use, and its change while the server runs. */
export class CertificateKeeper {
  readonly source: CertificateSource;
  private readonly log: Log;
  private certificate: ServerCertificate;

  /** Throws `certificate-unusable`. */
  constructor(source: CertificateSource, log: Log, now: Instant) {
    this.source = source;
    this.log = log;
    this.certificate = source.load(now);
  }

  get current(): ServerCertificate {
    return this.certificate;
  }

  /** Whether the certificate in use has expired. */
  hasExpired(now: Instant): boolean {
    return notAfter(this.certificate.leaf) <= now;
  }

  /** Takes a renewed certificate into use. One that cannot be used is logged, and the former one stays. */
  async renew(listener: Listener, now: Instant): Promise<void> {
    try {
      const next = this.source.load(now);
      if (next.leaf.fingerprint256 === this.certificate.leaf.fingerprint256) return;
      // Connections that came while the files were written are accepted first: closing the port would reset them.
      await Bun.sleep(ACCEPTING);
      listener.replaceCertificate(next);
      this.certificate = next;
      this.log.info('the certificate was replaced', { expires: new Date(notAfter(next.leaf)).toISOString() });
    } catch (error) {
      this.log.error('the certificate could not be replaced', { error: String(error) });
    }
  }
}
