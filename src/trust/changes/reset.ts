import type { Editor } from '../../core/edit/editor.ts';
import { signWith } from '../../core/edit/signing.ts';
import { SignetError } from '../../core/errors/index.ts';
import { canonicalize } from '../../core/json/canonical.ts';
import type { JsonValue } from '../../core/json/parse.ts';
import { parseEnvelope, writeEnvelope } from '../../core/metadata/envelope.ts';
import { readRoot } from '../../core/metadata/root.ts';
import { parentOf, type RoleName, type TargetsRole } from '../../core/names/role.ts';
import type { Signature } from '../../core/signature.ts';
import { formatTime } from '../../core/time.ts';
import { allDelegations } from '../../core/verify/lookup.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import type { AuditFolder } from '../../store/audit-folder.ts';
import { countHere } from '../keys/signer-roles.ts';
import { createCollection, signFirst } from '../publish/create.ts';
import type { Repository } from '../publish/repository.ts';
import { send } from '../publish/send.ts';
import { type Collection, inspectExpired } from '../update/collection.ts';

/** What a reset would leave of a collection. */
export interface ResetPlan {
  readonly former: Collection;
  /** Roles whose content the keys here can sign again. */
  readonly kept: readonly TargetsRole[];
  /** Delegations that stay, but whose content their signers have to sign again. */
  readonly emptied: readonly TargetsRole[];
}

interface ResetReport extends ResetPlan {
  /** The file of the record. */
  readonly record: string;
}

/**
 * Looks at what can be carried over, expired or not, when the root key of a repository is lost: what the server has, or,
 * if a reset was cut short after it was deleted there, what is kept here.
 */
export async function planReset(repository: Repository): Promise<ResetPlan> {
  const former = await inspectExpired({ ...repository.source, purpose: 'read', whenUnreachable: 'cache' });
  const kept: TargetsRole[] = ['targets'];
  const emptied: TargetsRole[] = [];
  for (const { name } of allDelegations(former.set)) {
    if (!former.set.targets.has(name)) continue;
    const signers = former.set.signersOf(name);
    const canSign = (await countHere(repository.keys, canonicalKeyIds(signers))) >= signers.threshold;
    (canSign ? kept : emptied).push(name);
  }
  return { former, kept, emptied };
}

/**
 * Creates a repository again under another root key, when its own is lost: its content is taken over, the old collection
 * deleted, the new one published. No one who trusted the old root is made to trust the new one: each has to decide.
 *
 * First of all a record is kept, signed by the new root key and by those keys of the old collection that are here: who
 * did it, when and why, both roots, and every file of the old collection, so that nothing is lost if this is cut short.
 */
export async function resetRepository(
  repository: Repository,
  plan: ResetPlan,
  audit: AuditFolder,
  told: { readonly by: string; readonly reason: string },
): Promise<ResetReport> {
  const { source, keys, gun } = repository;
  const files = await keys.undoing(async () => {
    const editor = await createCollection(source, keys, {});
    takeOver(editor, plan);
    return signFirst(source, keys, editor);
  });
  const record = audit.write(gun, source.now, await recordOf(repository, plan, files, told));
  for (const [role, bytes] of filesOf(plan.former.set)) await source.cache.write(gun, role, bytes);
  await source.server.remove(gun);
  try {
    await send(source, keys, files);
  } catch (cause) {
    throw new SignetError('reset-incomplete', `${gun} was deleted, and the new collection could not be published`, {
      cause,
      next: `Run the command again once the server takes it. All that was there before is kept in ${record}`,
    });
  }
  await source.cache.remove(gun);
  for (const [role, bytes] of files) await source.cache.write(gun, role, bytes);
  return { ...plan, record };
}

function takeOver(editor: Editor, { former: { set }, kept }: ResetPlan): void {
  for (const delegation of allDelegations(set)) {
    const delegator = set.targets.get(parentOf(delegation.name))?.payload;
    const written = delegator?.delegations.find(({ name }) => name === delegation.name);
    const keys = delegation.keyIds.flatMap((id) => delegation.keys.get(id) ?? []);
    if (written !== undefined && keys.length >= delegation.threshold) {
      editor.addDelegation(delegation.name, keys, written.paths, delegation.threshold);
    }
  }
  for (const role of kept) {
    for (const [name, target] of set.targets.get(role)?.payload.targets ?? []) editor.addTarget(role, name, target);
  }
}

async function recordOf(
  { source, keys, gun }: Repository,
  { former: { set } }: ResetPlan,
  files: ReadonlyMap<RoleName, Buffer>,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<Buffer> {
  const newRoot = readRoot(parseEnvelope('root', files.get('root') ?? Buffer.of()).signed);
  const [oldSigners, newSigners] = [set.signersOf('root'), baseSigners(newRoot, 'root')];
  const payload: JsonValue = new Map<string, JsonValue>([
    ['_type', 'Signet-Reset'],
    ['gun', gun],
    ['server', source.host],
    ['at', formatTime(source.now)],
    ['by', by],
    ['reason', reason],
    ['formerRootKeys', [...oldSigners.keyIds]],
    ['rootKeys', [...newSigners.keyIds]],
    ['former', new Map([...filesOf(set)].map(([role, bytes]) => [role as string, bytes.toString('base64')]))],
  ]);
  const message = canonicalize(payload);
  const signatures = new Map<string, Signature>();
  for (const group of [newSigners, set.signersOf('targets'), oldSigners]) {
    for (const signature of await signWith('root', message, group, keys)) signatures.set(signature.keyId, signature);
  }
  return writeEnvelope(payload, [...signatures.values()]);
}

function filesOf({ root, snapshot, timestamp, targets }: Collection['set']): ReadonlyMap<RoleName, Buffer> {
  const trusted = [...targets].map(([role, { envelope }]): [RoleName, Buffer] => [role, envelope.bytes]);
  return new Map<RoleName, Buffer>([
    ['root', root.envelope.bytes],
    ...trusted,
    ['snapshot', snapshot.envelope.bytes],
    ['timestamp', timestamp.envelope.bytes],
  ]);
}
