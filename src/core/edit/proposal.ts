import { decodeBase64 } from '../base64.ts';
import { SignetError } from '../errors/index.ts';
import { canonicalize, canonicalText } from '../json/canonical.ts';
import { Fields } from '../json/fields.ts';
import { type JsonValue, parseJson } from '../json/parse.ts';
import { LIMITS } from '../limits.ts';
import type { Metadata } from '../metadata/common.ts';
import { type Envelope, parseEnvelope, writeEnvelope } from '../metadata/envelope.ts';
import { type Root, readRoot, rootJson } from '../metadata/root.ts';
import { readTargets, type Targets, targetsJson } from '../metadata/targets.ts';
import { type Gun, parseGun } from '../names/gun.ts';
import type { KeyId } from '../names/key-id.ts';
import { isTargetsRole, parseRole, type RoleName, type TargetsRole } from '../names/role.ts';
import type { Signature } from '../signature.ts';
import { canonicalKeyIds, type Signers, targetsSigners } from '../verify/signers.ts';
import { validSigners } from '../verify/verify.ts';
import { type Edition, rootSigners, type Shortfall, shortfallOf } from './edition.ts';
import { type SigningKeys, signWith } from './signing.ts';

/**
 * A change that waits for more signatures: the files of one publish, each signed by some of those who must sign it.
 * No one trusts them before every threshold is met and they are published, all together.
 */
export interface Proposal {
  readonly gun: Gun;
  readonly files: ReadonlyMap<RoleName, Buffer>;
}

/** A collection as a proposal would change it. */
export interface Standing {
  readonly root: Root;
  readonly payloadOf: (role: TargetsRole) => Targets | undefined;
  /** The published version of a role's file; 0 if there is none. */
  readonly versionOf: (role: RoleName) => number;
}

/** One group of signers of a proposed file, by canonical key IDs: all who may sign, and those who have. */
export interface Approval {
  readonly threshold: number;
  readonly keyIds: readonly KeyId[];
  readonly signed: readonly KeyId[];
}

/** A file of a proposal, and what it still needs. */
export interface ProposedFile {
  readonly role: RoleName;
  readonly envelope: Envelope;
  /** Undefined for the root. */
  readonly payload: Targets | undefined;
  /** Version and expiry, of a root too. */
  readonly metadata: Metadata;
  readonly groups: readonly Signers[];
  /** One for each group, in their order; a root needs those who sign for its successor and for itself. */
  readonly approvals: readonly Approval[];
  readonly shortfall: Shortfall | undefined;
}

const FORMAT = 'signet-proposal-1';

/** The text in which a proposal is kept and passed on. */
export function formatProposal({ gun, files }: Proposal): Buffer {
  const contents = Object.fromEntries([...files].map(([role, bytes]) => [role, bytes.toString('base64')]));
  return Buffer.from(`${JSON.stringify({ format: FORMAT, gun, files: contents })}\n`);
}

/** Parses what `formatProposal` wrote. Throws `proposal-invalid`. */
export function parseProposal(text: Uint8Array): Proposal {
  try {
    const fields = new Fields(parseJson(text), 'the proposal', ['format', 'gun', 'files'], 'refuse');
    if (fields.string('format') !== FORMAT) throw invalid(`is not of the format ${FORMAT}`);
    const files = [...fields.map('files')].map(
      ([name, content]) => [proposedRole(name), proposedBytes(content)] as const,
    );
    if (files.length === 0 || files.length > LIMITS.uploadParts) throw invalid(`has ${files.length} files`);
    return { gun: parseGun(fields.string('gun')), files: new Map(files) };
  } catch (cause) {
    if (!(cause instanceof SignetError) || cause.code === 'proposal-invalid') throw cause;
    throw invalid(`is malformed: ${cause.message}`, cause);
  }
}

/**
 * What a proposal would change, and who has signed it, judged by the collection as it stands with the proposal's own
 * delegations and root keys. Throws `proposal-stale` if something newer was published meanwhile, `proposal-invalid`
 * for a file that none of its signers signed, that no reader would take, or that says anything beside what a reader makes
 * of it: the signer would not be shown it. Throws `role-unknown`.
 */
export function examineProposal({ files }: Proposal, standing: Standing): readonly ProposedFile[] {
  const envelopes = new Map([...files].map(([role, bytes]) => [role, parseEnvelope(role, bytes)] as const));
  const newRoot = envelopes.get('root');
  const root = newRoot === undefined ? standing.root : readRoot(newRoot.signed);
  const payloads = new Map<TargetsRole, Targets>();
  for (const [role, { signed }] of envelopes) if (isTargetsRole(role)) payloads.set(role, readTargets(role, signed));
  const payloadOf = (role: TargetsRole) => payloads.get(role) ?? standing.payloadOf(role);
  return [...envelopes].map(([role, envelope]) => {
    const payload = isTargetsRole(role) ? payloads.get(role) : undefined;
    const groups = isTargetsRole(role)
      ? [targetsSigners(role, root, payloadOf)]
      : rootSigners({ root, formerRoot: standing.root });
    checkVersion(role, payload?.version ?? root.version, standing.versionOf(role));
    checkComplete(envelope, payload === undefined ? rootJson(root) : targetsJson(payload));
    return examined({ role, envelope, payload, metadata: payload ?? root, groups });
  });
}

