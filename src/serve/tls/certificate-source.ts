import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { DAY, type Instant } from '../../core/time.ts';
import type { DataFolder } from '../data/data-folder.ts';
import type { Log } from '../observe/log.ts';
import type { Settings } from '../settings/settings.ts';
import { Authority } from './authority.ts';
import type { OwnNames } from './own-names.ts';
import { loadServerCertificate, notAfter, readCertificates, type ServerCertificate } from './server-certificate.ts';

/** Where the server's certificate comes from. */
export interface CertificateSource {
  /** What clients need to trust the server, as PEM: the local authority, or the last certificate of the user's chain. */
  readonly anchor: string;
  /** The local authority's certificate; undefined for a certificate of the user's. */
  readonly authority: X509Certificate | undefined;
  /** The certificate to use from `now` on. Throws `certificate-unusable`. */
  load(now: Instant): ServerCertificate;
}

const SOON = 30 * DAY;
const WITHIN_A_YEAR = 365 * DAY;

/** Throws `certificate-unusable` or `authority-expired`; there is no way from here to a server without TLS. */
export function openCertificateSource(
  settings: Settings,
  folder: DataFolder,
  names: OwnNames,
  log: Log,
  now: Instant,
): CertificateSource {
  const { tlsCertificate, tlsKey } = settings;
  if (tlsCertificate === undefined || tlsKey === undefined) {
    const authority = Authority.open(folder, hostname(), now);
    return {
      anchor: authority.pem,
      authority: authority.certificate,
      load: (at) => {
        warnOfExpiry(log, 'the local authority', notAfter(authority.certificate), WITHIN_A_YEAR, at);
        return authority.serverCertificate(names, at);
      },
    };
  }
  return {
    anchor: readCertificates(tlsCertificate).at(-1)?.toString() ?? '',
    authority: undefined,
    load: (at) => {
      const certificate = loadServerCertificate(tlsCertificate, tlsKey, at);
      warnOfExpiry(log, tlsCertificate, notAfter(certificate.leaf), SOON, at);
      warnOfMissingNames(log, names, certificate);
      return certificate;
    },
  };
}

function warnOfExpiry(log: Log, what: string, end: Instant, margin: number, now: Instant): void {
  if (end - now < margin) log.warn(`${what} expires soon`, { expires: new Date(end).toISOString() });
}

function warnOfMissingNames(log: Log, names: OwnNames, { leaf }: ServerCertificate): void {
  const missing = names.configuredHosts.filter(
    (host) => (isIP(host) === 0 ? leaf.checkHost(host) : leaf.checkIP(host)) === undefined,
  );
  if (missing.length > 0)
    log.warn('the certificate is not for every name of this server', { missing: missing.join(',') });
}
