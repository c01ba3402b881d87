import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { TOKEN_PATH } from '../accounts/tokens/token-service.ts';
import { DAY, type Instant, SECOND } from '../core/time.ts';
import type { Environment } from '../core/variables.ts';
import { removeDrafts } from '../store/drafts.ts';
import { startBanner } from './banner.ts';
import type { NewAdministrator } from './data/administrator.ts';
import { openDataFolder } from './data/data-folder.ts';
import { lockFolder } from './data/folder-lock.ts';
import { Application } from './http/application.ts';
import { guardDescriptors } from './http/descriptors.ts';
import { Listeners } from './http/listeners.ts';
import { baseRoutes, type HealthCheck, healthRoutes, homeRoutes, metricsRoutes } from './http/server-routes.ts';
import { Shares } from './http/shares.ts';
import type { LineSink } from './observe/log.ts';
import { type Logs, openLogs } from './observe/logs.ts';
import { Metrics } from './observe/metrics.ts';
import { warnOfOpenSecrets } from './observe/open-secrets.ts';
import { processMetrics } from './observe/process-metrics.ts';
import { openParts, type PartsOptions, type ServerParts } from './parts.ts';
import { every } from './schedule.ts';
import { NO_COMMAND_LINE, type ServeCommandLine } from './settings/command-line.ts';
import { formatHostName, isWildcard } from './settings/host-name.ts';
import type { Settings } from './settings/settings.ts';
import { CertificateManager } from './tls/certificate-manager.ts';
import { openCertificateSource } from './tls/certificate-source.ts';
import { OwnNames } from './tls/own-names.ts';

/** The settings of a server and the folder it keeps its data in. */
export interface ServeSettings extends Settings {
  readonly data: string;
}

/** What tests replace. */
interface Dependencies {
  readonly now?: () => Instant;
  readonly environment?: Environment;
  /** Takes the log; standard error if absent. */
  readonly log?: LineSink;
  readonly openParts?: (options: PartsOptions) => Promise<ServerParts>;
}

/** Where the server was started. */
export interface StartOptions extends Dependencies {
  /** Whether a person reads the announcement at a terminal; otherwise no secret stands in it. */
  readonly isTerminal?: boolean;
  /** What the settings were given by. */
  readonly commandLine?: ServeCommandLine;
}

export interface RunningServer {
  /** Address under which this machine reaches the server: `https://localhost:5000`. */
  readonly url: string;
  readonly port: number;
  /** What a client must trust, as PEM; empty for plain HTTP. */
  readonly caCertificate: string;
  /** The account that was made for a server without accounts. */
  readonly administrator: NewAdministrator | undefined;
  /** What to tell the person who started the server; on a terminal, the administrator's password too. */
  readonly announcement: string;
  /** Takes renewed certificates, a new file for the access log and new files of a mirror into use; never throws. */
  reload(): Promise<void>;
  /** Begins nothing more, lets running requests and uploads end within the grace period, closes everything. */
  stop(): Promise<void>;
}

/** What a network may have in memory of small bodies, beside the largest one that there can be, in bytes. */
const SMALL_BODIES = 16 * 1024 * 1024;
const RENEWAL_CHECK = DAY / SECOND;
const VALIDITY_CHECK = 60;

/**
 * Starts a server: opens or makes its data folder, listens, and answers once all parts are ready; requests that come
 * before wait. Throws a SignetError, with nothing left running or locked, if anything is not as it must be.
 */
