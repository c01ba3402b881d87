import { connect, type PeerCertificate } from 'node:tls';
import { SignetError } from '../../core/errors/index.ts';
import { printable } from '../../core/printable.ts';
import { SECOND } from '../../core/time.ts';
import type { Connection } from './connection.ts';
import { codeOf, NO_AUTHORITIES } from './network-errors.ts';
import { proxyFor, proxyName } from './proxy.ts';
import { rootLocations } from './system-roots.ts';
import { addressOf, hostOf } from './wire.ts';

/** What is wrong with a server's certificate, and what to do about it. */
interface Fault {
  readonly why: string;
  readonly next: string;
}

const PATIENCE = 5 * SECOND;
const MAX_NAMES = 300;
const OTHER_NAME: ReadonlySet<string> = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH']);
const DATES: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/**
 * The error for a server whose certificate does not verify, with details from the certificate. They are read over a
 * separate connection that sends nothing. `error` is what the transport threw.
 */
export async function untrustedError(error: unknown, url: URL, connection: Connection): Promise<SignetError> {
  const code = codeOf(error);
  const certificate = code === NO_AUTHORITIES ? undefined : await certificateOf(url, connection);
  const { why, next } = faultOf(code, error, url, connection, certificate);
  const proxy = proxyFor(url);
  const whose = proxy?.protocol === 'https:' ? `${url.origin}, or of the proxy ${proxyName(proxy)},` : url.origin;
  return new SignetError('tls-untrusted', `the certificate of ${whose} is not trusted: ${why}`, {
    cause: error,
    next,
  });
}

function faultOf(
  code: string,
  error: unknown,
  url: URL,
  connection: Connection,
  certificate: PeerCertificate | undefined,
): Fault {
  const host = hostOf(url);
  if (OTHER_NAME.has(code)) {
    const names = namesOf(certificate);
    return {
      why: names === '' ? `it names no host, and so not ${host}` : `it is for ${names}, not for ${host}`,
      next: `Use a name that the certificate has, or have the server's certificate issued for ${host} as well.`,
    };
  }
  if (DATES.has(code)) {
    return {
      why: dates(code, certificate),
      next: 'Check the clock of this machine; if it is right, the server needs a new certificate.',
    };
  }
  const place = connection.authorityFile === undefined ? '' : ` into ${connection.authorityFile}, or`;
  const next = `If the server is the right one, put the certificate of its authority${place} among the authorities of this system.`;
  if (code === NO_AUTHORITIES) {
    const { files, folders } = rootLocations();
    return { why: `this system has no authorities in ${[...files, ...folders].join(', ')}`, next };
  }
  return { why: authority(code, certificate, error), next };
}

function dates(code: string, certificate: PeerCertificate | undefined): string {
  const [from, to] = [day(certificate?.valid_from), day(certificate?.valid_to)];
  const today = new Date().toISOString();
  if (to !== undefined && to < today) return `it expired on ${to.slice(0, 10)}`;
  if (from !== undefined && from > today) return `it is not valid before ${from.slice(0, 10)}`;
  const what = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet';
  return certificate === undefined ? `it ${what}` : `the certificate of an authority above it ${what}`;
}

function authority(code: string, certificate: PeerCertificate | undefined, error: unknown): string {
  if (code === 'DEPTH_ZERO_SELF_SIGNED_CERT') return 'it vouches for itself';
  const issuer = certificate?.issuer?.CN || certificate?.issuer?.O;
  const name = issuer === undefined ? '' : ` (${printable(String(issuer), 100)})`;
  return UNKNOWN_AUTHORITY.has(code)
    ? `its authority${name} is not known here`
    : printable(error instanceof Error ? error.message : code, 200);
}

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** From the form `DNS:a.example, IP Address:192.0.2.1`. */
function namesOf(certificate: PeerCertificate | undefined): string {
  const names = (certificate?.subjectaltname ?? '').replaceAll(/(?:^|(?<=, ))(?:DNS|IP Address):/g, '');
  return printable(names, MAX_NAMES);
}

function day(text: string | undefined): string | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** Undefined if it cannot be read; the message then has fewer details. */
function certificateOf(url: URL, connection: Connection): Promise<PeerCertificate | undefined> {
  const target = addressOf(url, connection);
  if (proxyFor(target) !== undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const host = hostOf(url);
    const socket = connect({
      host: hostOf(target),
      port: Number(target.port) || 443,
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      // Only to read the certificate; nothing is sent.
      rejectUnauthorized: false,
      timeout: PATIENCE,
    });
    const end = (certificate?: PeerCertificate) => {
      socket.destroy();
      resolve(certificate);
    };
    socket.once('secureConnect', () => end(socket.getPeerCertificate()));
    socket.once('timeout', () => end());
    socket.once('error', () => end());
  });
}
