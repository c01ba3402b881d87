import { publicKeyWire } from '../../core/keys/public-key.ts';
import { LIMITS } from '../../core/limits.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { baseRoleKeys, readRoot } from '../../core/metadata/root.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { OnlineRole } from '../store/online-key-store.ts';
import { emptyAnswer, textAnswer } from './answers.ts';
import type { TrustCall, TrustServices } from './services.ts';
import { readUpload } from './upload-request.ts';

/** Publishes the files of the request (protocol B.6). */
export async function publish({ repositories }: TrustServices, call: TrustCall): Promise<Response> {
  await repositories.publish(call.name, await readUpload(call), call.gate.subject);
  return emptyAnswer();
}

/** Takes a collection with its history from another server (protocol I.2). */
export async function importCollection({ repositories }: TrustServices, call: TrustCall): Promise<Response> {
  const { name: gun, gate, address } = call;
  // Asked before the body is read: a client that comes again with all of it learns that it is here already.
  await repositories.refuseTaken(gun);
  await repositories.import(gun, await readUpload(call, LIMITS.importParts), gate.subject, address);
  return emptyAnswer();
}

/** Deletes the repository and its proposal (protocol B.9). */
export async function deleteAll(
  { repositories, proposals }: TrustServices,
  { name: gun, gate }: TrustCall,
): Promise<Response> {
  await proposals.clear(gun, gate.subject);
  await repositories.delete(gun, gate.subject);
  return emptyAnswer();
}

/** The public key with which the server signs for the role; made if there is none (protocol B.8). */
export async function getKey(
  { repositories, keys }: TrustServices,
  { name: gun, groups }: TrustCall,
): Promise<Response> {
  const role = groups[0] as OnlineRole;
  return textAnswer(publicKeyWire(await keys.current(gun, role, await listedKeys(repositories, gun, role))));
}

/** The key that is to follow the current one (protocol B.8). */
export async function rotateKey(
  { repositories, keys }: TrustServices,
  { name: gun, groups }: TrustCall,
): Promise<Response> {
  const role = groups[0] as OnlineRole;
  return textAnswer(publicKeyWire(await keys.next(gun, role, await listedKeys(repositories, gun, role))));
}

/** The keys that the current root lists for the role; none for what was never published. */
async function listedKeys(
  repositories: TrustServices['repositories'],
  gun: Gun,
  role: OnlineRole,
): Promise<readonly KeyId[]> {
  const root = (await repositories.current(gun)).files.get('root');
  return root === undefined ? [] : baseRoleKeys(readRoot(parseEnvelope('root', root.bytes).signed), role).keyIds;
}
