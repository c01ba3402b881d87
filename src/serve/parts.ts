import { isUserName } from '../accounts/identity/user-name.ts';
import { type Accounts, createAccounts } from '../accounts/index.ts';
import { type AccountEvents, SERVER_ACTOR } from '../accounts/store/account-events.ts';
import type { AccountStore } from '../accounts/store/store.ts';
import { SignetError } from '../core/errors/index.ts';
import { shellWord } from '../core/shell-word.ts';
import { formatTime, type Instant, SECOND } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { type Gate, OPEN_GATE } from '../http/gate.ts';
import type { RouteGroup } from '../http/route.ts';
import { createTrustService, type TrustService } from '../notary/index.ts';
import type { MirrorService } from '../notary/mirror/mirror-service.ts';
import { FolderBlobStore } from '../registry/blobs/folder-blob-store.ts';
import type { RegistryIndex } from '../registry/index/registry-index.ts';
import { createRegistry, type Registry } from '../registry/index.ts';
import type { SqlDatabase } from '../store/sql.ts';
import { addFirstAdministrator, firstPasswordFile, type NewAdministrator } from './data/administrator.ts';
import { type DataFolder, isMade } from './data/data-folder.ts';
import { loadTokenKey } from './data/token-key.ts';
import type { HealthCheck } from './http/server-routes.ts';
import { diskFailure } from './observe/disk-health.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { NotaryMetrics } from './observe/notary-metrics.ts';
import { openOnlineKeys, openSignerKeys } from './online-keys.ts';
import { every, everyAcrossRestarts } from './schedule.ts';
import { namesDatabase, type ServeCommandLine } from './settings/command-line.ts';
import type { Settings } from './settings/settings.ts';
import { databaseOf, noteDatabase, refuseForgottenDatabase, sqlOptionsOf } from './storage/database-of.ts';
import type { JobTimes } from './storage/job-times.ts';
import { openStorage } from './storage/open-storage.ts';
import type { Storage } from './storage/storage.ts';
import { readTokenIssuer } from './token-issuer.ts';

export interface PartsOptions {
  readonly settings: Settings;
  readonly commandLine: ServeCommandLine;
  readonly folder: DataFolder;
  /** Every `host[:port]` of this server. */
  readonly authorities: ReadonlySet<string>;
  readonly environment: Environment;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether a person sees what the server says when it has started, and no one else. */
  readonly isTerminal: boolean;
  readonly now: () => Instant;
}

/** The parts of the server, put together over one database. */
export interface ServerParts {
  readonly routes: readonly RouteGroup[];
  gateFor(request: Request, address: string): Promise<Gate>;
  readonly health: HealthCheck;
  /** Where trust data comes from, unless it is the server's own. */
  readonly mirror?: MirrorService | undefined;
  /** The account that was made because there was none. */
  readonly administrator: NewAdministrator | undefined;
  close(): Promise<void>;
}

/** Who publishes on a server without accounts. */
const ANONYMOUS = 'anonymous';
/** Seconds after which a change that another process made is in the log, at the latest. */
const ACCOUNT_LOG_INTERVAL = 2;
/** Seconds after which files of a mirror that were replaced are served, at the latest. */
const MIRROR_INTERVAL = 30;

/**
 * Opens the database and puts trust server, accounts and registry together. Makes what is not there yet: master key,
 * token key, and the administrator of a server without accounts. Throws what its parts throw.
 */
export async function openParts(options: PartsOptions): Promise<ServerParts> {
  await using cleanup = new AsyncDisposableStack();
  const { settings, folder, now } = options;
  const url = databaseOf(settings, folder);
  if (!namesDatabase(options.commandLine)) refuseForgottenDatabase(folder, url);
  let signerDatabase: SqlDatabase | undefined;
  const storage = await openStorage(url, sqlOptionsOf(settings), async (database) => {
    const named = await openSignerKeys(options, database);
    if (named !== undefined) cleanup.defer(() => named.close());
    signerDatabase = named;
  });
  cleanup.defer(() => storage.close());
  noteDatabase(folder, url);
  const mirror = await openMirrorService(options, storage);
  const trust = mirror ?? (await openTrustServer({ ...options, signerDatabase }, storage, cleanup));
  const accountStore = storage.accounts(SERVER_ACTOR);
  const accounts = openAccounts(options, accountStore);
  const registry = await openRegistry(options, storage);
  refuseFailures(new Map(Object.entries(await trust.health())));
  const administrator = settings.auth
    ? await addFirstAdministrator({ folder, store: accountStore, inFile: !options.isTerminal, now: now() })
    : undefined;
  if (administrator === undefined) await warnOfFirstPassword(options, accountStore);
  for (const stop of startJobs(options, registry, storage.jobs)) cleanup.defer(stop);
  cleanup.defer(await logAccountEvents(options, storage.accountEvents));
  if (mirror !== undefined) cleanup.defer(watchMirror(options, mirror));

  const opened = cleanup.move();
  return {
    routes: [trust.routes, registry.routes, ...(settings.auth ? [accounts.routes] : [])],
    gateFor: settings.auth ? accounts.gateFor : async () => OPEN_GATE,
    health: async () => {
      const failures = new Map(Object.entries(await trust.health()));
      const disk = diskFailure(folder.path);
      return disk === undefined ? failures : failures.set('disk', disk);
    },
    mirror,
    administrator,
    close: () => opened.disposeAsync(),
  };
}

