import type { Database } from 'bun:sqlite';
import { OPEN_GATE } from '../accounts/gate.ts';
import { type Accounts, createAccounts } from '../accounts/index.ts';
import { recordEvent, SERVER_ACTOR, takeNewEvents } from '../accounts/store/account-events.ts';
import { ACCOUNT_MIGRATIONS, SqliteAccountStore } from '../accounts/store/sqlite-store.ts';
import { TOKEN_PATH } from '../accounts/tokens/token-service.ts';
import { SignetError } from '../core/errors/index.ts';
import { LIMITS } from '../core/limits.ts';
import { shellWord } from '../core/shell-word.ts';
import { formatTime, type Instant, SECOND } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import type { Gate } from '../http/gate.ts';
import { createTrustService, type TrustService } from '../notary/index.ts';
import type { MirrorService } from '../notary/mirror/mirror-service.ts';
import { METADATA_MIGRATIONS, SqliteMetadataStore } from '../notary/store/sqlite-metadata-store.ts';
import { ONLINE_KEY_MIGRATIONS, SqliteOnlineKeyStore } from '../notary/store/sqlite-online-key-store.ts';
import { PROPOSAL_MIGRATIONS, SqliteProposalStore } from '../notary/store/sqlite-proposal-store.ts';
import { FolderBlobStore } from '../registry/blobs/folder-blob-store.ts';
import { namesManifest, uploadStep } from '../registry/http/path.ts';
import { REGISTRY_MIGRATIONS } from '../registry/index/schema.ts';
import { sqliteRegistryIndex } from '../registry/index/sqlite-index.ts';
import { createRegistry, type Registry } from '../registry/index.ts';
import { note, openDatabase } from '../store/sqlite.ts';
import { addFirstAdministrator, firstPasswordFile, type NewAdministrator } from './data/administrator.ts';
import { type DataFolder, isMade } from './data/data-folder.ts';
import { loadTokenKey } from './data/token-key.ts';
import type { ServerPart } from './http/application.ts';
import type { HealthCheck } from './http/own-parts.ts';
import { diskFailure } from './observe/disk-health.ts';
import { JOB_MIGRATIONS, type JobTimes, sqliteJobTimes } from './observe/job-times.ts';
import type { Log } from './observe/log.ts';
import type { Metrics } from './observe/metrics.ts';
import { NotaryMetrics } from './observe/notary-metrics.ts';
import { openOnlineKeys } from './online-keys.ts';
import { every, everyAcrossRestarts } from './schedule.ts';
import type { Settings } from './settings/settings.ts';

export interface PartsOptions {
  readonly settings: Settings;
  readonly folder: DataFolder;
  /** Every `host[:port]` of this server. */
  readonly authorities: ReadonlySet<string>;
  readonly environment: Environment;
  readonly addressOf: (request: Request) => string;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Whether a person sees what the server says when it has started, and no one else. */
  readonly isTerminal: boolean;
  readonly now: () => Instant;
}

/** The parts of the server, put together over one database. */
export interface ServerParts {
  /** In the order in which they are asked. */
  readonly routes: readonly ServerPart[];
  gateFor(request: Request): Promise<Gate>;
  readonly health: HealthCheck;
  /** Where trust data comes from, unless it is the server's own. */
  readonly mirror?: MirrorService | undefined;
  /** The account that was made because there was none. */
  readonly administrator: NewAdministrator | undefined;
  close(): void;
}

/** Room for the headers of a multipart upload around its files, in bytes. */
const UPLOAD_MARGIN = 1024 * 1024;
const TOKEN_REQUEST_LIMIT = 64 * 1024;
/** Who publishes on a server without accounts, and where all come from who are not at the machine. */
const [ANONYMOUS, NETWORK] = ['anonymous', 'network'];
/** Seconds after which a change that another process made is in the log, at the latest. */
const ACCOUNT_LOG_INTERVAL = 2;
/** Seconds after which files of a mirror that were replaced are served, at the latest. */
const MIRROR_INTERVAL = 30;

/**
 * Opens the database and puts trust server, accounts and registry together. Makes what is not there yet: master key,
 * token key, and the administrator of a server without accounts. Throws what its parts throw.
 */
export async function openParts(options: PartsOptions): Promise<ServerParts> {
  using cleanup = new DisposableStack();
  const { settings, folder, now } = options;
  const database = openDatabase(
    folder.database,
    METADATA_MIGRATIONS,
    ONLINE_KEY_MIGRATIONS,
    PROPOSAL_MIGRATIONS,
    ACCOUNT_MIGRATIONS,
    REGISTRY_MIGRATIONS,
    JOB_MIGRATIONS,
  );
  cleanup.defer(() => database.close());
  const mirror = await openMirrorService(options, database);
  const trust = mirror ?? (await openTrustServer(options, database, cleanup));
  const accountStore = new SqliteAccountStore(database, SERVER_ACTOR);
  const accounts = openAccounts(options, accountStore);
  const registry = await openRegistry(options, database);
  refuseFailures(new Map(Object.entries(await trust.health())));
  const administrator = settings.auth
    ? await addFirstAdministrator({ folder, store: accountStore, inFile: !options.isTerminal, now: now() })
    : undefined;
  if (administrator === undefined) await warnOfFirstPassword(options, accountStore);
  for (const stop of startJobs(options, registry, sqliteJobTimes(database))) cleanup.defer(stop);
  cleanup.defer(logAccountEvents(options, database));
  if (mirror !== undefined) cleanup.defer(watchMirror(options, mirror));

  const opened = cleanup.move();
  const trustAndRegistry = [trustRoute(trust, settings), ...registryRoutes(registry)];
  return {
    routes: settings.auth ? [tokenRoute(accounts), ...trustAndRegistry] : trustAndRegistry,
    gateFor: settings.auth ? accounts.gateFor : async () => OPEN_GATE,
    health: async () => {
      const failures = new Map(Object.entries(await trust.health()));
      const disk = diskFailure(folder.path);
      return disk === undefined ? failures : failures.set('disk', disk);
    },
    mirror,
    administrator,
    close: () => opened.dispose(),
  };
}

