import { type ErrorCode, isSignetError } from '../../core/errors/index.ts';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import type { Scope } from '../../core/scope.ts';
import { AuthorizationRequired, type Gate, type Handler } from '../../http/gate.ts';
import { isStorageError, storageError } from '../../store/storage-error.ts';
import type { Logger } from '../publish/logger.ts';
import { Refusal } from '../publish/refusal.ts';
import { emptyAnswer } from './answers.ts';
import type { GunPrefixes } from './gun-prefixes.ts';
import { IMPORT_ROUTE } from './import-route.ts';
import { PROPOSAL_ROUTES } from './proposal-routes.ts';
import { getChanges, type Operation, ROUTES, type Route, type Services } from './routes.ts';

/** Told about every request that a route answered, with how long that took in milliseconds. */
export type Observer = (operation: Operation, status: number, milliseconds: number) => void;

interface HandlerParts extends Services {
  /** Routes of a GUN beside those that every trust server has. */
  readonly moreRoutes?: readonly Route[];
  readonly prefixes: GunPrefixes;
  readonly logger: Logger;
  readonly observe: Observer;
}

/** What stands before and after the first `/_trust/` of a path. */
interface TrustPath {
  /** Undefined in the paths that belong to no GUN. */
  readonly gun: string | undefined;
  readonly resource: string;
}

const START = '/v2/';
const MARK = '/_trust/';
/** GUN, role, checksum and what stands between them take less; a longer path matches no route. */
const MAX_PATH = 2048;
const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE'];
const GUN_ROUTES = [...ROUTES, ...PROPOSAL_ROUTES, IMPORT_ROUTE];
const CATALOG: Scope = { type: 'registry', name: 'catalog', actions: ['*'] };

/**
 * Answers the requests below `/v2/{gun}/_trust/` and `/v2/_trust/` as Notary's server does (protocol B.2, B.3), and
 * leaves all other paths alone. What the gate throws passes through.
 */
export function createNotaryHandler(parts: HandlerParts): Handler {
  const routes = [...GUN_ROUTES, ...(parts.moreRoutes ?? [])];
  return async (request, url, gate) => {
    const clean = url.pathname.replace(/\/{2,}/g, '/');
    const path = parseTrustPath(clean);
    if (path === undefined) return undefined;
    if (clean !== url.pathname) return redirect(clean + url.search);
    try {
      return await answer(parts, routes, path, request, url, gate);
    } catch (thrown) {
      const error = storageError(thrown);
      if (isForServer(error)) throw error;
      if (error instanceof Refusal) return error.response;
      const code = isSignetError(error) ? error.code : undefined;
      parts.logger.error(`${request.method} ${clean.slice(0, MAX_PATH)} failed`, { code, error: String(error) });
      return new Refusal('trust-server-failed', {}).response;
    }
  };
}

/** What the server around it answers: who may not do this, who has to wait, and what the machine has no room for. */
const FOR_SERVER: readonly ErrorCode[] = ['login-throttled', 'login-busy', 'network-busy', 'server-busy', 'too-large'];

function isForServer(error: unknown): boolean {
  return error instanceof AuthorizationRequired || isSignetError(error, ...FOR_SERVER) || isStorageError(error);
}

async function answer(
  parts: HandlerParts,
  routes: readonly Route[],
  { gun: name, resource }: TrustPath,
  request: Request,
  url: URL,
  gate: Gate,
): Promise<Response> {
  if (!METHODS.includes(request.method)) return emptyAnswer(405);
  if (name === undefined && resource === 'changefeed' && request.method === 'GET') {
    await gate.require(CATALOG);
    return timed(parts.observe, 'Changefeed', () => getChanges(parts.store, url, undefined));
  }
  for (const route of name === undefined ? [] : routes) {
    const match = route.method === request.method ? route.pattern.exec(resource) : null;
    if (match === null || name === undefined) continue;
    const gun = admitGun(name, parts.prefixes, route.outside);
    await gate.require({ type: 'repository', name: gun, actions: route.actions });
    const call = { request, url, gate, gun, names: match.slice(1) };
    return timed(parts.observe, route.operation, () => route.answer(parts, call));
  }
  await gate.require(CATALOG);
  throw new Refusal('metadata-not-found');
}

/** Undefined for a path of another part of the server. */
function parseTrustPath(pathname: string): TrustPath | undefined {
  const path = decode(pathname);
  if (!path.startsWith(START)) return undefined;
  const mark = path.indexOf(MARK, START.length - 1);
  if (mark < 0) return undefined;
  const resource = path.length > MAX_PATH ? '' : path.slice(mark + MARK.length);
  return { gun: mark < START.length ? undefined : path.slice(START.length, mark), resource };
}

/** The path as Go's router sees it. One that cannot be decoded keeps its percent signs, which no name may have. */
function decode(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/** Refuses a GUN before anyone is asked who he is, so that a name outside the prefixes gets no challenge (protocol B.4). */
function admitGun(name: string, prefixes: GunPrefixes, outside: 'gun-unsupported' | 'metadata-not-found'): Gun {
  if (!prefixes.admit(name)) {
    throw new Refusal(outside, outside === 'gun-unsupported' ? prefixes.requirement : undefined);
  }
  try {
    return parseGun(name);
  } catch (cause) {
    throw new Refusal(outside, outside === 'gun-unsupported' ? undefined : {}, cause);
  }
}

/** Go's router sends clients to the path without doubled slashes (protocol B.2). */
function redirect(location: string): Response {
  return new Response(null, { status: 301, headers: { Location: location, 'Content-Length': '0' } });
}

async function timed(observe: Observer, operation: Operation, run: () => Promise<Response>): Promise<Response> {
  const start = performance.now();
  let status = 500;
  try {
    const response = await run();
    status = response.status;
    return response;
  } catch (error) {
    if (isSignetError(error)) status = error.httpStatus;
    throw error;
  } finally {
    observe(operation, status, performance.now() - start);
  }
}
