import type { CollectionCopy } from '../../../core/copy/collection-copy.ts';
import { expiredFiles } from '../../../core/copy/verify-copy.ts';
import { isSignetError, SignetError } from '../../../core/errors/index.ts';
import { canonicalKeyId } from '../../../core/keys/public-key.ts';
import { baseRoleKeys } from '../../../core/metadata/root.ts';
import type { Digest } from '../../../core/names/digest.ts';
import type { Gun } from '../../../core/names/gun.ts';
import { type KeyId, parseKeyId } from '../../../core/names/key-id.ts';
import { quoted } from '../../../core/printable.ts';
import { formatTime, type Instant, parseTime } from '../../../core/time.ts';
import type { TrustedView } from '../../../core/verify/trusted-set.ts';
import { vouch } from '../../../trust/adopt/adopt.ts';
import { checkFresh, type OldCollection, rememberOld } from '../../../trust/adopt/old-collection.ts';
import { type AdoptionPlan, planAdoption } from '../../../trust/adopt/plan.ts';
import type { TrustedTag } from '../../../trust/decide/resolve.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Orphan } from '../../place.ts';
import type { Session } from '../../session.ts';
import { dockerTable } from '../../terminal/table.ts';
import { goJson } from '../../wording/go-json.ts';
import { inForce } from '../../wording/pending.ts';
import { day, fileOf, ofFile, readCopyFile } from './copies.ts';
import { checkCreation, INIT_FLAG } from './creation.ts';
import { checkFreeze, freeze } from './freeze.ts';
import { serverUnlessFile } from './server-argument.ts';

export const ADOPT: Command<Session> = {
  program: 'signet',
  path: 'trust adopt',
  summary: 'Vouch for what others have signed, if their trust server goes away',
  args: [{ name: 'REPOSITORY', takes: 'repository', isOptional: true, isRepeated: true }],
  flags: [
    {
      name: 'accept-expired',
      type: 'value',
      word: 'day',
      about: 'Take what has expired as it stood on this day, YYYY-MM-DD, if it had not expired by then',
    },
    { name: 'as', type: 'value', takes: 'repository', about: 'Vouch for it under this name' },
    { name: 'dry-run', type: 'switch', about: 'Verify, and say what would be signed' },
    {
      name: 'freeze',
      type: 'value',
      takes: 'file',
      about: 'Write digests into this file for signet.json, and sign nothing',
    },
    { name: 'from', type: 'value', about: 'Address or host of the old trust server, or a file of signet trust export' },
    INIT_FLAG,
    { name: 'json', type: 'switch', about: 'Report as JSON' },
    { name: 'root-key', type: 'list', about: 'ID of the root key that the old repositories have' },
    { name: 'tag', type: 'list', about: 'Only this tag' },
    { name: 'until', type: 'value', word: 'day', about: 'Last day of what is frozen, YYYY-MM-DD' },
  ],
  json: [
    ['repository', 'the repository as it was named; `as` is the name that it is vouched for under'],
    ['result', 'vouched, unchanged, planned, frozen or failed'],
    ['new, changed, unchanged', 'tags and their digests'],
    [
      'gone, kept, skipped',
      'tags that the old repository no longer has, that are signed here otherwise, that lack SHA-256',
    ],
    ['rootKeys, rootTrust, expired', 'what the old repository rests on, and what of it had expired'],
    ['evidence', 'digest of the copy that is kept'],
    ['ownRootKeys', 'the root keys to pin'],
    ['error', 'code, message and next step'],
  ],
  run: adopt,
};

/** The options of one command, which apply to every repository. */
interface Wishes {
  readonly tags: readonly string[];
  readonly pins: readonly KeyId[];
  readonly accepted: Instant | undefined;
  readonly isDry: boolean;
  readonly mayFound: boolean;
}

/** The result for one repository. */
interface Outcome {
  readonly name: string;
  readonly as?: string;
  readonly result: 'vouched' | 'unchanged' | 'planned' | 'frozen' | 'failed';
  readonly plan?: AdoptionPlan;
  readonly old?: OldCollection;
  readonly evidence?: Digest;
  readonly own?: TrustedView;
  readonly error?: SignetError;
}

/**
 * `signet trust adopt --from URL|FILE [--as NAME] [--tag TAG]… [--accept-expired DAY] [--root-key ID]… REPOSITORY…`:
 * verifies what others have signed and signs it with the user's own keys. One bad repository does not stop the others.
 * Exit code 1 if any failed.
 */
