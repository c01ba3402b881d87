import { CHAIN_HEADER, parseKnown } from '../../core/chain.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { publicKeyWire } from '../../core/keys/public-key.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { baseRoleKeys, readRoot } from '../../core/metadata/root.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { parseRole, type RoleName } from '../../core/names/role.ts';
import type { Action } from '../../core/scope.ts';
import type { Gate } from '../../http/gate.ts';
import type { OnlineKeyService } from '../publish/online-key-service.ts';
import type { ServerProposals } from '../publish/proposals.ts';
import { Refusal } from '../publish/refusal.ts';
import type { Repositories } from '../publish/repositories.ts';
import type { MetadataFile, MetadataStore } from '../store/metadata-store.ts';
import type { OnlineRole } from '../store/online-key-store.ts';
import { chainAnswer, emptyAnswer, type MaxAge, metadataAnswer, textAnswer, timestampAnswer } from './answers.ts';
import { writeMissing } from './chain.ts';
import { formatChanges, parseChangeQuery } from './changefeed.ts';
import { readUpload } from './upload-request.ts';

/** What the routes work with. */
export interface Services {
  readonly repositories: Pick<Repositories, 'current' | 'fresh' | 'publish' | 'refuseTaken' | 'import' | 'delete'>;
  readonly proposals: Pick<ServerProposals, 'get' | 'put' | 'remove' | 'clear'>;
  readonly store: MetadataStore;
  readonly keys: Pick<OnlineKeyService, 'current' | 'next'>;
  readonly maxAge: MaxAge;
}

/** A request that is allowed, and what its path says. */
export interface NotaryCall {
  readonly request: Request;
  readonly url: URL;
  readonly gate: Gate;
  readonly gun: Gun;
  /** The groups of the route's pattern. */
  readonly names: readonly string[];
}

/** The operations under which Notary's metrics count requests (protocol B.11), and those that Notary does not have. */
export type Operation =
  | 'UpdateTUF'
  | 'GetRoleByHash'
  | 'GetRoleByVersion'
  | 'GetRole'
  | 'GetKey'
  | 'RotateKey'
  | 'DeleteTUF'
  | 'Changefeed'
  | 'GetMirror'
  | 'GetProposal'
  | 'PutProposal'
  | 'DeleteProposal'
  | 'ImportTUF';

export interface Route {
  readonly operation: Operation;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** What follows `/_trust/`. */
  readonly pattern: RegExp;
  readonly actions: readonly Action[];
  /** The answer for a GUN that the server does not serve. */
  readonly outside: 'gun-unsupported' | 'metadata-not-found';
  readonly answer: (services: Services, call: NotaryCall) => Promise<Response>;
}

const ROLE = '(root|targets(?:/[^/\\s]+)*|snapshot|timestamp)';
const CHECKSUM = '([0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})';
const MAX_INT64 = 2n ** 63n - 1n;
const ONLINE_ROLE = '(snapshot|timestamp)';

/** The routes of a GUN (protocol B.2). The first that matches answers, so the order counts. */
export const ROUTES: readonly Route[] = [
  {
    operation: 'UpdateTUF',
    method: 'POST',
    pattern: /^tuf\/$/,
    actions: ['push', 'pull'],
    outside: 'gun-unsupported',
    answer: publish,
  },
  {
    operation: 'GetRoleByHash',
    method: 'GET',
    pattern: new RegExp(`^tuf/${ROLE}\\.${CHECKSUM}\\.json$`),
    actions: ['pull'],
    outside: 'metadata-not-found',
    answer: getByChecksum,
  },
  {
    operation: 'GetRoleByVersion',
    method: 'GET',
    pattern: new RegExp(`^tuf/([0-9]+)\\.${ROLE}\\.json$`),
    actions: ['pull'],
    outside: 'metadata-not-found',
    answer: getByVersion,
  },
  {
    operation: 'GetRole',
    method: 'GET',
    pattern: /^tuf\/timestamp\.json$/,
    actions: ['pull'],
    outside: 'metadata-not-found',
    answer: getTimestamp,
  },
  {
    operation: 'GetRole',
    method: 'GET',
    pattern: new RegExp(`^tuf/${ROLE}\\.json$`),
    actions: ['pull'],
    outside: 'metadata-not-found',
    answer: getCurrent,
  },
  {
    operation: 'GetKey',
    method: 'GET',
    pattern: new RegExp(`^tuf/${ONLINE_ROLE}\\.key$`),
    actions: ['push', 'pull'],
    outside: 'metadata-not-found',
    answer: getKey,
  },
  {
    operation: 'RotateKey',
    method: 'POST',
    pattern: new RegExp(`^tuf/${ONLINE_ROLE}\\.key$`),
    actions: ['*'],
    outside: 'metadata-not-found',
    answer: rotateKey,
  },
  {
    operation: 'DeleteTUF',
    method: 'DELETE',
    pattern: /^tuf\/$/,
    actions: ['*'],
    outside: 'metadata-not-found',
    answer: deleteAll,
  },
  {
    operation: 'Changefeed',
    method: 'GET',
    pattern: /^changefeed$/,
    actions: ['pull'],
    outside: 'metadata-not-found',
    answer: ({ store }, { url, gun }) => getChanges(store, url, gun),
  },
];