export async function startServer(settings: ServeSettings, dependencies: StartOptions = {}): Promise<RunningServer> {
  await using cleanup = new AsyncDisposableStack();
  const { now = Date.now, environment = process.env, isTerminal = false, commandLine = NO_COMMAND_LINE } = dependencies;
  const logs = openLogs(settings, dependencies.log, now);
  cleanup.defer(() => logs.close());
  const { log } = logs;

  warnOfOpenSecrets(log, secretFilesOf(settings, commandLine));
  const folder = openDataFolder(settings.data);
  const lock = lockFolder(folder);
  cleanup.defer(() => lock.release());
  for (const path of [folder.path, folder.tls]) removeDrafts(path, now());
  const isFirst = !existsSync(folder.tokenKey);
  const hadAuthority = existsSync(folder.authorityCertificate);

  const names = new OwnNames(settings.names, settings.listen, hostname());
  const tls = settings.tls
    ? new CertificateManager(openCertificateSource(settings, folder, names, log, now()), log, now())
    : undefined;
  const ready = Promise.withResolvers<Application>();
  const listener = new Listeners({
    address: settings.listen,
    certificate: tls?.current,
    idleTimeout: settings.idleTimeout,
    answer: async (request, peer) => (await ready.promise).answer(request, peer),
  });
  cleanup.defer(() => listener.stop(0));
  const { port } = listener;

  const metrics = new Metrics();
  metrics.add(processMetrics(now()));
  const context = {
    settings,
    commandLine,
    folder,
    authorities: names.authorities(port),
    environment,
    log,
    metrics,
    isTerminal,
    now,
  };
  const parts = await (dependencies.openParts ?? openParts)(context);
  cleanup.defer(() => parts.close());
  const health = healthOf(parts, tls, now);
  const application = createApplication({ ...context, parts, health, logAccess: logs.logAccess });
  ready.resolve(application);
  listener.answerWith(application);
  cleanup.defer(guardDescriptors(listener, log));

  const renew = async () => tls?.renew(listener, now());
  cleanup.defer(every({ name: 'certificate renewal', interval: RENEWAL_CHECK, log, run: renew }));
  const watch = async () => tls?.watch(listener, now());
  cleanup.defer(every({ name: 'certificate check', interval: VALIDITY_CHECK, log, run: watch }));
  const url = `${settings.tls ? 'https' : 'http'}://${formatHostName({ host: localHost(settings), port })}`;
  log.info('started', { url, data: folder.path });
  if (!settings.auth) log.warn('auth is off: everybody who reaches the server may do everything');

  if (!isFirst && !hadAuthority && tls?.source.authority !== undefined) {
    log.warn('there was no certificate authority in the data folder: every client must be told to trust the new one', {
      authority: folder.authorityCertificate,
    });
  }

  const opened = cleanup.move();
  const end = async () => {
    log.info('stopping', { running: metrics.running });
    application.beginStop();
    await listener.stop(settings.shutdownGrace, () => application.isAmidSteps);
    log.info('stopped');
    await opened.disposeAsync();
  };
  let stopped: Promise<void> | undefined;
  const { administrator } = parts;
  const authority = tls?.source.authority;
  return {
    url,
    port,
    caCertificate: tls?.source.anchor ?? '',
    administrator,
    announcement: startBanner({
      ...{ url, port, settings, commandLine, folder, names, authority, isFirst, administrator },
      ...{ mirrored: parts.mirror?.collections(), now: now() },
    }),
    reload: async () => {
      logs.reopen();
      await parts.mirror?.reload();
      await renew();
    },
    stop: () => {
      stopped ??= end();
      return stopped;
    },
  };
}

interface Composition extends PartsOptions {
  readonly parts: ServerParts;
  readonly health: HealthCheck;
  readonly logAccess: Logs['logAccess'];
}

function createApplication({ settings, parts, health, metrics, ...rest }: Composition): Application {
  const scheme = settings.tls || settings.behindProxy ? 'https' : 'http';
  const own = [healthRoutes(health), metricsRoutes(() => metrics.text(), settings.metrics), homeRoutes(), baseRoutes()];
  const bodies = parts.routes.flatMap(({ body, routes }) => [body, ...routes.map((route) => route.body ?? body)]);
  return new Application({
    ...rest,
    metrics,
    routes: [...own, ...parts.routes],
    gateFor: parts.gateFor,
    realmOf: (host) =>
      settings.tokenIssuerRealm === undefined
        ? { url: `${scheme}://${host}${TOKEN_PATH}`, service: settings.service }
        : { url: settings.tokenIssuerRealm, service: settings.tokenIssuerService ?? settings.service },
    behindProxy: settings.behindProxy,
    maxRequests: settings.maxRequests,
    shares: new Shares({
      requests: settings.maxRequests,
      bytes: Math.max(...bodies.map(({ memory }) => memory)) + SMALL_BODIES,
    }),
  });
}

function healthOf(parts: ServerParts, tls: CertificateManager | undefined, now: () => Instant): HealthCheck {
  return async () => {
    const failures = new Map(await parts.health());
    const failure = tls?.failure(now());
    return failure === undefined ? failures : failures.set('TLS certificate', failure);
  };
}

/** The name under which a program on this machine reaches the server. */
function localHost({ listen }: Settings): string {
  return isWildcard(listen.host) || listen.host.startsWith('127.') ? 'localhost' : listen.host;
}

/** The files with secrets that the settings name, by the names of these settings. */
function secretFilesOf(settings: Settings, { config }: ServeCommandLine): Readonly<Record<string, string | undefined>> {
  const { database, signerDatabase, masterKeyFile, tlsKey, databaseFile, signerDatabaseFile } = settings;
  const hasPassword = [database, signerDatabase].some((url) => url?.kind === 'server' && url.revealPassword() !== '');
  return {
    ...{ masterKeyFile, tlsKey, databaseFile, signerDatabaseFile },
    ...{ signerPassphrases: settings.signerPassphrases, signerKey: settings.signerKey },
    ...(hasPassword ? { config } : {}),
  };
}
