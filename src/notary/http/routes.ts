import { type ErrorCode, isSignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import type { Call } from '../../http/call.ts';
import { AuthorizationRequired, CATALOG } from '../../http/gate.ts';
import type { Route, RouteGroup } from '../../http/route.ts';
import { isStorageError, storageError } from '../../store/storage-error.ts';
import { Refusal } from '../publish/refusal.ts';
import { emptyAnswer } from './answers.ts';
import { deleteProposal, getProposal, putProposal } from './proposals.ts';
import { getAllChanges, getByChecksum, getByVersion, getChanges, getCurrent, getTimestamp } from './reads.ts';
import type { TrustServices } from './services.ts';
import { deleteAll, getKey, importCollection, publish, rotateKey } from './writes.ts';

/** Told about every request that a route answered, with how long that took in milliseconds. */
export type Observer = (operation: string, status: number, milliseconds: number) => void;

const ROLE = '(root|targets(?:/[^/\\s]+)*|snapshot|timestamp)';
const CHECKSUM = '([0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})';

const PUBLISH = /^tuf\/$/;
const BY_CHECKSUM = new RegExp(`^tuf/${ROLE}\\.${CHECKSUM}\\.json$`);
const BY_VERSION = new RegExp(`^tuf/([0-9]+)\\.${ROLE}\\.json$`);
const TIMESTAMP = /^tuf\/timestamp\.json$/;
const CURRENT = new RegExp(`^tuf/${ROLE}\\.json$`);
const KEY = /^tuf\/(snapshot|timestamp)\.key$/;
const PROPOSAL = /^signet\/proposal$/;

/**
 * The routes of a GUN: Notary's, with its operations (protocol B.2, B.11), and those that Notary does not have
 * (docs/proposals.md). The first that matches answers, so the order counts.
 */
const ROUTES: readonly Route<TrustServices, Gun>[] = [
  route('GetRole', 'GET', TIMESTAMP, ['pull'], getTimestamp),
  route('UpdateTUF', 'POST', PUBLISH, ['push', 'pull'], publish, 'gun-unsupported'),
  route('GetRoleByHash', 'GET', BY_CHECKSUM, ['pull'], getByChecksum),
  route('GetRoleByVersion', 'GET', BY_VERSION, ['pull'], getByVersion),
  route('GetRole', 'GET', CURRENT, ['pull'], getCurrent),
  route('GetKey', 'GET', KEY, ['push', 'pull'], getKey),
  route('RotateKey', 'POST', KEY, ['*'], rotateKey),
  route('DeleteTUF', 'DELETE', PUBLISH, ['*'], deleteAll),
  route('Changefeed', 'GET', /^changefeed$/, ['pull'], getChanges),
  { operation: 'Changefeed', method: 'GET', path: '/v2/_trust/changefeed', scope: CATALOG, answer: getAllChanges },
  route('ImportTUF', 'POST', /^signet\/import$/, ['push', 'pull'], importCollection, 'gun-unsupported'),
  // Who may not publish has no business with what others are about to publish.
  route('GetProposal', 'GET', PROPOSAL, ['push', 'pull'], getProposal),
  route('PutProposal', 'PUT', PROPOSAL, ['push', 'pull'], putProposal, 'gun-unsupported'),
  route('DeleteProposal', 'DELETE', PROPOSAL, ['push', 'pull'], deleteProposal),
];
/** Room for the headers of a multipart form around its files, in bytes. */
const FORM_MARGIN = 1024 * 1024;
const METHODS: readonly string[] = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE'];

/** What the server around it answers: who may not do this, who has to wait, and what the machine has no room for. */
const FOR_SERVER: readonly ErrorCode[] = ['login-throttled', 'login-busy', 'network-busy', 'server-busy', 'too-large'];

interface TrustRoutesOptions {
  readonly services: TrustServices;
  /** Bytes of files in one publish at most. */
  readonly maxPublish?: number | undefined;
  readonly observe?: Observer | undefined;
  /** Routes beside those that every trust server has. */
  readonly more?: readonly Route<TrustServices, Gun>[];
}

/** Answers below `/v2/{gun}/_trust/` and `/v2/_trust/` as Notary's server does (protocol B.2, B.3). */
export function trustRoutes(options: TrustRoutesOptions): RouteGroup<TrustServices, Gun> {
  const { services, maxPublish = LIMITS.upload, observe = () => {}, more = [] } = options;
  const limit = maxPublish + FORM_MARGIN;
  return {
    name: 'trust',
    access: 'gate',
    names: 'trust',
    body: { limit, memory: limit },
    services,
    routes: [...ROUTES, ...more],
    unmatched,
    errorResponse: (error, call) => errorResponse(services, error, call),
    observe,
  };
}

/** The error for a GUN that is not served: publishers are told why, for all others there is nothing under such a name. */
type OutsideError = 'gun-unsupported' | 'metadata-not-found';
type TrustRoute = Extract<Route<TrustServices, Gun>, { readonly actions: unknown }>;

/** A route below a GUN. */
export function route(
  operation: string,
  method: TrustRoute['method'],
  path: RegExp,
  actions: TrustRoute['actions'],
  answer: TrustRoute['answer'],
  outside: OutsideError = 'metadata-not-found',
): TrustRoute {
  return { operation, method, path, actions, answer, parseName: (services, name) => admitGun(services, name, outside) };
}

/** Refuses a GUN before the caller has to log in, so that a name outside the prefixes gets no challenge (protocol B.4). */
function admitGun({ prefixes }: TrustServices, name: string, outside: OutsideError): Gun {
  if (!prefixes.admit(name)) {
    throw new Refusal(outside, outside === 'gun-unsupported' ? prefixes.requirement : undefined);
  }
  try {
    return parseGun(name);
  } catch (cause) {
    throw new Refusal(outside, outside === 'gun-unsupported' ? undefined : {}, cause);
  }
}

/** Notary tells only administrators that there is no such route. */
async function unmatched({ request, gate }: Call): Promise<Response> {
  if (!METHODS.includes(request.method)) return emptyAnswer(405);
  await gate.require(CATALOG);
  throw new Refusal('metadata-not-found');
}

function errorResponse({ logger }: TrustServices, thrown: unknown, { request, url }: Call): Response | undefined {
  const error = storageError(thrown);
  if (isForServer(error)) return undefined;
  if (error instanceof Refusal) return error.response;
  const code = isSignetError(error) ? error.code : undefined;
  logger.error(`${request.method} ${url.pathname} failed`, { code, error: String(error) });
  return new Refusal('trust-server-failed', {}).response;
}

function isForServer(error: unknown): boolean {
  return error instanceof AuthorizationRequired || isSignetError(error, ...FOR_SERVER) || isStorageError(error);
}
