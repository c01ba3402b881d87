import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { decodeBase64AsGo } from '../../core/base64.ts';
import { SignetError } from '../../core/errors/index.ts';
import type { Login } from '../../core/login.ts';
import { checkCertificateFile, checkIdentityFiles } from '../../remote/tls/certificate-files.ts';
import {
  type ClientIdentity,
  type Connection,
  type ConnectionFor,
  PLAIN_CONNECTION,
} from '../../remote/transport/connection.ts';
import { parseServerAddress } from '../../remote/transport/server-address.ts';
import { neededHome } from '../../store/home.ts';
import { readNotaryConfiguration } from './notary-configuration.ts';
import type { PinningSettings } from './pinning-settings.ts';

/** The command line's options for a Notary client's folder. */
export interface NotaryPlaceOptions {
  /** The folder of keys and trusted metadata, as in `notary -d`. */
  readonly trustDir: string;
  readonly server?: string | undefined;
  /** A PEM file of authorities to trust instead of the system's. */
  readonly authority?: string | undefined;
}

/** A Notary client's folder, in which names are complete GUNs, and its trust server. */
export interface NotaryPlace {
  readonly trustDir: string;
  /** Undefined if none is configured; keys can be managed without one. */
  readonly server: URL | undefined;
  readonly connectionFor: ConnectionFor;
  /** Undefined if the folder has no configuration: Signet's own pins apply then. */
  readonly pinning: PinningSettings | undefined;
}

/**
 * Reads a Notary client's folder as its owner configured it: server, authorities, client certificate and pins from its
 * `config.json`, if there is one; the command line takes precedence (protocol E.1). Throws `configuration-invalid`.
 */
export async function readNotaryPlace(options: NotaryPlaceOptions, env: NodeJS.ProcessEnv): Promise<NotaryPlace> {
  const trustDir = expandHome(options.trustDir);
  const found = await readNotaryConfiguration(join(trustDir, 'config.json'));
  const address = options.server || env.DOCKER_CONTENT_TRUST_SERVER;
  const server = address ? parseServerAddress(address) : found?.server;
  const authority = options.authority === undefined ? found?.tls.ca : resolve(options.authority);
  const connection = connectionBy(authority, found?.tls.cert, found?.tls.key);
  return { trustDir, server, connectionFor: async () => connection, pinning: found?.pinning };
}

/**
 * The login that Notary's own commands read from the environment: base64 of `user:password`. Throws
 * `configuration-invalid`.
 */
export function notaryLogin(env: NodeJS.ProcessEnv): Login | undefined {
  if (!env.NOTARY_AUTH) return undefined;
  const decoded = decodeBase64AsGo(env.NOTARY_AUTH);
  const colon = decoded?.indexOf(':') ?? -1;
  if (decoded === undefined || colon < 0) {
    throw new SignetError('configuration-invalid', 'NOTARY_AUTH is not the base64 of user:password');
  }
  const password = Buffer.from(decoded.subarray(colon + 1));
  const username = decoded.toString('utf8', 0, colon);
  decoded.fill(0);
  return { username, password, identityToken: undefined, source: 'NOTARY_AUTH' };
}

function connectionBy(ca: string | undefined, cert: string | undefined, key: string | undefined): Connection {
  const identities = cert === undefined || key === undefined ? [] : [identityOf(cert, key)];
  return { ...PLAIN_CONNECTION, authorities: ca === undefined ? [] : [authorityOf(ca)], identities };
}

function authorityOf(path: string): Buffer {
  const pem = read(path);
  checkCertificateFile(path, pem);
  return pem;
}

function identityOf(certificate: string, key: string): ClientIdentity {
  const identity = { certificate: read(certificate), key: read(key) };
  checkIdentityFiles(identity, { certificate, key });
  return identity;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new SignetError('tls-files-invalid', `cannot read the certificate file ${path}`, { cause });
  }
}

function expandHome(path: string): string {
  return /^~(?:\/|$)/.test(path) ? join(neededHome(process.env), path.slice(1)) : resolve(path);
}
