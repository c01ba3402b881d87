import type { VerifiedCopy } from '../../core/copy/verify-copy.ts';
import { signSnapshot } from '../../core/edit/edition.ts';
import { Editor } from '../../core/edit/editor.ts';
import {
  countersign,
  examineProposal,
  formatProposal,
  type Proposal,
  type ProposedFile,
  parseProposal,
} from '../../core/edit/proposal.ts';
import type { ProposalStore } from '../../core/edit/proposal-store.ts';
import type { SigningKeys } from '../../core/edit/signing.ts';
import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { PublicKey } from '../../core/keys/public-key.ts';
import { parseEnvelope } from '../../core/metadata/envelope.ts';
import { baseRoleKeys, type Root, readRoot } from '../../core/metadata/root.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import type { BaseRole, RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import { reissued } from '../changes/renew.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { countHere } from '../keys/signer-roles.ts';

/** The keys of the new server. */
export interface OnlineKeys {
  readonly timestamp: PublicKey;
  readonly snapshot: PublicKey;
}

interface RootParts {
  readonly gun: Gun;
  readonly old: VerifiedCopy;
  readonly online: OnlineKeys;
  readonly keys: SigningKeys & Pick<KeyRing, 'has'>;
  /** Where a root with too few signatures is stored. */
  readonly drafts: ProposalStore;
  readonly now: Instant;
}

/** Who still has to sign: this many of these keys. */
interface Missing {
  readonly missing: readonly KeyId[];
  readonly needed: number;
}

/** The result of the owner's part of a migration. */
export type NewRoot =
  | { readonly kind: 'signed'; readonly root: Buffer; readonly snapshot: Buffer | undefined; readonly draft: boolean }
  /** Too few have signed so far. The root is stored as a draft. */
  | ({ readonly kind: 'waiting' } & Missing);

/**
 * Makes the one new root version of a migration, with both keys of the new server, and new certificates where the old
 * ones have expired; the rest is unchanged. Signs it with the available keys of the old and the new root. A snapshot
 * key that is available here stays, and signs the next snapshot. If others have already signed and passed on such a
 * root, signs that one. Throws `signing-key-missing` if no key that can sign is available here.
 */
export async function signNewRoot(parts: RootParts): Promise<NewRoot> {
  const { gun, old, keys, drafts } = parts;
  const waiting = await drafts.read(gun);
  const proposal = (waiting === undefined ? undefined : usableDraft(waiting, parts)) ?? (await ownProposal(parts));
  const signed = await countersign(proposal, examine(proposal, old), keys);
  const root = signed.files.get('root') ?? Buffer.of();
  const lacking = lackingSignatures(examine(signed, old));
  const snapshot = lacking === undefined ? await ownSnapshot(parts, root) : undefined;
  const missing = lacking ?? (isMissing(snapshot) ? snapshot : undefined);
  if (missing === undefined) {
    const bytes = isMissing(snapshot) ? undefined : snapshot;
    return { kind: 'signed', root, snapshot: bytes, draft: waiting !== undefined };
  }
  if (!(await drafts.replace(gun, waiting, formatProposal(signed)))) {
    throw new SignetError('publish-conflict', `someone else signed the draft of ${gun} at the same time`);
  }
  return { kind: 'waiting', ...missing };
}

async function ownProposal({ gun, old, online, keys, now }: RootParts): Promise<Proposal> {
  const { set } = old;
  const editor = Editor.of(set, old.unusable);
  editor.replaceKeys('timestamp', [online.timestamp]);
  const snapshot = baseSigners(set.root.root, 'snapshot');
  const isSnapshotKeyHere = (await countHere(keys, canonicalKeyIds(snapshot))) >= snapshot.threshold;
  if (!isSnapshotKeyHere) editor.replaceKeys('snapshot', [online.snapshot]);
  const certificates = await reissued(set, { gun, keys, now, before: now });
  if (certificates !== undefined) {
    editor.replaceKeys('root', certificates, baseRoleKeys(set.root.root, 'root').threshold);
  }
  return { gun, files: (await editor.edition(keys, now)).files };
}

/** The next snapshot, if its key stays with the owner. If the key is not available here, who has it. */
async function ownSnapshot(
  { old, online, keys, now }: RootParts,
  bytes: Buffer,
): Promise<Buffer | Missing | undefined> {
  const root = rootOf(bytes);
  const signers = baseSigners(root, 'snapshot');
  if (signers.keyIds.includes(online.snapshot.id)) return undefined;
  const files = new Map<RoleName, Buffer>([['root', bytes]]);
  const snapshot = await signSnapshot(root, old.set.snapshot.payload, files, keys, now);
  return snapshot ?? { missing: canonicalKeyIds(signers), needed: signers.threshold };
}

function isMissing(part: Buffer | Missing | undefined): part is Missing {
  return part !== undefined && 'missing' in part;
}

/** The draft, if it is exactly a root of this migration. Any other draft is ignored. */
function usableDraft(text: Buffer, parts: RootParts): Proposal | undefined {
  try {
    const proposal = parseProposal(text);
    const bytes = proposal.files.get('root');
    if (proposal.gun !== parts.gun || proposal.files.size !== 1 || bytes === undefined) return undefined;
    examine(proposal, parts.old);
    return isOfMigration(rootOf(bytes), parts) ? proposal : undefined;
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}

function examine(proposal: Proposal, { set, unusable }: VerifiedCopy): readonly ProposedFile[] {
  return examineProposal(proposal, {
    root: set.root.root,
    payloadOf: (role) => (set.targets.get(role) ?? unusable.get(role))?.payload,
    versionOf: (role) => (role === 'root' ? set.root.root.version : 0),
  });
}

/** Who can still sign, and how many of them must. Undefined if enough have signed. */
function lackingSignatures(files: readonly ProposedFile[]): Missing | undefined {
  const short = files
    .flatMap(({ approvals }) => approvals)
    .map(({ threshold, keyIds, signed }) => ({
      missing: keyIds.filter((id) => !signed.includes(id)),
      needed: threshold - signed.length,
    }))
    .filter(({ needed }) => needed > 0)
    .sort((a, b) => b.needed - a.needed);
  return short[0];
}

function rootOf(bytes: Buffer): Root {
  return readRoot(parseEnvelope('root', bytes).signed);
}

/**
 * Whether a root is one that `signNewRoot` could make: the next version, with the keys of the new server and otherwise
 * the same keys and thresholds. Certificates may differ.
 */
function isOfMigration(root: Root, { old, online }: RootParts): boolean {
  const before = old.set.root.root;
  const isAsBefore = (role: BaseRole) => described(root, role) === described(before, role);
  const isOnline = (role: BaseRole, { id }: PublicKey) => {
    const { keyIds, threshold } = baseRoleKeys(root, role);
    return threshold === 1 && keyIds.join() === id;
  };
  return (
    root.version === before.version + 1 &&
    isAsBefore('root') &&
    isAsBefore('targets') &&
    (isAsBefore('snapshot') || isOnline('snapshot', online.snapshot)) &&
    isOnline('timestamp', online.timestamp)
  );
}

function described(root: Root, role: BaseRole): string {
  const signers = baseSigners(root, role);
  return [signers.threshold, ...[...canonicalKeyIds(signers)].sort()].join();
}
