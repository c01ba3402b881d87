import { join } from 'node:path';
import type { Action } from '../core/access.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import type { Login } from '../core/login.ts';
import { gunOf, type Reference } from '../core/names/reference.ts';
import type { Instant } from '../core/time.ts';
import { AuthorizedClient } from '../remote/authorized.ts';
import { dockerConnections } from '../remote/docker-connections.ts';
import { HttpClient } from '../remote/http.ts';
import { hostnameOf } from '../remote/loopback.ts';
import type { Manifest } from '../remote/manifest.ts';
import { NotaryServer } from '../remote/notary-server.ts';
import { RegistryClient } from '../remote/registry.ts';
import { registryEndpoints } from '../remote/registry-endpoints.ts';
import { serverFor } from '../remote/server-address.ts';
import type { TokenCache } from '../remote/token.ts';
import type { MetadataCache } from '../store/metadata-cache.ts';
import type { Configuration } from './configuration.ts';
import type { KeyRing } from './key-ring.ts';
import { Repository } from './repository.ts';

/** What a trust client is made of. */
export interface ClientOptions {
  /** Docker's configuration folder, whose `tls` holds certificates for trust servers. */
  readonly folder: string;
  readonly configuration: Configuration;
  /** `DOCKER_CONTENT_TRUST_SERVER`, where it is set. */
  readonly trustServer: string | undefined;
  readonly cache: MetadataCache;
  readonly keys: KeyRing;
  /** The stored login for a registry's key in docker's configuration; undefined where there is none. */
  readonly login: (registry: string) => Promise<Login | undefined>;
  /** Where access tokens are kept. */
  readonly tokens: TokenCache;
  readonly userAgent: string;
  readonly now: Instant;
  readonly warn: (message: string) => void;
}

/** Where docker's engine keeps certificates of registries; a client without an engine uses them too. */
const ENGINE_CERTIFICATES = '/etc/docker/certs.d';

/** Opens the trust collections and registries that references belong to; one per command. */
export class TrustClient {
  private readonly options: ClientOptions;
  private readonly registries: RegistryClient;

  constructor(options: ClientOptions) {
    this.options = options;
    this.registries = new RegistryClient({
      http: (registry) => this.httpFor(registry),
      login: options.login,
      tokens: options.tokens,
      settings: options.configuration.registries,
      allowedRealms: this.allowedRealms(),
    });
  }

  /** The trust collection of an image. `actions` are what the command will need of the server in all. */
  repository(reference: Reference, actions: readonly Action[]): Repository {
    const { configuration, cache, keys, now, warn } = this.options;
    const server = this.serverOf(reference.registry);
    const client = new AuthorizedClient({
      http: this.httpFor(reference.registry, server),
      login: () => this.loginFor(reference.registry, server),
      loginHost: hostnameOf(reference.registry),
      allowedRealms: this.allowedRealms(),
      tokens: this.options.tokens,
    });
    const notary = new NotaryServer(server, client, actions);
    return new Repository(
      { gun: gunOf(reference), host: server.host, server: notary, cache, pinning: configuration.pinning, now, warn },
      keys,
    );
  }

  /** The manifest or index that a reference stands for in its registry, verified. */
  manifest(reference: Reference): Promise<Manifest> {
    return this.registries.manifest(reference);
  }

  /** Tries a login as docker does; returns the identity token that replaces the password, where the registry gives one. */
  async checkLogin(registry: string, login: Login): Promise<Buffer | undefined> {
    const { checkLogin } = await import('../remote/check-login.ts');
    const endpoints = registryEndpoints(registry, this.options.configuration.registries.get(registry));
    const http = this.httpFor(registry);
    const attempt = (endpoint: URL) =>
      checkLogin({ http, endpoint, registry, login, allowedRealms: this.allowedRealms(), now: this.options.now });
    const [first, fallback] = endpoints;
    if (first === undefined) throw new SignetError('server-address-invalid', `the registry ${registry} has no address`);
    try {
      return await attempt(first);
    } catch (error) {
      // Only a registry on this machine has a second address: it may speak plain http.
      if (fallback === undefined || !isSignetError(error, 'network-unreachable', 'tls-failed')) throw error;
      return await attempt(fallback).catch(() => {
        throw error;
      });
    }
  }

  /** The address of the trust server that speaks for a registry. */
  serverOf(registry: string): URL {
    const { configuration, trustServer } = this.options;
    const perRegistry = new Map<string, string>();
    for (const [host, settings] of configuration.registries) {
      if (settings.trustServer !== undefined) perRegistry.set(host, settings.trustServer);
    }
    return serverFor(registry, { environment: trustServer, perRegistry });
  }

  /**
   * The trust server's own login, where there is one, else the registry's, as docker has it. Whether that may be sent
   * to the server's token service is checked there, by origin (`checkRealm`).
   */
  private async loginFor(registry: string, server: URL): Promise<Login | undefined> {
    return (await this.options.login(server.host)) ?? (await this.options.login(registry));
  }

  private allowedRealms(): ReadonlySet<string> {
    const { registries } = this.options.configuration;
    return new Set([...registries.values()].flatMap(({ tokenServices }) => tokenServices));
  }

  private httpFor(registry: string, server?: URL): HttpClient {
    const own = join(this.options.folder, 'tls');
    const folders = server === undefined ? [own, ENGINE_CERTIFICATES] : [own];
    const connectionFor = dockerConnections({ folders, registry, ...(server === undefined ? {} : { server }) });
    return new HttpClient({ userAgent: this.options.userAgent, connectionFor });
  }
}
