import type { CollectionCopy } from '../core/copy/collection-copy.ts';
import { SignetError } from '../core/errors/index.ts';
import { type Gun, parseGun } from '../core/names/gun.ts';
import type { KeyId } from '../core/names/key-id.ts';
import { gunOf, type Reference } from '../core/names/reference.ts';
import type { Action } from '../core/scope.ts';
import { AdoptedFolder } from '../store/adopted-folder.ts';
import { Changelist } from '../store/changelist.ts';
import type { OldCollection } from '../trust/adopt/old-collection.ts';
import type { MigrationServers } from '../trust/client.ts';
import type { FileVault } from '../trust/keys/file-vault.ts';
import type { KeyRing } from '../trust/keys/key-ring.ts';
import type { Migration } from '../trust/migrate/migrate.ts';
import type { OpenClient } from '../trust/open.ts';
import type { Repository } from '../trust/publish/repository.ts';
import { resolveName } from '../trust/settings/configuration.ts';
import type { NotaryPlace } from '../trust/settings/notary-place.ts';
import type { Collection } from '../trust/update/collection.ts';

/** A trust folder, its keys, and the collections that can be managed from it. */
export interface TrustPlace {
  /** The folder's path. */
  readonly folder: string;
  readonly keys: KeyRing;
  /** The key files, for operations that work only on stored keys. */
  readonly keyFiles: FileVault;
  /** The GUN for a typed name. */
  gun(name: string): Gun;
  /** The collection for a typed name. `actions` are all the permissions that the command will need from the server. */
  collection(name: string, actions: readonly Action[]): OpenCollection;
  /** The migration of the collection with a typed name. */
  migration(name: string, servers: MigrationServers): Promise<Migration>;
  /** The repositories listed by a registry, as names that `migration` accepts. */
  catalogue(registry: string): AsyncIterable<string>;
  /** A copy of the collection with a typed name: from its server, from another one, or from the cache. */
  copy(name: string, from?: URL | 'cache'): Promise<CollectionCopy>;
  /** Imports a copy into the cache. */
  importCopy(copy: CollectionCopy): Promise<Collection>;
  /** The collection of someone else under a typed name, for adopting its content. */
  orphan(name: string): Orphan;
  /** The names of all cached collections, as they would be typed; also names that no command here accepts. */
  cached(): Promise<readonly string[]>;
}

/** A collection that is read to be adopted elsewhere. */
export interface Orphan {
  readonly gun: Gun;
  /** Reads and verifies it. `pins` are the root keys that it may have. */
  read(from: URL | CollectionCopy, pins: readonly KeyId[]): Promise<OldCollection>;
  /** Throws why the trust server that is to speak for it from now on does not answer. */
  checkServer(): Promise<void>;
  /** Whether the copied collection is the one trusted under its name. */
  isTrusted(copy: CollectionCopy): Promise<boolean>;
  /** `TrustClient.forgetCopied`. */
  forget(copy: CollectionCopy): Promise<(() => Promise<void>) | undefined>;
  /** What is stored about adopted collections. */
  readonly kept: AdoptedFolder;
}

/** A collection, and its staged changes. */
export interface OpenCollection {
  readonly gun: Gun;
  readonly repository: Repository;
  readonly changelist: Changelist;
}

/** Docker's own trust folder. Names are repositories, as in docker's commands. */
export class DockerPlace implements TrustPlace {
  readonly folder: string;
  readonly keys: KeyRing;
  readonly keyFiles: FileVault;
  private readonly opened: OpenClient;

  constructor(opened: OpenClient) {
    this.opened = opened;
    this.folder = opened.trustFolder;
    this.keys = opened.keys;
    this.keyFiles = opened.keyFiles;
  }

  gun(name: string): Gun {
    return gunOf(this.resolve(name));
  }

