import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSignetError } from '../../src/core/errors/index.ts';
import { publicKeyWire } from '../../src/core/keys/public-key.ts';
import { type Gun, parseGun } from '../../src/core/names/gun.ts';
import { parseRole, type RoleName } from '../../src/core/names/role.ts';
import { makeAuthority, type Pair } from '../remote/certificates.ts';
import type { Content } from './oci.ts';
import { type Script, type Scripted, startScriptedHttps } from './scripted-https.ts';
import { Simulator, type SimulatorOptions } from './simulator.ts';
import { temporaryFolder } from './temp.ts';

/** A false response: other bytes, or whatever a script sends. */
export type Reply = Uint8Array | Script;

/** A manifest or a blob, with its content type. */
export interface Served extends Content {
  readonly type: string;
}

/** A trust server and registry with one repository, honest until a test makes it lie. */
export interface LyingServer {
  /** `localhost:40123`, with a certificate of the authority. */
  readonly host: string;
  readonly origin: string;
  /** The file of the authority's certificate. */
  readonly authority: string;
  /** Issues another certificate that clients of this server trust. */
  issue(names: readonly string[]): Pair;
  readonly gun: Gun;
  /** The true trust data. */
  readonly simulator: Simulator;
  /**
   * Lies by name of a trust file without `.json` (`timestamp`, `2.root`), by role (for its files by checksum too), or
   * by the path of anything else.
   */
  readonly lies: Map<string, Reply>;
  /** The registry's content by tag and by digest. */
  readonly held: Map<string, Served>;
  /** All requests, as `GET /v2/…`. */
  readonly requests: string[];
  /** Everything published by clients: for each publish, the files by role. */
  readonly published: ReadonlyMap<RoleName, Buffer>[];
}

const authority = makeAuthority('The authority of a liar');
const TRUST = /^\/v2\/.+\/_trust\/tuf\/(.*)$/;
const REGISTRY = /^\/v2\/.+\/(?:manifests|blobs)\/([^/]+)$/;
const CHECKSUM = /\.[0-9a-f]{64}$/;

/** Starts a server on localhost with a repository according to `options`. It stops after the tests. */
export async function startLyingServer(options: Omit<SimulatorOptions, 'gun'> = {}): Promise<LyingServer> {
  const file = join(temporaryFolder(), 'ca.crt');
  writeFileSync(file, authority.cert);
  const answer: Script = (request) => liar.answer(request);
  const { host, origin } = await startScriptedHttps(authority.issue(['localhost']), answer);
  const gun = parseGun(`${host}/acme/app`);
  const liar = new Liar(host, origin, file, gun, await Simulator.start({ ...options, gun }));
  return liar;
}

class Liar implements LyingServer {
  readonly host: string;
  readonly origin: string;
  readonly authority: string;
  readonly gun: Gun;
  readonly simulator: Simulator;
  readonly lies = new Map<string, Reply>();
  readonly held = new Map<string, Served>();
  readonly requests: string[] = [];
  readonly published: ReadonlyMap<RoleName, Buffer>[] = [];

  constructor(host: string, origin: string, authority: string, gun: Gun, simulator: Simulator) {
    this.host = host;
    this.origin = origin;
    this.authority = authority;
    this.gun = gun;
    this.simulator = simulator;
  }

  issue(names: readonly string[]): Pair {
    return authority.issue(names);
  }

  async answer(request: Request): Promise<Scripted> {
    const { pathname } = new URL(request.url);
    this.requests.push(`${request.method} ${pathname}`);
    const file = TRUST.exec(pathname)?.[1];
    const name = file?.replace(/\.json$/, '');
    const lie = this.lies.get(name ?? pathname) ?? this.lies.get(name?.replace(CHECKSUM, '') ?? pathname);
    if (lie instanceof Uint8Array) return new Response(new Uint8Array(lie));
    if (lie !== undefined) return lie(request);
    if (name !== undefined) return this.trust(request, name);
    return pathname === '/v2/' ? Response.json({}) : this.registry(REGISTRY.exec(pathname)?.[1] ?? '');
  }

  private async trust(request: Request, name: string): Promise<Response> {
    if (request.method === 'POST' && name === '') return this.publish(await request.formData());
    const [, role] = /^(snapshot|timestamp)\.key$/.exec(name) ?? [];
    if (role === 'snapshot' || role === 'timestamp') {
      return new Response(publicKeyWire(await this.simulator.publicKey(this.gun, role)));
    }
    const bytes = this.simulator.byName(name);
    return bytes === undefined ? refusal(404, 'METADATA_NOT_FOUND') : new Response(new Uint8Array(bytes));
  }

  private async publish(form: Awaited<ReturnType<Request['formData']>>): Promise<Response> {
    const parts = form.getAll('files').filter((part) => part instanceof File);
    const entries = parts.map(async (part) => [parseRole(part.name), Buffer.from(await part.arrayBuffer())] as const);
    const files = new Map(await Promise.all(entries));
    this.published.push(files);
    try {
      await this.simulator.publish(this.gun, files);
      return new Response();
    } catch (error) {
      if (!isSignetError(error)) throw error;
      return refusal(400, error.code === 'publish-conflict' ? 'VERSION' : 'INVALID_UPDATE');
    }
  }

  private registry(reference: string): Response {
    const found = this.held.get(reference);
    if (found === undefined) return refusal(404, 'MANIFEST_UNKNOWN');
    const { bytes, digest, type } = found;
    return new Response(new Uint8Array(bytes), { headers: { 'Content-Type': type, 'Docker-Content-Digest': digest } });
  }
}

function refusal(status: number, code: string): Response {
  return Response.json({ errors: [{ code, message: code.toLowerCase() }] }, { status });
}
