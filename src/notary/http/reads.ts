import { CHAIN_HEADER, parseKnown } from '../../core/chain.ts';
import { isSignetError } from '../../core/errors/index.ts';
import { parseRole, type RoleName } from '../../core/names/role.ts';
import type { Call } from '../../http/call.ts';
import { Refusal } from '../publish/refusal.ts';
import type { MetadataFile } from '../store/metadata-store.ts';
import { chainAnswer, metadataAnswer, textAnswer, timestampAnswer } from './answers.ts';
import { writeMissing } from './chain.ts';
import { formatChanges, parseChangeQuery } from './changefeed.ts';
import type { TrustCall, TrustServices } from './services.ts';

const MAX_INT64 = 2n ** 63n - 1n;

/** The timestamp, and with it what a client that says what it has lacks (protocol I.1). */
export async function getTimestamp(
  { repositories, store, maxAge }: TrustServices,
  { request, name: gun, gate }: TrustCall,
): Promise<Response> {
  const current = await repositories.fresh(gun);
  const timestamp = found(current.files.get('timestamp'));
  const known = parseKnown(request.headers.get(CHAIN_HEADER));
  if (known === undefined || known.timestamp === timestamp.sha256) return timestampAnswer(timestamp, maxAge, gate);
  return chainAnswer(await writeMissing(store, gun, current, known));
}

/** The current file of any other role (protocol B.5). */
export async function getCurrent(
  { repositories, maxAge }: TrustServices,
  { name: gun, groups, gate }: TrustCall,
): Promise<Response> {
  const role = roleOf(groups[0] ?? '');
  const { files } = role === 'snapshot' ? await repositories.fresh(gun) : await repositories.current(gun);
  return metadataAnswer(found(files.get(role)), 'current', maxAge, gate);
}

/** A file by its SHA-256, current or not. */
export async function getByChecksum(
  { repositories, maxAge }: TrustServices,
  { name: gun, groups, gate }: TrustCall,
): Promise<Response> {
  const [role = '', checksum = ''] = groups;
  return metadataAnswer(found(await repositories.byChecksum(gun, roleOf(role), checksum)), 'consistent', maxAge, gate);
}

/** A file by its version, current or not. */
export async function getByVersion(
  { repositories, maxAge }: TrustServices,
  { name: gun, groups, gate }: TrustCall,
): Promise<Response> {
  const [version = '', role = ''] = groups;
  // Notary says in its own words that it cannot read the number.
  if (BigInt(version) > MAX_INT64) throw new Refusal('metadata-not-found', { Func: 'Atoi', Num: version, Err: {} });
  // Beyond this JavaScript and SQLite would not mean the same number any more.
  if (!Number.isSafeInteger(Number(version))) throw notFound();
  return metadataAnswer(
    found(await repositories.byVersion(gun, roleOf(role), Number(version))),
    'consistent',
    maxAge,
    gate,
  );
}

/** The changefeed of one GUN (protocol B.10). */
export async function getChanges({ store }: TrustServices, { url, name: gun }: TrustCall): Promise<Response> {
  return textAnswer(formatChanges(await store.changes(parseChangeQuery(url.searchParams, gun))));
}

/** The changefeed of all GUNs (protocol B.10). */
export async function getAllChanges({ store }: TrustServices, { url }: Call): Promise<Response> {
  return textAnswer(formatChanges(await store.changes(parseChangeQuery(url.searchParams, undefined))));
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
