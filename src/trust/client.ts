import { join } from 'node:path';
import type { Action } from '../core/access.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import type { Login } from '../core/login.ts';
import type { Gun } from '../core/names/gun.ts';
import { gunOf, type Reference } from '../core/names/reference.ts';
import type { Instant } from '../core/time.ts';
import type { Pinning } from '../core/verify/pinning.ts';
import { AuthorizedClient } from '../remote/authorized.ts';
import { dockerConnections } from '../remote/docker-connections.ts';
import { HttpClient } from '../remote/http.ts';
import { hostnameOf } from '../remote/loopback.ts';
import type { Manifest } from '../remote/manifest.ts';
import { NotaryServer } from '../remote/notary-server.ts';
import { RemoteProposals } from '../remote/proposal-service.ts';
import { RegistryClient } from '../remote/registry.ts';
import { registryEndpoints } from '../remote/registry-endpoints.ts';
import { serverFor } from '../remote/server-address.ts';
import type { TokenCache } from '../remote/token.ts';
import { FoundingLock } from '../store/founding-lock.ts';
import type { MetadataCache } from '../store/metadata-cache.ts';
import { ProposalFolder } from '../store/proposal-folder.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { Proposals } from './publish/proposals.ts';
import { Repository } from './publish/repository.ts';
import type { ApproveProposal } from './publish/repository-source.ts';
import type { Configuration } from './settings/configuration.ts';
import type { NotaryPlace } from './settings/notary-place.ts';
import type { ApproveFirstRoot } from './update/first-root.ts';

/** What a trust client is made of. */
export interface ClientOptions {
  /** Docker's configuration folder, whose `tls` holds certificates for trust servers. */
  readonly folder: string;
  readonly configuration: Configuration;
  /** The configuration's pins, with the files that they name. */
  readonly pinning: Pinning;
  /** Asked before a root is trusted on first use, where that is `ask`; absent where there is nobody to ask. */
  readonly approveFirstRoot?: ApproveFirstRoot | undefined;
  /** Asked before a change completes or signs what others have proposed; absent where there is nobody to ask. */
  readonly approveProposal?: ApproveProposal | undefined;
  /** The server and connections of a Notary client's folder, in place of those that docker would use. */
  readonly place?: NotaryPlace | undefined;
  /** `DOCKER_CONTENT_TRUST_SERVER`, where it is set. */
  readonly trustServer: string | undefined;
  /** The folder of keys and trusted metadata. */
  readonly trustFolder: string;
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
    return this.collection(gunOf(reference), reference.registry, actions);
  }

  /** The trust collection of that name in the place that the client was opened for. */
  collection(gun: Gun, registry: string, actions: readonly Action[]): Repository {
    const { cache, keys, pinning, approveFirstRoot, approveProposal, trustFolder, now, warn } = this.options;
    const { whenUnreachable } = this.options.configuration;
    const server = this.options.place?.server ?? this.serverOf(registry);
    const client = new AuthorizedClient({
      http: this.httpFor(registry, server),
      login: () => this.loginFor(registry, server),
      loginHost: hostnameOf(registry),
      allowedRealms: this.allowedRealms(),
      tokens: this.options.tokens,
    });
    const proposals = new Proposals(new RemoteProposals(server, client), new ProposalFolder(trustFolder));
    return new Repository(
      {
        ...{ gun, host: server.host, server: new NotaryServer(server, client, actions), cache, proposals },
        ...{ pinning, approveFirstRoot, approveProposal, whenUnreachable, now, warn },
        foundingLock: new FoundingLock(trustFolder),
      },
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
    const { userAgent, place } = this.options;
    const inARow = server !== undefined;
    if (place !== undefined) return new HttpClient({ userAgent, connectionFor: place.connectionFor, inARow });
    const own = join(this.options.folder, 'tls');
    const folders = server === undefined ? [own, ENGINE_CERTIFICATES] : [own];
    const connectionFor = dockerConnections({ folders, registry, ...(server === undefined ? {} : { server }) });
    return new HttpClient({ userAgent, connectionFor, inARow });
  }
}