async function openTrustServer(
  options: PartsOptions,
  database: Database,
  cleanup: DisposableStack,
): Promise<TrustService> {
  const { settings, folder, environment, log, metrics, now } = options;
  const store = new SqliteMetadataStore(database);
  const { keys, close } = await openOnlineKeys({
    ...{ settings, folder, environment, store: new SqliteOnlineKeyStore(database), metadata: store, now },
  });
  cleanup.defer(close);
  const operations = new NotaryMetrics();
  metrics.add(() => operations.lines());
  return createTrustService({
    store,
    keys,
    proposalStore: new SqliteProposalStore(database),
    logger: log,
    gunPrefixes: settings.gunPrefixes,
    maxAge: { current: settings.currentMaxAge, consistent: settings.consistentMaxAge },
    observe: (operation, status, milliseconds) => operations.observe(operation, status, milliseconds),
    onImport: ({ gun, by, what, at }) => {
      const actor = { name: by ?? ANONYMOUS, address: NETWORK };
      const event = { at, actor, action: 'trust imported', user: by ?? '', detail: `${gun}: ${what}` } as const;
      note(database, () => recordEvent(database, event));
    },
    clock: now,
  });
}

/** Undefined unless the server is a mirror. Throws `settings-conflict` where its folder has trust data of its own. */
async function openMirrorService(options: PartsOptions, database: Database): Promise<MirrorService | undefined> {
  const { settings, folder, log, metrics } = options;
  if (settings.mirror.length === 0) return undefined;
  const [own] = await new SqliteMetadataStore(database).changes({ direction: 'before', id: 0, limit: 1 });
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

function openAccounts(
  { settings, folder, authorities, addressOf, log, now }: PartsOptions,
  store: SqliteAccountStore,
): Accounts {
  return createAccounts({
    store,
    service: settings.service,
    issuer: settings.service,
    key: loadTokenKey(folder),
    tokenLifetime: settings.tokenLifetime,
    ownHosts: [...authorities],
    publicPull: settings.publicPull,
    addressOf,
    log,
    now,
  });
}

async function openRegistry({ settings, folder, now }: PartsOptions, database: Database): Promise<Registry> {
  refuseLostBlobs(folder, database);
  return createRegistry({
    index: sqliteRegistryIndex(database),
    blobs: await FolderBlobStore.open(folder.blobs),
    grace: settings.gcGrace * SECOND,
    uploadAge: settings.uploadExpiry * SECOND,
    maxBlob: settings.maxBlob,
    clock: now,
  });
}

/** An empty folder in its place would turn a disk that is not mounted, or half a restored backup, into lost images. */
function refuseLostBlobs(folder: DataFolder, database: Database): void {
  const isUsed = database.query('SELECT 1 FROM registry_blobs LIMIT 1').get() !== null;
  if (!isUsed || isMade(folder, folder.blobs)) return;
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

async function warnOfFirstPassword({ folder, log }: PartsOptions, store: SqliteAccountStore): Promise<void> {
  const file = await firstPasswordFile(folder, store);
  if (file !== undefined)
    log.warn('the first password of admin was not changed; signet user passwd admin removes its file', { file });
}

/** Logs what was changed since the last start, and what is changed from now on. Returns what stops it. */
function logAccountEvents({ log }: PartsOptions, database: Database): () => void {
  const logNew = () => {
    for (const { at, actor, action, user, detail } of takeNewEvents(database)) {
      log.info(action, { user, detail, by: actor.name, address: actor.address, at: formatTime(at) });
    }
  };
  logNew();
  return every({ name: 'logging changes of accounts', interval: ACCOUNT_LOG_INTERVAL, log, run: logNew });
}

function tokenRoute({ tokenService }: Accounts): ServerPart {
  return {
    name: 'token',
    access: 'open',
    bodyLimit: TOKEN_REQUEST_LIMIT,
    memory: TOKEN_REQUEST_LIMIT,
    takes: (path) => path === TOKEN_PATH,
    handler: tokenService,
  };
}

function trustRoute({ handler }: TrustService, { maxPublish }: Settings): ServerPart {
  return {
    name: 'trust',
    access: 'gate',
    bodyLimit: maxPublish + UPLOAD_MARGIN,
    memory: maxPublish + UPLOAD_MARGIN,
    takes: (path) => path.startsWith('/v2/') && path.includes('/_trust/'),
    handler,
  };
}

/** The registry limits what it takes itself. Blobs go to the disk as they come, manifests are kept until they are whole. */
function registryRoutes({ handler }: Registry): readonly ServerPart[] {
  const part = { name: 'registry', access: 'gate', bodyLimit: Number.POSITIVE_INFINITY, handler } as const;
  return [
    { ...part, memory: LIMITS.manifest, takes: (path) => path.startsWith('/v2/') && namesManifest(path) },
    { ...part, memory: 0, takes: (path) => path.startsWith('/v2/'), step: uploadStep },
  ];
}

/** A server that cannot work is not started, so that whoever starts it sees why. */
function refuseFailures(failures: ReadonlyMap<string, string>): void {
  if (failures.size === 0) return;
  const list = [...failures].map(([name, why]) => `${name}: ${why}`).join('; ');
  throw new SignetError('server-unhealthy', `the server cannot work: ${list}`);
}
