import { join } from 'node:path';
import type { CollectionCopy } from '../core/copy/collection-copy.ts';
import { isSignetError, SignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import type { Login } from '../core/login.ts';
import type { Gun } from '../core/names/gun.ts';
import { gunOf, type Reference } from '../core/names/reference.ts';
import type { RoleName } from '../core/names/role.ts';
import type { Action } from '../core/scope.ts';
import type { Instant } from '../core/time.ts';
import type { Pinning, RootPin } from '../core/verify/pinning.ts';
import { claimedRootVersion } from '../core/verify/root-trust.ts';
import { AuthorizedClient } from '../remote/auth/authorized.ts';
import type { LoginSource } from '../remote/auth/realm.ts';
import type { TokenCache } from '../remote/auth/token.ts';
import { HttpClient } from '../remote/http/http.ts';
import { mirrorInfo } from '../remote/notary/mirror-info.ts';
import { NotaryServer } from '../remote/notary/notary-server.ts';
import { RemoteProposals } from '../remote/notary/proposal-service.ts';
import type { Manifest } from '../remote/registry/manifest.ts';
import { RegistryClient } from '../remote/registry/registry.ts';
import { registryEndpoints } from '../remote/registry/registry-endpoints.ts';
import { dockerConnections, ENGINE_CERTIFICATES } from '../remote/tls/docker-connections.ts';
import { serverFor } from '../remote/transport/server-address.ts';
import { AdoptedFolder } from '../store/adopted-folder.ts';
import { CreationLock } from '../store/creation-lock.ts';
import type { MetadataCache } from '../store/metadata-cache.ts';
import { ProposalFolder } from '../store/proposal-folder.ts';
import type { OldCollection } from './adopt/old-collection.ts';
import type { Evidence } from './decide/evidence.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { InTurn } from './migrate/in-turn.ts';
import type { Migration } from './migrate/migrate.ts';
import { Proposals } from './publish/proposals.ts';
import { Repository } from './publish/repository.ts';
import type { ApproveProposal, RepositorySource, WhileSending } from './publish/repository-source.ts';
import type { Configuration } from './settings/configuration.ts';
import type { NotaryPlace } from './settings/notary-place.ts';
import type { Collection } from './update/collection.ts';
import type { ApproveFirstRoot, FirstRoot } from './update/first-root.ts';

/** What a trust client works with. */
interface ClientOptions {
  /** Docker's configuration folder; its `tls` contains certificates for trust servers. */
  readonly folder: string;
  readonly configuration: Configuration;
  /** The configuration's pins, with the content of the files they name. */
  readonly pinning: Pinning;
  /** Called before a root is trusted on first use, if that is set to `ask`; absent if no one can be asked. */
  readonly approveFirstRoot?: ApproveFirstRoot | undefined;
  /** Called before a change completes or signs what others have proposed; absent if no one can be asked. */
  readonly approveProposal?: ApproveProposal | undefined;
  /** Wraps every request that publishes something; absent if the process cannot be interrupted meanwhile. */
  readonly whileSending?: WhileSending | undefined;
  /** The server and connections of a Notary client's folder, instead of docker's. */
  readonly place?: NotaryPlace | undefined;
  /** `DOCKER_CONTENT_TRUST_SERVER`, if it is set. */
  readonly trustServer: string | undefined;
  /** The folder of keys and trusted metadata. */
  readonly trustFolder: string;
  readonly cache: MetadataCache;
  readonly keys: KeyRing;
  /** The stored login for a registry's key in docker's configuration, if any. */
  readonly login: (registry: string) => Promise<Login | undefined>;
  /** The store of access tokens. */
  readonly tokens: TokenCache;
  readonly userAgent: string;
  readonly now: () => Instant;
  readonly warn: (message: string) => void;
}

/** From where to where collections move. */
export interface MigrationServers {
  readonly from: URL;
  readonly to: URL;
  /** Shared by all moves of one command, which open keys one after the other. */
  readonly signing: InTurn;
  readonly drafts?: string | undefined;
}

/**
 * Opens trust collections and registries by image reference. `openTrust` makes it; use one per command, because its
 * logins and connections are cached.
 *
 * @example
 * ```ts
 * import { parseReference } from 'signet';
 *
 * const app = client.repository(parseReference('registry.example.com/team/app'), ['pull']);
 * assert.equal(app.gun, 'registry.example.com/team/app');
 * assert.deepEqual([...(await app.read()).set.targets.keys()], ['targets']);
 * ```
 */
export class TrustClient {
  private readonly options: ClientOptions;
  private readonly registries: RegistryClient;
  private readonly shared = new Map<string, AuthorizedClient>();

  constructor(options: ClientOptions) {
    this.options = options;
    this.registries = new RegistryClient({
      http: (registry) => this.httpFor(registry),
      login: options.login,
      tokens: options.tokens,
      settings: options.configuration.registries,
      allowed: (registry) => this.allowedFor(registry),
    });
  }

  /** What decisions about images are based on. Updates a collection for each decision. */
  evidence(): Evidence {
    const { configuration, pinning, now } = this.options;
    return {
      rules: configuration.images,
      pinning,
      collectionOf: (reference) => this.repository(reference, ['pull']).read(),
      now,
    };
  }

  /** The trust collection of an image. `actions` are all permissions that the caller will need on the server. */
  repository(reference: Reference, actions: readonly Action[]): Repository {
    return this.collection(gunOf(reference), reference.registry, actions);
  }

  /** The trust collection with that name. */
  collection(gun: Gun, registry: string, actions: readonly Action[]): Repository {
    const { keys, trustFolder, approveProposal, whileSending } = this.options;
    const server = this.trustServerOf(registry);
    const client = this.clientFor(registry, server);
    const proposals = new Proposals(new RemoteProposals(server, client), new ProposalFolder(trustFolder));
    const creationLock = new CreationLock(trustFolder);
    const mirrorOf = () => mirrorInfo(client, server, gun);
    return new Repository(
      {
        ...this.source(gun, registry, actions, server, client),
        ...{ proposals, approveProposal, whileSending, creationLock, mirrorInfo: mirrorOf },
      },
      keys,
    );
  }

  /**
   * A copy of a collection, verified: from the trust server that speaks for the registry, from another one (`from`), or from
   * the cache alone. Throws as `readCopy` and `copyCached`.
   */
  async copy(gun: Gun, registry: string, from: URL | 'cache' = this.trustServerOf(registry)): Promise<CollectionCopy> {
    const { copyCached, readCopy } = await import('./copy/read-copy.ts');
    if (from === 'cache') {
      const { cache, pinning, warn, now } = this.options;
      return copyCached({ gun, host: 'the cache', cache, pinning, warn, now: now() });
    }
    return readCopy(this.source(gun, registry, ['pull'], from), from);
  }

  /**
   * A move of a collection from one trust server to another (`migrate`). Tokens and logins are those of each server. `drafts`
   * is the folder for roots that wait for signatures, the trust folder's own if it is left out.
   */
  async migration(gun: Gun, registry: string, servers: MigrationServers): Promise<Migration> {
    const { from, to, signing, drafts = join(this.options.trustFolder, 'migrations') } = servers;
    const { ImportService } = await import('../remote/notary/import-service.ts');
    const [old, client] = [this.sharedClient(registry, from), this.sharedClient(registry, to)];
    const { approveFirstRoot: approve } = this.options;
    // Of many at a time, a person is asked about one after the other.
    const approveFirstRoot = approve === undefined ? undefined : (root: FirstRoot) => signing.run(() => approve(root));
    return {
      gun,
      from: { address: from, source: { ...this.source(gun, registry, ['pull'], from, old), approveFirstRoot } },
      to: {
        host: to.host,
        server: new NotaryServer(to, client, ['pull', 'push']),
        imports: new ImportService(to, client),
      },
      keys: this.options.keys,
      signing,
      drafts: new ProposalFolder(drafts),
    };
  }

  /**
   * Reads and verifies a collection that is to be vouched for on the trust server of its registry, from another server or
   * from a copy. Throws as `readOld`.
   */
  async readOld(
    gun: Gun,
    registry: string,
    from: URL | CollectionCopy,
    pins: readonly RootPin[],
  ): Promise<OldCollection> {
    const { readOld } = await import('./adopt/old-collection.ts');
    const { cache, pinning, approveFirstRoot, warn, now } = this.options;
    const own = this.trustServerOf(registry);
    const isElsewhere = from instanceof URL && from.host !== own.host;
    const server = (address: URL) => new NotaryServer(address, this.clientFor(registry, address), ['pull']);
    return readOld({
      ...{ gun, cache, pinning, approveFirstRoot, warn, pins, now: now() },
      host: from instanceof URL ? from.host : 'the copy',
      from: from instanceof URL ? { server: server(from), address: from } : from,
      known: new AdoptedFolder(this.options.trustFolder).known,
      isOwn: async (root) => (isElsewhere || !(from instanceof URL)) && (await servesRoot(server(own), gun, root)),
    });
  }

  /** Asks the trust server of a registry for a collection that it need not have. Throws why it does not answer. */
  async checkServer(gun: Gun, registry: string): Promise<void> {
    const address = this.trustServerOf(registry);
    const server = new NotaryServer(address, this.clientFor(registry, address), ['pull', 'push']);
    await server.read(gun, { role: 'root' }, LIMITS.metadata).catch((error: unknown) => {
      if (!isSignetError(error, 'trust-data-missing')) throw error;
    });
  }

  /** Whether the copied collection is what is trusted under its name: the trusted root is one of its own. */
  async isTrusted({ gun, roots }: CollectionCopy): Promise<boolean> {
    const root = await this.options.cache.read(gun, 'root');
    return root !== undefined && roots.some(({ bytes }) => bytes.equals(root));
  }

  /**
   * Forgets what was trusted under the name of a copy if that is the copied collection, so that another can take its place.
   * Returns what brings it back unless something else is trusted there by then; undefined if there was nothing to forget.
   */
  async forgetCopied(copy: CollectionCopy): Promise<(() => Promise<void>) | undefined> {
    if (!(await this.isTrusted(copy))) return undefined;
    const { cache } = this.options;
    const { gun } = copy;
    const known = new Map<RoleName, Buffer>();
    for (const role of ['root', ...copy.files.keys()] as const) {
      const bytes = await cache.read(gun, role);
      if (bytes !== undefined) known.set(role, bytes);
    }
    await cache.remove(gun);
    return async () => {
      if ((await cache.read(gun, 'root')) !== undefined) return;
      for (const [role, bytes] of known) await cache.write(gun, role, bytes);
    };
  }

  /** `MetadataCache.names`: all collections that are cached, also those whose names are no GUNs. */
  cached(): Promise<readonly string[]> {
    return this.options.cache.names();
  }

  /** The repositories that a registry lists in its catalogue, by their names without the registry. */
  catalogue(registry: string): AsyncIterable<string> {
    return this.registries.catalogue(registry);
  }

  /** Brings a copy into the cache, so that it serves while no server can be reached. Throws as `importCopy`. */
  async importCopy(copy: CollectionCopy): Promise<Collection> {
    const { importCopy } = await import('./copy/import-copy.ts');
    const { cache, pinning, approveFirstRoot, warn, now } = this.options;
    const host = copy.server === undefined ? 'the copy' : `the copy from ${copy.server.host}`;
    return importCopy({ gun: copy.gun, host, cache, pinning, approveFirstRoot, warn, now: now() }, copy);
  }

  /** Fetches the manifest or index of a reference from its registry and verifies it. */
  manifest(reference: Reference): Promise<Manifest> {
    return this.registries.manifest(reference);
  }

  /** Tries a login as docker does; returns the identity token to store instead of the password, if the registry issues one. */
  async checkLogin(registry: string, login: Login): Promise<Buffer | undefined> {
    const { checkLogin } = await import('../remote/auth/check-login.ts');
    const endpoints = registryEndpoints(registry, this.options.configuration.registries.get(registry));
    const http = this.httpFor(registry);
    const attempt = (endpoint: URL) =>
      checkLogin({ http, endpoint, registry, login, allowed: this.allowedFor(registry), now: this.options.now() });
    const [first, fallback] = endpoints;
    if (first === undefined) throw new SignetError('server-address-invalid', `the registry ${registry} has no address`);
    try {
      return await attempt(first);
    } catch (error) {
      // Only a registry on this machine has a second address, with plain http.
      if (fallback === undefined || !isSignetError(error, 'network-unreachable', 'tls-failed')) throw error;
      return await attempt(fallback).catch(() => {
        throw error;
      });
    }
  }

  /** What a collection is updated from. */
  private source(
    gun: Gun,
    registry: string,
    actions: readonly Action[],
    server = this.trustServerOf(registry),
    client = this.clientFor(registry, server),
  ): Omit<RepositorySource, 'proposals'> {
    const { cache, pinning, approveFirstRoot, warn, configuration, now } = this.options;
    return {
      ...{
        gun,
        host: server.host,
        server: new NotaryServer(server, client, actions),
        cache,
        pinning,
        approveFirstRoot,
      },
      ...{ whenUnreachable: configuration.whenUnreachable, now: now(), warn },
    };
  }

  /** For many collections at a time: they share connections, of which there are as many as requests at one time. */
  private sharedClient(registry: string, server: URL): AuthorizedClient {
    const key = `${registry} ${server.href}`;
    const client = this.shared.get(key) ?? this.clientFor(registry, server, false);
    this.shared.set(key, client);
    return client;
  }

  private clientFor(registry: string, server: URL, pipelined = true): AuthorizedClient {
    return new AuthorizedClient({
      http: this.httpFor(registry, server, pipelined),
      logins: [...new Set([server.host, registry])].map((owner) => this.loginOf(owner)),
      tokens: this.options.tokens,
    });
  }

  private trustServerOf(registry: string): URL {
    return this.options.place?.server ?? this.serverOf(registry);
  }

  /** The address of a registry's trust server. */
  serverOf(registry: string): URL {
    const { configuration, trustServer } = this.options;
    const perRegistry = new Map<string, string>();
    for (const [host, settings] of configuration.registries) {
      if (settings.trustServer !== undefined) perRegistry.set(host, settings.trustServer);
    }
    return serverFor(registry, { environment: trustServer, perRegistry });
  }

  /** The trust server's own login comes before the registry's, which is sent only to servers of that registry. */
  private loginOf(registry: string): LoginSource {
    const { endpoint } = this.options.configuration.registries.get(registry) ?? {};
    return {
      ...{ registry, allowed: this.allowedFor(registry), find: () => this.options.login(registry) },
      ...(endpoint === undefined ? {} : { endpoint: new URL(endpoint) }),
    };
  }

  /** Token services on other hosts that the user lets the login for a registry or trust server be sent to. */
  private allowedFor(host: string): ReadonlySet<string> {
    const { registries } = this.options.configuration;
    const about = [...registries].filter(
      ([registry, { trustServer }]) =>
        registry === host || (trustServer !== undefined && new URL(trustServer).host === host),
    );
    return new Set(about.flatMap(([, { tokenServices }]) => tokenServices));
  }

  private httpFor(registry: string, server?: URL, pipelined = server !== undefined): HttpClient {
    const { userAgent, place } = this.options;
    if (place !== undefined) return new HttpClient({ userAgent, connectionFor: place.connectionFor, pipelined });
    const own = join(this.options.folder, 'tls');
    const folders = server === undefined ? [own, ENGINE_CERTIFICATES] : [own];
    const connectionFor = dockerConnections({ folders, registry, ...(server === undefined ? {} : { server }) });
    return new HttpClient({ userAgent, connectionFor, pipelined });
  }
}

/** Whether a server has this very root. One that it does not have, or cannot be asked about, is someone else's. */
async function servesRoot(server: NotaryServer, gun: Gun, root: Buffer): Promise<boolean> {
  try {
    const version = claimedRootVersion(root);
    return (await server.read(gun, { role: 'root', version }, LIMITS.metadata)).equals(root);
  } catch (error) {
    if (isSignetError(error)) return false;
    throw error;
  }
}
