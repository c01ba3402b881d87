import type { ProposedFile } from '../../core/edit/proposal.ts';
import { canonicalText } from '../../core/json/canonical.ts';
import { type Root, readRoot } from '../../core/metadata/root.ts';
import { type Delegation, type Target, type Targets, targetJson } from '../../core/metadata/targets.ts';
import { BASE_ROLES, isTargetsRole, type RoleName, type TargetsRole } from '../../core/names/role.ts';
import { quoted } from '../../core/printable.ts';
import { baseSigners, canonicalIdIn, canonicalKeyIds, type Signers } from '../../core/verify/signers.ts';
import type { Collection } from '../update/collection.ts';

/** One difference: something comes, goes, or becomes another. */
export interface Difference {
  readonly sign: '+' | '-' | '~';
  readonly text: string;
}

/** What is different in one file of a collection, for a person who is to sign it. */
export interface FileChange {
  readonly role: RoleName;
  /** Empty where the file says what it said before, and is only signed anew. */
  readonly differences: readonly Difference[];
}

/** What the files of a proposal would change in a collection. */
export function describeProposal(collection: Collection, files: readonly ProposedFile[]): readonly FileChange[] {
  return files.map(({ role, envelope, payload }) => ({
    role,
    differences:
      payload === undefined || !isTargetsRole(role)
        ? rootDifferences(collection.set.root.root, readRoot(envelope.signed))
        : targetsDifferences(publishedFile(collection, role), payload),
  }));
}

/** What a file says on which nobody's signature can be relied. */
export function describeContent(payload: Targets): readonly Difference[] {
  return targetsDifferences(undefined, payload);
}

/** What an unsigned file says is nothing that was there before: its content is anybody's. */
function publishedFile({ set, unusable }: Collection, role: TargetsRole): Targets | undefined {
  const passedOver = unusable.get(role);
  return set.targets.get(role)?.payload ?? (passedOver?.why === 'expired' ? passedOver.payload : undefined);
}

function rootDifferences(before: Root, after: Root): readonly Difference[] {
  return BASE_ROLES.flatMap((role) => {
    const [former, next] = [baseSigners(before, role), baseSigners(after, role)];
    return [
      ...compare(`key of ${role}`, canonicalKeyIds(former), canonicalKeyIds(next)),
      ...compareCertificates(role, former, next),
      ...compareThresholds(role, former.threshold, next.threshold),
    ];
  });
}

function targetsDifferences(before: Targets | undefined, after: Targets): readonly Difference[] {
  return [...tagDifferences(before?.targets ?? new Map(), after.targets), ...delegationDifferences(before, after)];
}

function tagDifferences(before: Targets['targets'], after: Targets['targets']): readonly Difference[] {
  const found: Difference[] = [];
  for (const [name, target] of after) {
    const former = before.get(name);
    const [old, digest] = [former && shownDigest(former), shownDigest(target)];
    if (former === undefined) found.push({ sign: '+', text: `${shown(name)} ${digest}` });
    else if (old !== digest) found.push({ sign: '~', text: `${shown(name)} ${old} -> ${digest}` });
    else if (!isSame(former, target)) found.push({ sign: '~', text: `${shown(name)} ${digest} ${detailOf(target)}` });
  }
  for (const [name, target] of before) {
    if (!after.has(name)) found.push({ sign: '-', text: `${shown(name)} ${shownDigest(target)}` });
  }
  return found;
}

function delegationDifferences(before: Targets | undefined, after: Targets): readonly Difference[] {
  const former = new Map((before?.delegations ?? []).map((delegation) => [delegation.name, delegation]));
  const found: Difference[] = [];
  for (const delegation of after.delegations) {
    const { name, threshold, paths } = delegation;
    const old = former.get(name);
    former.delete(name);
    if (old === undefined) found.push({ sign: '+', text: `role ${name} with a threshold of ${threshold}` });
    found.push(
      ...compare(`key of ${name}`, keysOf(old, before), keysOf(delegation, after)),
      ...compare(`path of ${name}`, old?.paths ?? [], paths),
      ...compareThresholds(name, old?.threshold ?? threshold, threshold),
    );
  }
  return [...found, ...[...former.keys()].map((name): Difference => ({ sign: '-', text: `role ${name}` }))];
}

function keysOf(delegation: Delegation | undefined, targets: Targets | undefined): readonly string[] {
  return (delegation?.keyIds ?? []).map((id) => canonicalIdIn(targets?.delegationKeys ?? new Map(), id));
}

function compare(what: string, before: readonly string[], after: readonly string[]): readonly Difference[] {
  const lines = (sign: '+' | '-', items: readonly string[]) =>
    items.map((item): Difference => ({ sign, text: `${what} ${shown(item)}` }));
  return [
    ...lines(
      '+',
      after.filter((item) => !before.includes(item)),
    ),
    ...lines(
      '-',
      before.filter((item) => !after.includes(item)),
    ),
  ];
}

/** The same key may come in another certificate, which is then what clients pin. */
function compareCertificates(role: string, former: Signers, next: Signers): readonly Difference[] {
  const known = canonicalKeyIds(former);
  return next.keyIds
    .filter((id) => !former.keyIds.includes(id) && known.includes(canonicalIdIn(next.keys, id)))
    .map((id): Difference => ({ sign: '~', text: `certificate of ${role} ${id}` }));
}

function isSame(one: Target | undefined, other: Target): boolean {
  return one !== undefined && canonicalText(targetJson(one)) === canonicalText(targetJson(other));
}

function detailOf({ length, custom }: Target): string {
  return `${length} bytes${custom === undefined ? '' : ` ${quoted(canonicalText(custom), 200)}`}`;
}

function compareThresholds(role: string, before: number, after: number): readonly Difference[] {
  return before === after ? [] : [{ sign: '~', text: `threshold of ${role} ${before} -> ${after}` }];
}

/** The digest of a target as people read it: `sha256:…`, of another algorithm where it has no such one. */
export function shownDigest({ hashes }: Target): string {
  const sha256 = hashes.get('sha256');
  const [algorithm, hash] = sha256 === undefined ? ([...hashes][0] ?? ['', Buffer.of()]) : ['sha256', sha256];
  return `${algorithm}:${hash.toString('hex')}`;
}

/** What came from outside, so that it cannot move a terminal's cursor, nor pass for something else. */
export function shown(text: string): string {
  return /^[!-~]+$/.test(text) ? text : quoted(text, text.length);
}