/** The changefeed of one GUN, or of all of them. */
export async function getChanges(store: MetadataStore, url: URL, gun: Gun | undefined): Promise<Response> {
  return textAnswer(formatChanges(await store.changes(parseChangeQuery(url.searchParams, gun))));
}

async function publish({ repositories }: Services, { request, gun, gate }: NotaryCall): Promise<Response> {
  await repositories.publish(gun, await readUpload(request), gate.subject);
  return emptyAnswer();
}

async function getByChecksum({ store, maxAge }: Services, { gun, names, gate }: NotaryCall): Promise<Response> {
  const [role = '', checksum = ''] = names;
  return metadataAnswer(found(await store.byChecksum(gun, roleOf(role), checksum)), 'consistent', maxAge, gate);
}

async function getByVersion({ store, maxAge }: Services, { gun, names, gate }: NotaryCall): Promise<Response> {
  const [version = '', role = ''] = names;
  // Notary says in its own words that it cannot read the number.
  if (BigInt(version) > MAX_INT64) throw new Refusal('metadata-not-found', { Func: 'Atoi', Num: version, Err: {} });
  // Beyond this JavaScript and SQLite would not mean the same number any more.
  if (!Number.isSafeInteger(Number(version))) throw notFound();
  return metadataAnswer(found(await store.byVersion(gun, roleOf(role), Number(version))), 'consistent', maxAge, gate);
}

async function getCurrent({ repositories, maxAge }: Services, { gun, names, gate }: NotaryCall): Promise<Response> {
  const role = roleOf(names[0] ?? '');
  const { files } = role === 'snapshot' ? await repositories.fresh(gun) : await repositories.current(gun);
  return metadataAnswer(found(files.get(role)), 'current', maxAge, gate);
}

/** The timestamp, and with it what a client that says what it has lacks (protocol I.1). */
async function getTimestamp(
  { repositories, store, maxAge }: Services,
  { request, gun, gate }: NotaryCall,
): Promise<Response> {
  const current = await repositories.fresh(gun);
  const timestamp = found(current.files.get('timestamp'));
  const known = parseKnown(request.headers.get(CHAIN_HEADER));
  if (known === undefined || known.timestamp === timestamp.sha256) return timestampAnswer(timestamp, maxAge, gate);
  return chainAnswer(await writeMissing(store, gun, current, known));
}

async function getKey({ repositories, keys }: Services, { gun, names }: NotaryCall): Promise<Response> {
  const role = names[0] as OnlineRole;
  return textAnswer(publicKeyWire(await keys.current(gun, role, await listedKeys(repositories, gun, role))));
}

async function rotateKey({ repositories, keys }: Services, { gun, names }: NotaryCall): Promise<Response> {
  const role = names[0] as OnlineRole;
  return textAnswer(publicKeyWire(await keys.next(gun, role, await listedKeys(repositories, gun, role))));
}

/** The keys that the current root lists for the role; none for what was never published. */
async function listedKeys(
  repositories: Services['repositories'],
  gun: Gun,
  role: OnlineRole,
): Promise<readonly KeyId[]> {
  const root = (await repositories.current(gun)).files.get('root');
  return root === undefined ? [] : baseRoleKeys(readRoot(parseEnvelope('root', root.bytes).signed), role).keyIds;
}

async function deleteAll({ repositories, proposals }: Services, { gun, gate }: NotaryCall): Promise<Response> {
  await proposals.clear(gun, gate.subject);
  await repositories.delete(gun, gate.subject);
  return emptyAnswer();
}

/** The route's pattern lets more names through than the grammar of roles; none of them can have been published. */
function roleOf(text: string): RoleName {
  try {
    return parseRole(text);
  } catch (error) {
    throw isSignetError(error, 'role-invalid') ? notFound() : error;
  }
}

function found(file: MetadataFile | undefined): MetadataFile {
  if (file === undefined) throw notFound();
  return file;
}

function notFound(): Refusal {
  return new Refusal('metadata-not-found', {});
}