  collection(name: string, actions: readonly Action[]): OpenCollection {
    const reference = this.resolve(name);
    const gun = gunOf(reference);
    const repository = this.opened.client.collection(gun, reference.registry, actions);
    return { gun, repository, changelist: new Changelist(this.folder, gun) };
  }

  migration(name: string, servers: MigrationServers): Promise<Migration> {
    const reference = this.resolve(name);
    return this.opened.client.migration(gunOf(reference), reference.registry, servers);
  }

  catalogue(registry: string): AsyncIterable<string> {
    return catalogueOf(this.opened.client, registry);
  }

  copy(name: string, from?: URL | 'cache'): Promise<CollectionCopy> {
    const reference = this.resolve(name);
    return this.opened.client.copy(gunOf(reference), reference.registry, from);
  }

  importCopy(copy: CollectionCopy): Promise<Collection> {
    return this.opened.client.importCopy(copy);
  }

  orphan(name: string): Orphan {
    const reference = this.resolve(name);
    return orphanOf(this.opened, gunOf(reference), reference.registry);
  }

  cached(): Promise<readonly string[]> {
    return this.opened.client.cached();
  }

  private resolve(name: string): Reference {
    const reference = resolveName(name, this.opened.configuration);
    if (reference.tag === undefined && reference.digest === undefined) return reference;
    throw new SignetError('image-reference-unsupported', `${name} names an image; give its repository alone`);
  }
}

/** A Notary client's folder. Names are GUNs. */
export class NotaryFolder implements TrustPlace {
  readonly folder: string;
  readonly keys: KeyRing;
  readonly keyFiles: FileVault;
  private readonly opened: OpenClient;
  private readonly server: URL | undefined;

  constructor(opened: OpenClient, { server }: NotaryPlace) {
    this.opened = opened;
    this.folder = opened.trustFolder;
    this.keys = opened.keys;
    this.keyFiles = opened.keyFiles;
    this.server = server;
  }

  gun(name: string): Gun {
    return parseGun(name);
  }

  collection(name: string, actions: readonly Action[]): OpenCollection {
    const gun = parseGun(name);
    const repository = this.opened.client.collection(gun, this.neededServer().host, actions);
    return { gun, repository, changelist: new Changelist(this.folder, gun) };
  }

  async migration(name: string, servers: MigrationServers): Promise<Migration> {
    return this.opened.client.migration(parseGun(name), servers.from.host, servers);
  }

  catalogue(registry: string): AsyncIterable<string> {
    return catalogueOf(this.opened.client, registry);
  }

  copy(name: string, from: URL | 'cache' = this.neededServer()): Promise<CollectionCopy> {
    return this.opened.client.copy(parseGun(name), from === 'cache' ? '' : from.host, from);
  }

  importCopy(copy: CollectionCopy): Promise<Collection> {
    return this.opened.client.importCopy(copy);
  }

  orphan(name: string): Orphan {
    return orphanOf(this.opened, parseGun(name), this.neededServer().host);
  }

  cached(): Promise<readonly string[]> {
    return this.opened.client.cached();
  }

  private neededServer(): URL {
    if (this.server !== undefined) return this.server;
    throw new SignetError('configuration-invalid', `no trust server is known for ${this.folder}`, {
      next: 'Name it: --server URL, or remote_server.url in the config.json of that folder.',
    });
  }
}

async function* catalogueOf(client: OpenClient['client'], registry: string): AsyncIterable<string> {
  for await (const path of client.catalogue(registry)) yield `${registry}/${path}`;
}

function orphanOf({ client, trustFolder }: OpenClient, gun: Gun, registry: string): Orphan {
  return {
    gun,
    read: (from, pins) => client.readOld(gun, registry, from, pins),
    checkServer: () => client.checkServer(gun, registry),
    isTrusted: (copy) => client.isTrusted(copy),
    forget: (copy) => client.forgetCopied(copy),
    kept: new AdoptedFolder(trustFolder),
  };
}
