import { checkLeadsOn, type Lineage, lineageOf } from '../../core/copy/leads-on.ts';
import { usableUntil } from '../../core/copy/verify-copy.ts';
import { isSignetError } from '../../core/errors/index.ts';
import type { Gun } from '../../core/names/gun.ts';
import { formatTime, type Instant } from '../../core/time.ts';
import type { MaxAge } from '../http/answers.ts';
import { textAnswer } from '../http/answers.ts';
import { GunPrefixes } from '../http/gun-prefixes.ts';
import { type Observer, route, trustRoutes } from '../http/routes.ts';
import type { TrustServices } from '../http/services.ts';
import { MAX_AGE, type TrustService } from '../index.ts';
import type { CurrentChain } from '../publish/current-chains.ts';
import type { Logger } from '../publish/logger.ts';
import { Refusal } from '../publish/refusal.ts';
import { type MirroredCopy, type MirrorFile, mirrorFiles, readMirror } from './mirror-files.ts';
import { MirrorStore } from './mirror-store.ts';

interface MirrorOptions {
  /** Files of copies, and folders with such files. */
  readonly paths: readonly string[];
  readonly logger: Logger;
  readonly gunPrefixes?: readonly string[];
  readonly maxAge?: MaxAge;
  /** The most bytes of files in a publish that are read before it is refused. */
  readonly maxPublish?: number;
  readonly observe?: Observer;
}

/** Facts about a copy, for people. */
export interface MirroredCollection {
  readonly gun: Gun;
  /** The last moment at which clients accept it. */
  readonly until: Instant;
}

export interface MirrorService extends TrustService {
  /** The collections served, sorted by expiry. */
  collections(): readonly MirroredCollection[];
  /**
   * Loads files that were replaced, added or removed. Errors are logged, and the previous copies are served on. So it is if a
   * copy is older than one that was served since the start, or its roots do not lead on from that one's, even if that was
   * removed in between.
   */
  reload(): Promise<void>;
}

/**
 * Opens a trust server that serves copies and has no keys: it signs nothing, so clients refuse a collection once its
 * timestamp has expired, and it answers every change with 403. Throws what `readMirror` throws.
 */
export function openMirror(options: MirrorOptions): MirrorService {
  const { paths, logger } = options;
  const store = new MirrorStore();
  let files: readonly MirrorFile[] = mirrorFiles(paths);
  let failure: string | undefined;
  const served = new Map<Gun, Lineage>();
  const take = (copies: ReadonlyMap<Gun, MirroredCopy>) => {
    for (const [gun, copy] of copies) checkFollows(served.get(gun), copy);
    for (const [gun, copy] of copies) served.set(gun, lineageOf(copy));
    store.replace(copies);
  };
  take(readMirror(files));
  const current = async (gun: Gun): Promise<CurrentChain> => ({
    ...(await store.current(gun)),
    freshUntil: Number.POSITIVE_INFINITY,
  });
  const readOnly = async (): Promise<never> => {
    throw new Refusal('mirror-read-only');
  };
  const services: TrustServices = {
    repositories: {
      current,
      fresh: current,
      byChecksum: (gun, role, sha256) => store.byChecksum(gun, role, sha256),
      byVersion: (gun, role, version) => store.byVersion(gun, role, version),
      publish: readOnly,
      refuseTaken: readOnly,
      import: readOnly,
      delete: readOnly,
    },
    proposals: { get: notFound, put: readOnly, remove: readOnly, clear: readOnly },
    keys: { current: readOnly, next: readOnly },
    store,
    logger,
    maxAge: options.maxAge ?? MAX_AGE,
    prefixes: new GunPrefixes(options.gunPrefixes ?? []),
  };
  const reload = async () => {
    try {
      const next = mirrorFiles(paths);
      if (failure === undefined && stateOf(next) === stateOf(files)) return;
      take(readMirror(next));
      files = next;
      failure = undefined;
      logger.info('took up the files of the mirror', { repositories: store.all().size });
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      logger.error('the files of the mirror have changed and cannot be used; what was served before is served on', {
        error: failure,
      });
    }
  };
  return {
    routes: trustRoutes({ ...options, services, more: [mirrorRoute(store)] }),
    currentChain: current,
    health: async () => (failure === undefined ? {} : { mirror: failure }),
    collections: () =>
      [...store.all()]
        .map(([gun, { set }]) => ({ gun, until: usableUntil(set) }))
        .sort((one, other) => one.until - other.until),
    reload,
  };
}

/** Throws `version-rollback` or `root-rotation-invalid`, with the name of the file. */
function checkFollows(before: Lineage | undefined, copy: MirroredCopy): void {
  if (before === undefined) return;
  try {
    checkLeadsOn(before, copy);
  } catch (error) {
    if (!isSignetError(error)) throw error;
    throw error.reworded(
      `${copy.path}: the copy of ${before.root.gun} cannot follow the one served before: ${error.message}`,
      {
        next: 'Restore the newer file. If the owner has founded the repository again, restart the server.',
      },
    );
  }
}

/** The answer to a client that asks whether a collection comes from a mirror. */
function mirrorRoute(store: MirrorStore): ReturnType<typeof route> {
  return route('GetMirror', 'GET', /^signet\/mirror$/, ['pull'], async (_services, { name: gun }) => {
    const mirrored = store.find(gun);
    if (mirrored === undefined) throw new Refusal('metadata-not-found', {});
    const { copy, set } = mirrored;
    return textAnswer(
      JSON.stringify({
        ...(copy.server === undefined ? {} : { server: copy.server.href }),
        read: formatTime(copy.readAt),
        until: formatTime(usableUntil(set)),
      }),
    );
  });
}

async function notFound(): Promise<never> {
  throw new Refusal('metadata-not-found', {});
}

function stateOf(files: readonly MirrorFile[]): string {
  return JSON.stringify(files);
}