async function adopt(session: Session, parsed: ParsedCommand): Promise<number> {
  const wishes = wishesOf(parsed);
  const [file, until] = [parsed.value('freeze'), parsed.value('until')];
  if ((file === undefined) !== (until === undefined)) {
    throw new SignetError('usage', '--freeze FILE and --until YYYY-MM-DD belong together');
  }
  if (file !== undefined && until !== undefined) checkFreeze(session, file, endOf(until));
  const source = sourceOf(parsed.value('from'));
  const names = namesOf(parsed.args, source);
  const as = parsed.value('as');
  if (as !== undefined && (names.length > 1 || file !== undefined)) {
    throw new SignetError('usage', '--as is for one repository, and for one that is signed');
  }
  const place = await session.place({});
  const outcomes: Outcome[] = [];
  for (const name of names) {
    const outcome = await reported(name, async () => {
      const orphan = place.orphan(name);
      const old = await orphan.read(fromFor(source, orphan.gun), wishes.pins).catch((error: unknown) => {
        throw isSignetError(error) && !(source instanceof URL) ? ofFile(error) : error;
      });
      session.printError(verifiedText(old, session.now()));
      checkFresh(old, session.now(), wishes.accepted);
      if (file !== undefined) return frozen(orphan, old, wishes);
      return vouchFor(session, orphan, old, { ...wishes, as: as ?? name });
    });
    if (outcome.error !== undefined) session.printError(`${name}: ${outcome.error.message}\n`);
    outcomes.push(outcome);
  }
  if (file !== undefined && until !== undefined && !wishes.isDry) {
    freeze(session, file, endOf(until), outcomes.flatMap(frozenOf));
  }
  session.print(parsed.has('json') ? `${goJson(outcomes.map(asJson))}\n` : reportText(outcomes));
  if (!parsed.has('json')) session.print(pinText(outcomes));
  return failed(outcomes);
}

function wishesOf(parsed: ParsedCommand): Wishes {
  const accepted = parsed.value('accept-expired');
  return {
    tags: parsed.values('tag'),
    pins: parsed.values('root-key').map(parseKeyId),
    accepted: accepted === undefined ? undefined : dayOf('--accept-expired', accepted),
    isDry: parsed.has('dry-run'),
    mayFound: parsed.has('init'),
  };
}

function sourceOf(from: string | undefined): URL | ReadonlyMap<Gun, CollectionCopy> {
  if (from === undefined) {
    throw new SignetError(
      'usage',
      'say what to adopt from: --from with the old trust server, or with a file of signet trust export',
      {
        next: 'For example: signet trust adopt --from https://notary.example.com REPOSITORY',
      },
    );
  }
  const server = serverUnlessFile(from);
  if (server !== undefined) return server;
  return new Map(readCopyFile(from).map((copy) => [copy.gun, copy]));
}

function namesOf(args: readonly string[], source: ReturnType<typeof sourceOf>): readonly string[] {
  const names = args.length > 0 || source instanceof URL ? args : [...source.keys()];
  if (names.length > 0) return [...new Set(names)];
  throw new SignetError('usage', 'no repository is named', { next: 'See signet trust adopt --help' });
}

function fromFor(source: ReturnType<typeof sourceOf>, gun: Gun): URL | CollectionCopy {
  if (source instanceof URL) return source;
  const copy = source.get(gun);
  if (copy !== undefined) return copy;
  throw new SignetError('trust-data-missing', `the file has no copy of ${gun}`, { detail: { gun } });
}

async function reported(name: string, work: () => Promise<Omit<Outcome, 'name'>>): Promise<Outcome> {
  try {
    return { name, ...(await work()) };
  } catch (error) {
    if (!isSignetError(error) || error.code === 'cancelled') throw error;
    return { name, result: 'failed', error };
  }
}

