import type { ProposedFile } from '../../core/edit/proposal.ts';
import { canonicalText } from '../../core/json/canonical.ts';
import type { KeyMap, Metadata, RoleKeys } from '../../core/metadata/common.ts';
import { type Root, readRoot } from '../../core/metadata/root.ts';
import { type Delegation, type Target, type Targets, targetJson } from '../../core/metadata/targets.ts';
import type { KeyId } from '../../core/names/key-id.ts';
import { BASE_ROLES, isTargetsRole, type RoleName, type TargetsRole } from '../../core/names/role.ts';
import { quoted } from '../../core/printable.ts';
import { baseSigners, canonicalIdIn } from '../../core/verify/signers.ts';
import type { Collection } from '../update/collection.ts';

/** One difference: something comes, goes, becomes another, or is the same and worth a line. */
export interface Difference {
  readonly sign: '+' | '-' | '~' | '=';
  readonly text: string;
}

/** What is different in one file of a collection, for a person who is to sign it. */
interface FileChange {
  readonly role: RoleName;
  /** Version and expiry, which every file has. */
  readonly edition: readonly Difference[];
  /** Everything else. Empty if the file says what it said before, and is only signed again. */
  readonly differences: readonly Difference[];
}

/**
 * What the files of a proposal would change in a collection, member by member. With what was there before it is all that
 * would be signed: `examineProposal` lets no file pass that says more than its parsed form.
 */
export function describeProposal(collection: Collection, files: readonly ProposedFile[]): readonly FileChange[] {
  return files.map(({ role, envelope, payload }) => {
    if (payload !== undefined && isTargetsRole(role)) {
      return { role, ...targetsChange(publishedFile(collection, role), payload) };
    }
    const [before, after] = [collection.set.root.root, readRoot(envelope.signed)];
    return { role, edition: editionOf(before, after), differences: rootDifferences(before, after) };
  });
}

/** What a file says that no signature vouches for. */
export function describeContent(payload: Targets): readonly Difference[] {
  const { edition, differences } = targetsChange(undefined, payload);
  return [...edition, ...differences];
}

/** What an unsigned file says is nothing that was there before: its content is anyone's. */
function publishedFile({ set, unusable }: Collection, role: TargetsRole): Targets | undefined {
  const passedOver = unusable.get(role);
  return set.targets.get(role)?.payload ?? (passedOver?.why === 'expired' ? passedOver.payload : undefined);
}

function editionOf(before: Metadata | undefined, after: Metadata): readonly Difference[] {
  const values = ({ version, expires }: Metadata) => [`version ${version}`, `expires ${expires.text}`];
  if (before === undefined) return values(after).map((text) => ({ sign: '+', text }));
  const [, expires] = values(after);
  const isSame = before.expires.text === after.expires.text;
  return [
    ...changed('version', `${before.version}`, `${after.version}`),
    ...(isSame
      ? [{ sign: '=', text: `${expires}` } as const]
      : changed('expires', before.expires.text, after.expires.text)),
  ];
}

function rootDifferences(before: Root, after: Root): readonly Difference[] {
  const roles = BASE_ROLES.flatMap((role) => {
    const [former, next] = [baseSigners(before, role), baseSigners(after, role)];
    return [
      ...compare(`key of ${role}`, keysOf(former, before.keys), keysOf(next, after.keys)),
      ...changed(`threshold of ${role}`, `${former.threshold}`, `${next.threshold}`),
    ];
  });
  const unused = (root: Root) => unusedKeys([...root.roles.values()], root.keys);
  return [...roles, ...compare('key of no role', unused(before), unused(after))];
}

function targetsChange(before: Targets | undefined, after: Targets): Omit<FileChange, 'role'> {
  const differences = [
    ...targetDifferences(before?.targets ?? new Map(), after.targets),
    ...delegationDifferences(before, after),
  ];
  return { edition: editionOf(before, after), differences };
}

function targetDifferences(before: Targets['targets'], after: Targets['targets']): readonly Difference[] {
  const found: Difference[] = [];
  for (const [name, target] of after) {
    const former = before.get(name);
    if (former === undefined) found.push({ sign: '+', text: `${shown(name)} ${shownTarget(target)}` });
    else found.push(...changed(shown(name), shownTarget(former), shownTarget(target)));
  }
  for (const [name, target] of before) {
    if (!after.has(name)) found.push({ sign: '-', text: `${shown(name)} ${shownTarget(target)}` });
  }
  return found;
}

