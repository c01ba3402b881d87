import { join } from 'node:path';
import { isSignetError } from '../../src/core/errors/index.ts';
import { type Digest, digestOf } from '../../src/core/names/digest.ts';
import type { Scope } from '../../src/core/scope.ts';
import { covers, parseScope } from '../../src/core/scope.ts';
import type { Gate } from '../../src/http/gate.ts';
import { AuthorizationRequired } from '../../src/http/gate.ts';
import { FolderBlobStore } from '../../src/registry/blobs/folder-blob-store.ts';
import type { RegistryIndex } from '../../src/registry/index/registry-index.ts';
import { REGISTRY_MIGRATIONS } from '../../src/registry/index/schema.ts';
import { sqliteRegistryIndex } from '../../src/registry/index/sqlite-index.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../../src/registry/index.ts';
import { parseRepositoryName, type RepositoryName } from '../../src/registry/names.ts';
import { openDatabase } from '../../src/store/sqlite.ts';
import { atEnd } from '../support/cleanup.ts';
import { random } from '../support/random.ts';
import { ask } from '../support/routes.ts';
import { temporaryFolder } from '../support/temp.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';

export const APP: RepositoryName = parseRepositoryName('team/app');
export const OTHER: RepositoryName = parseRepositoryName('team/other');

/** A caller who may do everything. */
export const ALLOW_ALL: Gate = { subject: 'alice', require: async () => {}, allows: async () => true };

/** A caller with exactly these scopes, written as `repository:team/app:pull,push`. */
export function gateWith(...granted: string[]): Gate {
  const scopes = granted.map(parseScope);
  return {
    subject: 'bob',
    allows: async (scope: Scope) => covers(scopes, scope),
    require: async (...wanted: Scope[]) => {
      if (!wanted.every((scope) => covers(scopes, scope))) throw new AuthorizationRequired(wanted);
    },
  };
}

/** A registry over TLS on a port of this machine. */
export interface TestRegistry {
  readonly registry: Registry;
  readonly index: RegistryIndex;
  readonly blobs: FolderBlobStore;
  readonly folder: string;
  readonly port: number;
  /** The caller of the requests that follow. */
  gate: Gate;
  /** Sends a request to a path such as `/v2/team/app/tags/list`. */
  send(method: string, path: string, body?: RequestInit['body'], headers?: Record<string, string>): Promise<Response>;
}

/** Starts a registry in an empty folder. It ends with the tests. */
export async function startRegistry(options: Partial<RegistryOptions> = {}): Promise<TestRegistry> {
  const folder = temporaryFolder();
  const database = openDatabase(join(folder, 'signet.db'), REGISTRY_MIGRATIONS);
  const index = sqliteRegistryIndex(database);
  const blobs = await FolderBlobStore.open(join(folder, 'registry'));
  const registry = createRegistry({ index, blobs, ...options });
  const started = { registry, index, blobs, folder, gate: ALLOW_ALL };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: await testCertificate(),
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: (request) => answer(started.registry, request, started.gate),
  });
  atEnd(async () => {
    await server.stop(true);
    database.close();
  });
  const { port = 0 } = server;
  return Object.assign(started, {
    port,
    send: (method: string, path: string, body?: RequestInit['body'], headers: Record<string, string> = {}) =>
      fetch(`https://127.0.0.1:${port}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        tls: { rejectUnauthorized: false },
      }),
  });
}

/** The registry's answer as a server around it gives it: 401 where a scope is missing, 404 where the path is not its own. */
export async function answer(registry: Registry, request: Request, gate: Gate): Promise<Response> {
  try {
    const response = await ask(registry.routes, request, gate);
    return response ?? new Response('not a path of the registry', { status: 404 });
  } catch (error) {
    if (error instanceof AuthorizationRequired) return new Response(null, { status: 401 });
    throw error;
  }
}

let certificate: Promise<{ cert: string; key: string }> | undefined;

/** A certificate for 127.0.0.1 that nobody trusts, made once in each process. */
export function testCertificate(): Promise<{ cert: string; key: string }> {
  certificate ??= makeCertificate(temporaryFolder());
  return certificate;
}

export async function makeCertificate(folder: string): Promise<{ cert: string; key: string }> {
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const command = `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost`;
  const arguments_ = [...command.split(' '), '-addext', names, '-keyout', keyFile, '-out', certFile];
  const openssl = Bun.spawn(arguments_, { stdout: 'ignore', stderr: 'ignore' });
  if ((await openssl.exited) !== 0) throw new Error('openssl cannot make a certificate');
  return { cert: await Bun.file(certFile).text(), key: await Bun.file(keyFile).text() };
}

/** Repeatable bytes without any pattern. */
export function content(seed: number, size: number): Buffer {
  const next = random(seed);
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at++) bytes[at] = next() * 256;
  return bytes;
}

/** The code of the SignetError that `promise` fails with; undefined where it succeeds. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (isSignetError(error)) return error.code;
    throw error;
  }
}

/** The codes in the body of an error. */
export async function errorCodes(response: Response): Promise<string[]> {
  const { errors } = (await response.json()) as { errors: { code: string }[] };
  return errors.map(({ code }) => code);
}

/** Pushes a blob in the shortest way. */
export async function pushBlob({ send }: TestRegistry, repository: string, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  const response = await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, bytes);
  if (response.status !== 201) throw new Error(`the push of a blob was answered ${response.status}`);
  return digest;
}

export interface ImageOptions {
  readonly mediaType?: string;
  readonly subject?: Digest;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image manifest over a configuration and layers. */
export function image(config: Uint8Array, layers: readonly Uint8Array[], options: ImageOptions = {}): Buffer {
  const { mediaType = OCI_MANIFEST, subject, ...others } = options;
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: descriptor(OCI_CONFIG, config),
      layers: layers.map((layer) => descriptor(OCI_LAYER, layer)),
      ...(subject === undefined ? {} : { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 } }),
      ...others,
    }),
  );
}

/** An index of manifests. */
export function imageIndex(manifests: readonly Uint8Array[], mediaType = OCI_INDEX): Buffer {
  const entries = manifests.map((manifest) => descriptor(OCI_MANIFEST, manifest));
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }));
}

export function descriptor(mediaType: string, bytes: Uint8Array): Record<string, unknown> {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** Pushes an image of a configuration and one layer, under a tag or else its digest; returns the manifest. */
export async function pushImage(
  registry: TestRegistry,
  repository: string,
  seed: number,
  tag?: string,
  options: ImageOptions = {},
): Promise<Buffer> {
  const [config, layer] = [content(seed, 50), content(seed + 1, 500)];
  for (const blob of [config, layer]) await pushBlob(registry, repository, blob);
  const manifest = image(config, [layer], options);
  const response = await putManifest(registry, repository, tag ?? digestOf(manifest), manifest, options.mediaType);
  if (response.status !== 201) throw new Error(`the push of a manifest was answered ${response.status}`);
  return manifest;
}

export function putManifest(
  { send }: TestRegistry,
  repository: string,
  reference: string,
  manifest: Uint8Array | string,
  mediaType: string = OCI_MANIFEST,
): Promise<Response> {
  return send('PUT', `/v2/${repository}/manifests/${reference}`, manifest, { 'Content-Type': mediaType });
}