async function vouchFor(
  session: Session,
  orphan: Orphan,
  old: OldCollection,
  { as, tags, isDry, mayFound }: Wishes & { readonly as: string },
): Promise<Omit<Outcome, 'name'>> {
  const reference = session.resolve(as);
  const repository = await session.repository(reference, 'push');
  const { copy, verified } = old;
  if (repository.host === copy.server?.host) {
    throw new SignetError(
      'configuration-invalid',
      `${repository.host} is the trust server that ${copy.gun} comes from`,
      {
        next: `Name your own in signet.json: {"registries":{"${reference.registry}":{"trustServer":"https://HOST"}}}\nOr for one command: DOCKER_CONTENT_TRUST_SERVER=https://HOST`,
      },
    );
  }
  const isSame = repository.gun === copy.gun;
  if (isDry) {
    await orphan.checkServer();
    // A dry run keeps the trust in the old collection of this name, so the user's own collection cannot be read.
    const present = isSame && (await orphan.isTrusted(copy)) ? undefined : await repository.current();
    return { as: repository.gun, plan: planAdoption(verified.set, present?.set, tags), old, result: 'planned' };
  }
  // A root that was seen for the first time counts from when it was vouched for on, so that a failure makes it no less new.
  const isNew = copy.verification.root.how === 'first-use';
  if (!isNew) await rememberOld(orphan.kept.known, old);
  const restore = isSame ? await orphan.forget(copy) : undefined;
  try {
    const present = await repository.current();
    const plan = planAdoption(verified.set, present?.set, tags);
    const about = { as: repository.gun, plan, old };
    if (plan.added.length + plan.moved.length === 0 && isNew) await rememberOld(orphan.kept.known, old);
    if (plan.added.length + plan.moved.length === 0) return { ...about, result: 'unchanged', ...own(present?.set) };
    if (present === undefined) checkCreation(session, repository.gun, mayFound, '--init');
    const evidence = orphan.kept.keep(fileOf(copy));
    const adoption = { gun: copy.gun, server: copy.server?.origin, read: copy.readAt, evidence };
    const publication = await vouch(repository, verified.set, tags, adoption);
    if (isNew) await rememberOld(orphan.kept.known, old);
    if (publication !== undefined) inForce(repository, publication);
    if (restore !== undefined) {
      session.printError(`${copy.gun} was trusted here under its old root; from now on your own counts here.\n`);
    }
    return { ...about, result: 'vouched', evidence, ...own((await repository.present()).set) };
  } finally {
    // Does nothing if the user's own collection has replaced the old one.
    await restore?.();
  }
}

function own(set: TrustedView | undefined): Pick<Outcome, 'own'> {
  return set === undefined ? {} : { own: set };
}

async function frozen(orphan: Orphan, old: OldCollection, { tags, isDry }: Wishes): Promise<Omit<Outcome, 'name'>> {
  const plan = planAdoption(old.verified.set, undefined, tags);
  if (isDry) return { result: 'planned', plan, old };
  const evidence = orphan.kept.keep(fileOf(old.copy));
  await rememberOld(orphan.kept.known, old);
  return { result: 'frozen', plan, old, evidence };
}

function frozenOf({ result, old, plan }: Outcome) {
  return result === 'frozen' && old !== undefined && plan !== undefined ? [{ copy: old.copy, tags: plan.added }] : [];
}

/** What was verified, and what cannot be verified by anyone. */
function verifiedText({ copy, verified }: OldCollection, now: Instant): string {
  const { gun, verification, server } = copy;
  const { root } = verified.set.root;
  const keys = rootKeysOf(verified.set).join(', ');
  const [oldest] = copy.roots;
  const isOne = oldest?.version === root.version;
  const roots = isOne ? `root ${root.version} ` : `root ${oldest?.version} to root ${root.version}, and from there `;
  const from = server === undefined ? 'a cache' : server.host;
  const trust = {
    pinned: 'as it is pinned',
    known: 'the one that was trusted here before',
    'first-use':
      "seen for the first time: nothing but this source says that it is the owner's (--root-key ID names the right one)",
  }[verification.root.how];
  const expired = expiredFiles(verified.set, now).map(({ role, expired: at }) => `${role} (${day(at)})`);
  const freshness =
    expired.length === 0 ? 'nothing has expired' : `not that it is the newest, as these expired: ${expired.join(', ')}`;
  return [
    `${gun}, from ${from}, read at ${formatTime(copy.readAt)}\n`,
    `  root key ${keys}, ${trust}\n`,
    `  verified: every signature from ${roots}to each tag; ${freshness}\n`,
  ].join('');
}

function rootKeysOf(set: TrustedView): readonly KeyId[] {
  const { root } = set.root;
  const keys = baseRoleKeys(root, 'root').keyIds.map((id) => root.keys.get(id));
  return [...new Set(keys.filter((key) => key !== undefined).map(canonicalKeyId))];
}