async function openTrustServer(
  options: PartsOptions & { readonly signerDatabase: SqlDatabase | undefined },
  storage: Storage,
  cleanup: AsyncDisposableStack,
): Promise<TrustService> {
  const { settings, log, metrics, now } = options;
  const { keys, close } = await openOnlineKeys({ ...options, storage });
  cleanup.defer(close);
  const operations = new NotaryMetrics();
  metrics.add(() => operations.lines());
  return createTrustService({
    store: storage.metadata,
    keys,
    proposalStore: storage.proposals,
    logger: log,
    gunPrefixes: settings.gunPrefixes,
    maxAge: { current: settings.currentMaxAge, consistent: settings.consistentMaxAge },
    maxPublish: settings.maxPublish,
    isExclusive: storage.isExclusive,
    observe: (operation, status, milliseconds) => operations.observe(operation, status, milliseconds),
    onImport: ({ gun, by, address, what, at }) => {
      const actor = { name: by ?? ANONYMOUS, address };
      // A user of another issuer is none of this server's, and has a name longer than theirs.
      const user = by !== undefined && isUserName(by) ? by : '';
      const event = { at, actor, action: 'trust imported', user, detail: `${gun}: ${what}` } as const;
      void storage.accountEvents
        .record(event)
        .catch((error) => log.error('an import is not on record', { error: String(error) }));
    },
    clock: now,
  });
}

/** Undefined unless the server is a mirror. Throws `settings-conflict` where its folder has trust data of its own. */
async function openMirrorService(options: PartsOptions, storage: Storage): Promise<MirrorService | undefined> {
  const { settings, folder, log, metrics } = options;
  if (settings.mirror.length === 0) return undefined;
  const [own] = await storage.metadata.changes({ direction: 'before', id: 0, limit: 1 });
  if (own !== undefined) {
    throw new SignetError(
      'settings-conflict',
      `a mirror serves nothing but copies, and ${folder.path} has trust data of its own`,
      { next: 'Give the mirror a data folder of its own: --data FOLDER' },
    );
  }
  const { openMirror } = await import('../notary/mirror/mirror-service.ts');
  const operations = new NotaryMetrics();
  metrics.add(() => operations.lines());
  return openMirror({
    paths: settings.mirror,
    logger: log,
    gunPrefixes: settings.gunPrefixes,
    maxAge: { current: settings.currentMaxAge, consistent: settings.consistentMaxAge },
    maxPublish: settings.maxPublish,
    observe: (operation, status, milliseconds) => operations.observe(operation, status, milliseconds),
  });
}

function watchMirror({ log }: PartsOptions, mirror: MirrorService): () => void {
  return every({
    name: 'looking at the files of the mirror',
    interval: MIRROR_INTERVAL,
    log,
    run: () => mirror.reload(),
  });
}

function openAccounts({ settings, folder, authorities, log, now }: PartsOptions, store: AccountStore): Accounts {
  return createAccounts({
    store,
    service: settings.service,
    issuer: settings.service,
    key: loadTokenKey(folder),
    tokenLifetime: settings.tokenLifetime,
    ownHosts: [...authorities],
    publicPull: settings.publicPull,
    tokenIssuer: readTokenIssuer(settings),
    log,
    now,
  });
}

async function openRegistry({ settings, folder, now }: PartsOptions, { registry: index }: Storage): Promise<Registry> {
  await refuseLostBlobs(folder, index);
  return createRegistry({
    index,
    blobs: await FolderBlobStore.open(folder.blobs),
    grace: settings.gcGrace * SECOND,
    uploadAge: settings.uploadExpiry * SECOND,
    maxBlob: settings.maxBlob,
    maxUploads: settings.maxUploads,
    clock: now,
  });
}

/** An empty folder in its place would turn a disk that is not mounted, or half a restored backup, into lost images. */
async function refuseLostBlobs(folder: DataFolder, index: RegistryIndex): Promise<void> {
  if (isMade(folder, folder.blobs) || !(await index.blobs.any())) return;
  throw new SignetError(
    'data-folder-incomplete',
    `the database knows images, but the folder that they are kept in is missing: ${folder.blobs}`,
    { next: `Restore it from its backup; or, if the images are lost for good: mkdir ${shellWord(folder.blobs)}` },
  );
}

/** Returns what stops each of them. */
function startJobs({ settings, log, now }: PartsOptions, registry: Registry, times: JobTimes): readonly (() => void)[] {
  const tidy = registry.keepTidy((error) => log.error('removing abandoned uploads failed', { error: String(error) }));
  if (settings.gcInterval === 0) return [tidy];
  const run = async () => {
    const { manifests, links, blobs } = await registry.collectGarbage();
    log.info('collected garbage', { manifests, links, blobs });
  };
  return [
    tidy,
    everyAcrossRestarts({ name: 'garbage collection', interval: settings.gcInterval, log, run }, times, now),
  ];
}

async function warnOfFirstPassword({ folder, log }: PartsOptions, store: AccountStore): Promise<void> {
  const file = await firstPasswordFile(folder, store);
  if (file !== undefined)
    log.warn('the first password of admin was not changed; signet user passwd admin removes its file', { file });
}

/** Logs what was changed since the last start, and what is changed from now on. Returns what stops it. */
async function logAccountEvents({ log }: PartsOptions, events: AccountEvents): Promise<() => void> {
  const logNew = async () => {
    for (const { at, actor, action, user, detail } of await events.takeNew()) {
      log.info(action, { user, detail, by: actor.name, address: actor.address, at: formatTime(at) });
    }
  };
  await logNew();
  return every({ name: 'logging changes of accounts', interval: ACCOUNT_LOG_INTERVAL, log, run: logNew });
}

/** A server that cannot work is not started, so that the person who starts it sees why. */
function refuseFailures(failures: ReadonlyMap<string, string>): void {
  if (failures.size === 0) return;
  const list = [...failures].map(([name, why]) => `${name}: ${why}`).join('; ');
  throw new SignetError('server-unhealthy', `the server cannot work: ${list}`);
}