function delegationDifferences(before: Targets | undefined, after: Targets): readonly Difference[] {
  const former = new Map((before?.delegations ?? []).map((delegation) => [delegation.name, delegation]));
  const formerKeys = before?.delegationKeys ?? new Map();
  const found: Difference[] = [];
  for (const delegation of after.delegations) {
    const { name, threshold, paths } = delegation;
    const old = former.get(name);
    former.delete(name);
    if (old === undefined) found.push({ sign: '+', text: `role ${name} with a threshold of ${threshold}` });
    found.push(
      ...compare(`key of ${name}`, keysOf(old, formerKeys), keysOf(delegation, after.delegationKeys)),
      ...compare(`path of ${name}`, (old?.paths ?? []).map(shown), paths.map(shown)),
      ...changed(`threshold of ${name}`, `${old?.threshold ?? threshold}`, `${threshold}`),
    );
  }
  const unused = (targets: Targets | undefined) => unusedKeys(targets?.delegations ?? [], targets?.delegationKeys);
  const names = (targets: Targets | undefined) => (targets?.delegations ?? []).map(({ name }: Delegation) => name);
  return [
    ...found,
    ...[...former.keys()].map((name): Difference => ({ sign: '-', text: `role ${name}` })),
    ...reordered('roles', names(before), names(after)),
    ...compare('key of no role', unused(before), unused(after)),
  ];
}

/** The keys of a role by their canonical IDs, and by those of their certificates, which are what clients pin. */
function keysOf(role: RoleKeys | undefined, keys: KeyMap): readonly string[] {
  return (role?.keyIds ?? []).map((id) => shownKey(id, keys));
}

/** Keys that a file lists and gives to no role. */
function unusedKeys(roles: readonly RoleKeys[], keys: KeyMap = new Map()): readonly string[] {
  const used = new Set(roles.flatMap(({ keyIds }) => keyIds));
  return [...keys.keys()].filter((id) => !used.has(id)).map((id) => shownKey(id, keys));
}

function shownKey(id: KeyId, keys: KeyMap): string {
  const canonical = canonicalIdIn(keys, id);
  return canonical === id ? id : `${canonical} by the certificate ${id}`;
}

/** Both lists as they are shown. */
function compare(what: string, before: readonly string[], after: readonly string[]): readonly Difference[] {
  const lines = (sign: '+' | '-', items: readonly string[], others: readonly string[]) =>
    items.filter((item) => !others.includes(item)).map((item): Difference => ({ sign, text: `${what} ${item}` }));
  return [
    ...lines('+', after, before),
    ...lines('-', before, after),
    ...reordered(`order of each ${what}`, before, after),
  ];
}

/** The order of what was there before and still is; of delegations, the first that has a name decides. */
function reordered(what: string, before: readonly string[], after: readonly string[]): readonly Difference[] {
  const kept = (items: readonly string[], others: readonly string[]) => items.filter((item) => others.includes(item));
  const [former, next] = [kept(before, after), kept(after, before)].map((items) => items.join(', '));
  return changed(what, former ?? '', next ?? '');
}

function changed(what: string, before: string, after: string): readonly Difference[] {
  return before === after ? [] : [{ sign: '~', text: `${what} ${before} -> ${after}` }];
}

/** Whether two targets say the same in everything that is signed of them. */
export function isSameTarget(one: Target, other: Target): boolean {
  return canonicalText(targetJson(one)) === canonicalText(targetJson(other));
}

/** Everything that is signed of a target: digests, length and custom data. */
export function shownTarget(target: Target): string {
  const { length, hashes, custom } = target;
  const others = [...hashes].filter(([algorithm]) => !shownDigest(target).startsWith(`${shown(algorithm)}:`));
  return [
    shownDigest(target),
    ...others.map(shownHash),
    `${length} bytes`,
    ...(custom === undefined ? [] : [`custom ${shown(canonicalText(custom))}`]),
  ].join(' ');
}

/** The digest of a target as people read it: `sha256:…`, of another algorithm if it has no such one. */
export function shownDigest({ hashes }: Target): string {
  const sha256 = hashes.get('sha256');
  return shownHash(sha256 === undefined ? ([...hashes][0] ?? ['', Buffer.of()]) : ['sha256', sha256]);
}

function shownHash([algorithm, hash]: readonly [string, Buffer]): string {
  return `${shown(algorithm)}:${hash.toString('hex')}`;
}

/** What came from outside, so that it cannot move a terminal's cursor, nor pass for something else. */
export function shown(text: string): string {
  return /^[!-~]+$/.test(text) ? text : quoted(text, text.length);
}
