import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { makeAuthority, type Pair } from '../remote/certificates.ts';
import { atEnd } from './cleanup.ts';
import { findProgram } from './clis.ts';
import { endChild } from './end.ts';
import { freePort } from './signet-server.ts';
import { temporaryFolder } from './temp.ts';

const READY_MS = 20_000;

/** A running program of the Notary project. */
interface NotaryProgram {
  /** Returns what it has logged so far: one JSON object per line. */
  log(): string;
  /** Stops it. Its data in memory is lost. */
  stop(): Promise<void>;
  /** Starts it again after `stop`, on the same port. */
  start(): Promise<void>;
}

/** A running notary-server. */
export interface NotaryServer extends NotaryProgram {
  /** `https://localhost:40123` */
  readonly origin: string;
  /** The registry part of image names: `localhost:40123`. */
  readonly host: string;
  readonly port: number;
  /** Path of the authority's certificate, for clients that check it. */
  readonly authority: string;
  /** Paths of its own certificate and key, for a server that replaces it. */
  readonly certificate: string;
  readonly key: string;
}

export interface NotaryServerOptions {
  /** The URL of its database, which must have Notary's tables. By default it stores everything in memory. */
  readonly database?: string;
  /** The signer with its keys. By default it has its own ed25519 keys in memory. */
  readonly signer?: NotarySigner;
  /** The type of the keys that the signer creates. */
  readonly keyAlgorithm?: 'ecdsa' | 'ed25519';
  /** By default a free port. */
  readonly port?: number;
  /** Whether to use no TLS, for a proxy in front of it. */
  readonly plain?: boolean;
  /** Whose tokens it accepts (protocol B.4). By default it needs none. */
  readonly tokens?: {
    readonly realm: string;
    readonly service: string;
    readonly issuer: string;
    readonly bundle: string;
  };
}

/** A running notary-signer. */
export interface NotarySigner extends NotaryProgram {
  readonly port: number;
  /** Paths of the files that its clients need: the authority of both, a client's certificate and key. */
  readonly tls: { readonly authority: string; readonly cert: string; readonly key: string };
}

export interface NotarySignerOptions {
  /** The URL of its database, which must have Notary's table. By default it stores keys in memory. */
  readonly database?: string;
  /** Passphrases by alias. The first alias is used for new keys. */
  readonly passphrases?: Readonly<Record<string, string>>;
  /** Whether it accepts clients without a certificate, as Harbor's does. */
  readonly anyClient?: boolean;
}

/**
 * Starts Debian's notary-server on a free port of localhost and waits until it answers: with TLS, without accounts, all
 * in memory, unless the options say otherwise. It is stopped at the latest when the tests of this process have ended.
 * Throws with its log if it does not start.
 */
export async function startNotaryServer(options: NotaryServerOptions = {}): Promise<NotaryServer> {
  const { signer, plain = false } = options;
  const folder = temporaryFolder();
  const port = options.port ?? (await freePort());
  const origin = `${plain ? 'http' : 'https'}://localhost:${port}`;
  const authority = makeAuthority('The authority of notary-server');
  writeFileSync(join(folder, 'ca.crt'), authority.cert);
  const configuration = {
    server: {
      http_addr: `127.0.0.1:${port}`,
      ...(plain ? {} : pairFiles(folder, authority.issue(['localhost', '127.0.0.1']))),
    },
    trust_service:
      signer === undefined
        ? { type: 'local' }
        : {
            type: 'remote',
            hostname: 'localhost',
            port: `${signer.port}`,
            key_algorithm: options.keyAlgorithm ?? 'ecdsa',
            tls_ca_file: signer.tls.authority,
            tls_client_cert: signer.tls.cert,
            tls_client_key: signer.tls.key,
          },
    storage: storageOf(options.database),
    ...(options.tokens === undefined ? {} : { auth: authOf(options.tokens) }),
    logging: { level: 'info' },
  };
  const program = startable(folder, 'notary-server', configuration, {}, () => isHttp(`${origin}/v2/`, authority.cert));
  await program.start();
  return {
    ...program,
    origin,
    host: `localhost:${port}`,
    port,
    authority: join(folder, 'ca.crt'),
    certificate: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
  };
}

