import { canonicalize } from '../json/canonical.ts';
import type { JsonValue } from '../json/parse.ts';
import { lifetimeOf } from '../lifetimes.ts';
import { expiryAt } from '../metadata/common.ts';
import { type Envelope, parseEnvelope, writeEnvelope } from '../metadata/envelope.ts';
import { type FileInfo, fileInfoOf } from '../metadata/file-info.ts';
import { type Root, readRoot, rootJson } from '../metadata/root.ts';
import { type Snapshot, snapshotJson } from '../metadata/snapshot.ts';
import { readTargets, type Targets, targetsJson } from '../metadata/targets.ts';
import type { RoleName, TargetsRole } from '../names/role.ts';
import type { Signature } from '../signature.ts';
import type { Instant } from '../time.ts';
import { baseSigners, type Signers, targetsSigners } from '../verify/signers.ts';
import { validSigners } from '../verify/verify.ts';
import type { Draft } from './drafts.ts';
import { canSign, keysMissing, type SigningKeys, signWith } from './signing.ts';

/** What an editor signs. */
interface Changes {
  /** The root as it is to be; signed again if `rootChanged`. */
  readonly root: Root;
  readonly rootChanged: boolean;
  /** The root as it was published; undefined for a new collection. */
  readonly formerRoot: Root | undefined;
  readonly targets: readonly (readonly [TargetsRole, Draft])[];
  readonly payloadOf: (role: TargetsRole) => Targets | undefined;
}

/** Files signed with the keys that are here. */
export interface Edition {
  /** By role; the snapshot is not among them. */
  readonly files: ReadonlyMap<RoleName, Buffer>;
  /** Roles whose files have signatures, but fewer than their thresholds ask for. Nothing may be published with them. */
  readonly incomplete: ReadonlyMap<RoleName, Shortfall>;
}

/** A file that has not enough signatures, and the first group of signers that it lacks some of. */
export interface Shortfall {
  readonly signers: Signers;
  readonly signatures: readonly Signature[];
}

/**
 * Signs every changed file. Throws `signing-key-missing` for a file that no key here can sign, what `ring` throws, and
 * what a reader of the files would: nothing is signed that no client could load.
 */
export async function signEdition(changes: Changes, ring: SigningKeys, now: Instant): Promise<Edition> {
  const files = new Map<RoleName, Buffer>();
  const incomplete = new Map<RoleName, Shortfall>();
  const sign = async (role: RoleName, payload: JsonValue, signers: readonly Signers[]) => {
    const bytes = await seal(role, payload, signers, ring);
    const shortfall = shortfallOf(parseEnvelope(role, bytes), signers);
    if (shortfall !== undefined) incomplete.set(role, shortfall);
    files.set(role, bytes);
  };
  if (changes.rootChanged) await sign('root', nextRoot(changes.root, now), rootSigners(changes));
  for (const [role, { payload }] of changes.targets) {
    const signers = targetsSigners(role, changes.root, changes.payloadOf);
    await sign(role, nextTargets(role, payload, now), [signers]);
  }
  return { files, incomplete };
}

/** Who must sign a root: its own keys, and those of the root that it replaces, new signatures first (protocol A.13.2). */
export function rootSigners({ root, formerRoot }: Pick<Changes, 'root' | 'formerRoot'>): readonly Signers[] {
  const own = baseSigners(root, 'root');
  return formerRoot === undefined ? [own] : [own, baseSigners(formerRoot, 'root')];
}

/** What a file lacks of the signatures of several groups, each of which must meet its threshold; undefined if nothing. */
export function shortfallOf(envelope: Envelope, groups: readonly Signers[]): Shortfall | undefined {
  const signers = groups.find((group) => validSigners(envelope, group).size < group.threshold);
  return signers === undefined ? undefined : { signers, signatures: envelope.signatures };
}

/**
 * Signs a snapshot that lists `files` in place of what it listed of them before. Entries of other roles stay, also
 * those of removed delegations (protocol G-16): which version such a file reached, its successor has to know.
 * Undefined if no key of the role is here: the server makes the snapshot then. Throws `signing-key-missing` if
 * they are too few.
 */
export async function signSnapshot(
  root: Root,
  former: Snapshot | undefined,
  files: ReadonlyMap<RoleName, Buffer>,
  ring: SigningKeys,
  now: Instant,
): Promise<Buffer | undefined> {
  const signers = baseSigners(root, 'snapshot');
  if (!(await canSign('snapshot', signers, ring))) return undefined;
  const meta = new Map<string, FileInfo>(former?.meta);
  for (const [role, bytes] of files) meta.set(role, fileInfoOf(bytes));
  const version = (former?.version ?? 0) + 1;
  const payload = snapshotJson({ version, expires: expiryAt(now + lifetimeOf('snapshot')), meta });
  const bytes = await seal('snapshot', payload, [signers], ring);
  const shortfall = shortfallOf(parseEnvelope('snapshot', bytes), [signers]);
  if (shortfall !== undefined) throw keysMissing('snapshot', signers, shortfall.signatures);
  return bytes;
}

function nextRoot(root: Root, now: Instant): JsonValue {
  const payload = rootJson({ ...root, version: root.version + 1, expires: expiryAt(now + lifetimeOf('root')) });
  readRoot(payload);
  return payload;
}

function nextTargets(role: TargetsRole, draft: Targets, now: Instant): JsonValue {
  const expires = expiryAt(now + lifetimeOf(role));
  const payload = targetsJson({ ...draft, version: draft.version + 1, expires });
  readTargets(role, payload);
  return payload;
}

async function seal(
  role: RoleName,
  payload: JsonValue,
  groups: readonly Signers[],
  ring: SigningKeys,
): Promise<Buffer> {
  const message = canonicalize(payload);
  const signatures = new Map<string, Signature>();
  for (const signers of groups) {
    const added = await signWith(role, message, signers, ring);
    if (added.length === 0) throw keysMissing(role, signers, []);
    for (const signature of added) signatures.set(signature.keyId, signature);
  }
  return writeEnvelope(payload, [...signatures.values()]);
}
