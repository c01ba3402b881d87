import type { VerifiedCopy } from '../../core/copy/verify-copy.ts';
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
import type { RoleName } from '../../core/names/role.ts';
import type { Instant } from '../../core/time.ts';
import { baseSigners, canonicalKeyIds } from '../../core/verify/signers.ts';
import { reissued } from '../changes/renew.ts';

/** The keys of the new server; no snapshot key if the owner has it and keeps it. */
export interface OnlineKeys {
  readonly timestamp: PublicKey;
  readonly snapshot: PublicKey | undefined;
}

interface RootParts {
  readonly gun: Gun;
  readonly old: VerifiedCopy;
  readonly online: OnlineKeys;
  readonly keys: SigningKeys;
  /** Where a root waits that has too few signatures. */
  readonly drafts: ProposalStore;
  readonly now: Instant;
}

/** The owner's part of a migration. */
export type NewRoot =
  | { readonly kind: 'signed'; readonly root: Buffer; readonly snapshot: Buffer | undefined; readonly draft: boolean }
  /** Too few have signed so far; the root waits in the draft. */
  | { readonly kind: 'waiting'; readonly missing: readonly KeyId[]; readonly needed: number };

/**
 * Makes the one new root version of a migration, with both keys of the new server, new certificates where the old ones have
 * expired, and all else as it was, and signs it with the keys that are here for the old and the new root. If others have
 * signed such a root before and passed it on, that one is signed. Throws `signing-key-missing` if no key is here that can.
 */
export async function signNewRoot({ gun, old, online, keys, drafts, now }: RootParts): Promise<NewRoot> {
  const { set } = old;
  const editor = Editor.of(set, old.unusable);
  editor.replaceKeys('timestamp', [online.timestamp]);
  if (online.snapshot !== undefined) editor.replaceKeys('snapshot', [online.snapshot]);
  const certificates = await reissued(set, { gun, keys, now, before: now });
  if (certificates !== undefined) {
    editor.replaceKeys('root', certificates, baseRoleKeys(set.root.root, 'root').threshold);
  }
  const { files } = await editor.edition(keys, now);
  const waiting = await drafts.read(gun);
  const own: Proposal = { gun, files };
  const proposal = waiting === undefined ? own : (usableDraft(waiting, own, old) ?? own);
  const signed = await countersign(proposal, examine(proposal, old), keys);
  const missing = lacking(examine(signed, old));
  if (missing !== undefined) {
    if (!(await drafts.replace(gun, waiting, formatProposal(signed)))) {
      throw new SignetError('publish-conflict', `someone else signed the draft of ${gun} at the same time`);
    }
    return { kind: 'waiting', ...missing };
  }
  const root = signed.files.get('root') ?? Buffer.of();
  const all = await editor.withSnapshot(new Map<RoleName, Buffer>([['root', root]]), keys, now);
  return { kind: 'signed', root, snapshot: all.get('snapshot'), draft: waiting !== undefined };
}

/** The draft, if it is the root that would be made now but for its dates; whatever else it is, nothing can come of it. */
function usableDraft(text: Buffer, own: Proposal, old: VerifiedCopy): Proposal | undefined {
  try {
    const proposal = parseProposal(text);
    const isOther = proposal.gun !== own.gun || [...proposal.files.keys()].join() !== 'root';
    if (isOther || !isSameRoot(rootOf(proposal), rootOf(own))) return undefined;
    examine(proposal, old);
    return proposal;
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

/** Who can still sign, and how many of them must. Undefined if enough have. */
function lacking(
  files: readonly ProposedFile[],
): { readonly missing: readonly KeyId[]; readonly needed: number } | undefined {
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

function rootOf({ files }: Proposal): Root {
  return readRoot(parseEnvelope('root', files.get('root') ?? Buffer.of()).signed);
}

/** The same version, thresholds and keys; a certificate may be another one for the same key. */
function isSameRoot(one: Root, other: Root): boolean {
  const described = (root: Root) =>
    JSON.stringify([
      root.version,
      ...(['root', 'targets', 'snapshot', 'timestamp'] as const).map((role) => [
        baseRoleKeys(root, role).threshold,
        [...canonicalKeyIds(baseSigners(root, role))].sort(),
      ]),
    ]);
  return described(one) === described(other);
}