/**
 * Starts Debian's notary-signer with mutual TLS on a free port of localhost and waits until it listens. It is stopped
 * at the latest when the tests of this process have ended. Throws with its log if it does not start.
 */
export async function startNotarySigner(options: NotarySignerOptions = {}): Promise<NotarySigner> {
  const { passphrases = { main: 'the passphrase of notary-signer' } } = options;
  const folder = temporaryFolder();
  const port = await freePort();
  const authority = makeAuthority('The authority of notary-signer');
  const client = authority.issue(['notary-server']);
  const files = {
    authority: join(folder, 'ca.crt'),
    cert: join(folder, 'client.crt'),
    key: join(folder, 'client.key'),
  };
  writeFileSync(files.authority, authority.cert);
  writeFileSync(files.cert, client.cert);
  writeFileSync(files.key, client.key);
  const configuration = {
    server: {
      grpc_addr: `127.0.0.1:${port}`,
      ...pairFiles(folder, authority.issue(['localhost', 'notarysigner'])),
      ...(options.anyClient === true ? {} : { client_ca_file: files.authority }),
    },
    storage: { ...storageOf(options.database), default_alias: Object.keys(passphrases)[0] },
    logging: { level: 'info' },
  };
  const environment = Object.fromEntries(
    Object.entries(passphrases).map(([alias, passphrase]) => [passphraseVariable(alias), passphrase]),
  );
  const program = startable(folder, 'notary-signer', configuration, environment, () => isOpen(port));
  await program.start();
  return { ...program, port, tls: files };
}

/** The environment variable with which notary-signer gets the passphrase of an alias. */
export function passphraseVariable(alias: string): string {
  return `NOTARY_SIGNER_${alias.toUpperCase().replaceAll('.', '_')}`;
}

/** A database's URL in the format of Notary's drivers. */
export function notaryDatabaseUrl(url: string): string {
  const { protocol, username, password, host, pathname } = new URL(url);
  if (protocol === 'postgres:') return `${url}?sslmode=disable`;
  return `${username}:${decodeURIComponent(password)}@tcp(${host})${pathname}?parseTime=True`;
}

function storageOf(database: string | undefined): Record<string, string> {
  if (database === undefined) return { backend: 'memory' };
  return { backend: database.startsWith('postgres') ? 'postgres' : 'mysql', db_url: notaryDatabaseUrl(database) };
}

function authOf({ realm, service, issuer, bundle }: NonNullable<NotaryServerOptions['tokens']>) {
  return { type: 'token', options: { realm, service, issuer, rootcertbundle: bundle } };
}

/** Writes a certificate and its key. Returns the settings with their paths. */
function pairFiles(folder: string, { cert, key }: Pair): Record<string, string> {
  writeFileSync(join(folder, 'server.crt'), cert);
  writeFileSync(join(folder, 'server.key'), key);
  return { tls_cert_file: 'server.crt', tls_key_file: 'server.key' };
}

function startable(
  folder: string,
  name: string,
  configuration: unknown,
  environment: Readonly<Record<string, string>>,
  isReady: () => Promise<boolean>,
): NotaryProgram {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(configuration));
  const log = () => readFileSync(join(folder, 'log'), 'utf8');
  let child: Bun.Subprocess | undefined;
  const stop = async () => {
    const stopping = child;
    child = undefined;
    if (stopping !== undefined) await endChild(stopping);
  };
  const start = async () => {
    const output = openSync(join(folder, 'log'), 'a');
    const command = [findProgram(name), '-config', join(folder, 'config.json')];
    const env = { ...process.env, ...environment };
    child = Bun.spawn(command, { cwd: folder, env, stdio: ['ignore', output, output] });
    closeSync(output);
    const deadline = performance.now() + READY_MS;
    while (!(await isReady())) {
      if (child.exitCode !== null || performance.now() > deadline) {
        throw new Error(`${name} did not start (exit ${child.exitCode}):\n${log()}`);
      }
      await Bun.sleep(20);
    }
  };
  atEnd(stop);
  return { log, stop, start };
}

/** Whether the URL answers HTTP, even with an error. */
async function isHttp(url: string, ca: string): Promise<boolean> {
  try {
    await fetch(url, { tls: { ca } });
    return true;
  } catch {
    return false;
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