/**
 * Adds the signatures of all keys that are here, to the files of `roles`. What the files say stays as it is: the
 * caller vouches for it.
 */
export async function countersign(
  { gun, files }: Proposal,
  examinedFiles: readonly ProposedFile[],
  ring: SigningKeys,
  roles: ReadonlySet<RoleName> = new Set(files.keys()),
): Promise<Proposal> {
  const signed = new Map(files);
  for (const { role, envelope, groups } of examinedFiles) {
    if (!roles.has(role)) continue;
    const signatures = new Map<string, Signature>();
    for (const group of groups) {
      for (const added of await signWith(role, envelope.message, group, ring)) signatures.set(added.keyId, added);
    }
    for (const present of envelope.signatures) {
      if (!signatures.has(present.keyId)) signatures.set(present.keyId, present);
    }
    signed.set(role, writeEnvelope(envelope.signed, [...signatures.values()]));
  }
  return { gun, files: signed };
}

/**
 * Brings a new edition and a proposal that waits already together: files that say the same are to be signed as they were
 * proposed first, others are added. Returns the joined proposal, and the roles whose proposed files are to be signed.
 * Throws `proposal-conflict` if both change a role in different ways.
 */
export function joinProposal(
  waiting: Proposal,
  { files }: Pick<Edition, 'files'>,
): { readonly proposal: Proposal; readonly same: ReadonlySet<RoleName> } {
  const joined = new Map(waiting.files);
  const same = new Set<RoleName>();
  for (const [role, bytes] of files) {
    const present = waiting.files.get(role);
    if (present === undefined) joined.set(role, bytes);
    else if (saysTheSame(role, present, bytes)) same.add(role);
    else
      throw new SignetError('proposal-conflict', `another change of ${role} waits for signatures`, {
        detail: { role },
      });
  }
  return { proposal: { gun: waiting.gun, files: joined }, same };
}

/** A proposal without signatures that count for nothing, which must not take the place of those of another copy. */
export function rightlySigned({ gun, files }: Proposal, examinedFiles: readonly ProposedFile[]): Proposal {
  const cleaned = new Map(files);
  for (const { role, envelope, groups } of examinedFiles) {
    const isRight = (signature: Signature) =>
      groups.some((group) => validSigners({ ...envelope, signatures: [signature] }, group).size > 0);
    cleaned.set(role, writeEnvelope(envelope.signed, envelope.signatures.filter(isRight)));
  }
  return { gun, files: cleaned };
}

/**
 * All signatures of two copies of one proposal, which people signed apart from each other. Undefined if they are copies
 * of different ones.
 */
export function mergeCopies(one: Proposal, other: Proposal): Proposal | undefined {
  if (one.gun !== other.gun || one.files.size !== other.files.size) return undefined;
  const merged = new Map<RoleName, Buffer>();
  for (const [role, bytes] of one.files) {
    const copy = other.files.get(role);
    if (copy === undefined) return undefined;
    const [first, second] = [parseEnvelope(role, bytes), parseEnvelope(role, copy)];
    if (!first.message.equals(second.message)) return undefined;
    const signatures = new Map([...second.signatures, ...first.signatures].map((each) => [each.keyId, each]));
    merged.set(role, writeEnvelope(first.signed, [...signatures.values()]));
  }
  return { gun: one.gun, files: merged };
}

function examined(file: Omit<ProposedFile, 'approvals' | 'shortfall'>): ProposedFile {
  const { role, envelope, groups } = file;
  const approvals = groups.map((group) => ({
    threshold: group.threshold,
    keyIds: canonicalKeyIds(group),
    signed: [...validSigners(envelope, group)],
  }));
  if (approvals.every(({ signed }) => signed.length === 0)) throw invalid(`has a file for ${role} that nobody signed`);
  return { ...file, approvals, shortfall: shortfallOf(envelope, groups) };
}

function checkVersion(role: RoleName, proposed: number, published: number): void {
  if (proposed > published) return;
  throw new SignetError('proposal-stale', `${role} has been published anew since the proposal was made`, {
    detail: { role, proposed, published },
  });
}

/** Refuses a file that would not be signed to the byte as it was read. */
function checkComplete({ role, message }: Envelope, read: JsonValue): void {
  if (!canonicalize(read).equals(message)) throw invalid(`has a file for ${role} that says more than can be shown`);
}

/** Whether two files say the same but for their expiry, which depends on the moment of signing. */
function saysTheSame(role: RoleName, one: Buffer, other: Buffer): boolean {
  const content = (file: Buffer): string => {
    const { signed } = parseEnvelope(role, file);
    return canonicalText(signed instanceof Map ? new Map([...signed].filter(([name]) => name !== 'expires')) : signed);
  };
  return content(one) === content(other);
}

function proposedRole(name: string): RoleName {
  const role = parseRole(name);
  if (role === 'snapshot' || role === 'timestamp') throw invalid(`has a file for ${role}`);
  return role;
}

function proposedBytes(content: JsonValue): Buffer {
  const bytes = typeof content === 'string' ? decodeBase64(content) : undefined;
  if (bytes === undefined) throw invalid('has a file that is not base64');
  return bytes;
}

function invalid(why: string, cause?: unknown): SignetError {
  return new SignetError('proposal-invalid', `the proposal ${why}`, { cause });
}