function reportText(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ name, as, result, plan }) => [
    as ?? name,
    `${plan === undefined ? '' : plan.added.length + plan.moved.length + plan.unchanged.length}`,
    `${plan?.added.length ?? ''}`,
    `${plan?.moved.length ?? ''}`,
    `${plan?.vanished.length ?? ''}`,
    result,
  ]);
  const notes = outcomes.flatMap(({ name, as = name, plan }) => [
    ...note(
      as,
      plan?.moved.map(({ tag }) => tag),
      'have another digest than before',
    ),
    ...note(as, plan?.vanished, 'are gone from the old repository, and stay signed'),
    ...note(as, plan?.kept, 'are signed here with another digest by your own decision, and stay so'),
    ...note(as, plan?.skipped, 'have no SHA-256 in the old repository, and are left out'),
  ]);
  return `${dockerTable(['REPOSITORY', 'TAGS', 'NEW', 'CHANGED', 'GONE', 'RESULT'], rows)}${notes.join('')}`;
}

function note(name: string, tags: readonly string[] | undefined, what: string): readonly string[] {
  return tags === undefined || tags.length === 0 ? [] : [`${name}: ${tags.join(', ')} ${what}\n`];
}

/** The settings that pin the new roots on other machines. */
function pinText(outcomes: readonly Outcome[]): string {
  const sets = outcomes.flatMap(({ own: set }) => (set === undefined ? [] : [set]));
  if (sets.length === 0) return '';
  const certs = (ids: (set: TrustedView) => readonly KeyId[]) =>
    Object.fromEntries(sets.map((set) => [set.root.gun, ids(set)]));
  const forSignet = JSON.stringify({ trustPinning: { certs: certs(rootKeysOf) } });
  const forNotary = JSON.stringify({
    trust_pinning: { certs: certs((set) => baseRoleKeys(set.root.root, 'root').keyIds) },
  });
  return [
    '\nOn every other machine, to trust this root and no other:\n',
    `  in signet.json:                 ${forSignet}\n`,
    `  in the config.json of notary:   ${forNotary}\n`,
    '  docker has no pins: where it has used the old repository, remove ~/.docker/trust/tuf/REPOSITORY\n',
  ].join('');
}

function asJson({ name, as, result, plan, old, evidence, own: set, error }: Outcome): unknown {
  const tags = (list: readonly TrustedTag[]) => Object.fromEntries(list.map(({ tag, digest }) => [tag, digest]));
  return {
    repository: name,
    ...(as === undefined ? {} : { as }),
    result,
    ...(plan === undefined
      ? {}
      : {
          new: tags(plan.added),
          changed: tags(plan.moved),
          unchanged: tags(plan.unchanged),
          gone: plan.vanished,
          kept: plan.kept,
          skipped: plan.skipped,
        }),
    ...(old === undefined
      ? {}
      : {
          server: old.copy.server?.origin,
          read: formatTime(old.copy.readAt),
          rootKeys: rootKeysOf(old.verified.set),
          rootTrust: old.copy.verification.root.how,
          expired: old.copy.verification.expired.map(({ role, expired: at }) => ({ role, expired: formatTime(at) })),
        }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(set === undefined ? {} : { ownRootKeys: rootKeysOf(set) }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message, next: error.next } }),
  };
}

/** Returns the exit code. Prints the next steps of the first failure once. */
function failed(outcomes: readonly Outcome[]): number {
  const failures = outcomes.filter(({ error }) => error !== undefined);
  const [first] = failures;
  if (first?.error === undefined) return 0;
  throw new SignetError('adoption-incomplete', `not adopted: ${failures.map(({ name }) => name).join(', ')}`, {
    cause: first.error,
    ...(first.error.next === undefined ? {} : { next: first.error.next }),
  });
}

function dayOf(flag: string, text: string): Instant {
  try {
    return parseTime(`${text}T00:00:00Z`);
  } catch (cause) {
    throw new SignetError('usage', `${flag} takes a day, such as 2027-06-30, not ${quoted(text, 40)}`, {
      cause,
    });
  }
}

/** The last second of a day. */
function endOf(text: string): Instant {
  dayOf('--until', text);
  return parseTime(`${text}T23:59:59Z`);
}
