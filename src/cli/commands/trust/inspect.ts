import { join } from 'node:path';
import { type ErrorCode, isSignetError } from '../../../core/errors/index.ts';
import type { Reference } from '../../../core/names/reference.ts';
import { formatTime } from '../../../core/time.ts';
import { expiredRoles } from '../../../core/verify/expiry-warnings.ts';
import { AdoptedFolder } from '../../../store/adopted-folder.ts';
import type { Adoption } from '../../../trust/adopt/adoption.ts';
import type { Repository } from '../../../trust/publish/repository.ts';
import { shown } from '../../../trust/report/describe.ts';
import { type Inspection, inspectCollection } from '../../../trust/report/inspect.ts';
import { naturalCompare } from '../../../trust/report/natural-order.ts';
import type { Command, ParsedCommand } from '../../line/declaration.ts';
import type { Session } from '../../session.ts';
import { dockerTable } from '../../terminal/table.ts';
import { debugLines } from '../../wording/debug.ts';
import { goJson } from '../../wording/go-json.ts';
import { isColoured, red } from './colour.ts';

/**
 * Errors that docker has no words for, because it neither pins roots nor asks questions, and a folder that cannot be
 * written, which is not the server's fault.
 */
const UNKNOWN_TO_DOCKER: readonly ErrorCode[] = ['root-unpinned', 'root-pin-mismatch', 'cancelled', 'file-unwritable'];

export const INSPECT: Command<Session> = {
  path: 'trust inspect',
  summary: 'Return low-level information about keys and signatures',
  args: [{ name: 'IMAGE[:TAG]', takes: 'image', isRepeated: true }],
  usage: 'IMAGE[:TAG] [IMAGE[:TAG]...]',
  flags: [{ name: 'pretty', type: 'switch', about: 'Print the information in a human friendly format' }],
  examples: [{ about: 'See who signed what', line: 'trust inspect --pretty alice/app' }],
  run: inspect,
};

/** `docker trust inspect [--pretty] IMAGE[:TAG]…` (protocol D.16). */
async function inspect(session: Session, parsed: ParsedCommand): Promise<number> {
  return parsed.has('pretty') ? inspectPretty(session, parsed.args) : inspectJson(session, parsed.args);
}

async function inspectJson(session: Session, images: readonly string[]): Promise<number> {
  const found: unknown[] = [];
  const failures: string[] = [];
  for (const image of images) {
    try {
      found.push(asJson(image, await load(session, image)));
    } catch (error) {
      if (!isSignetError(error) || error.code === 'cancelled') throw error;
      failures.push(error.message, ...debugLines(error));
    }
  }
  session.print(`${goJson(found)}\n`);
  if (failures.length > 0) session.printError(`${failures.join('\n')}\n`);
  return failures.length > 0 ? 1 : 0;
}

async function inspectPretty(session: Session, images: readonly string[]): Promise<number> {
  for (const [index, image] of images.entries()) {
    const text = await pretty(session, image);
    session.print(index === 0 ? text : `\n\n${text}`);
  }
  return 0;
}

async function pretty(session: Session, image: string): Promise<string> {
  try {
    return asText(session, image, await load(session, image));
  } catch (error) {
    if (!isSignetError(error, 'metadata-expired')) throw error;
    session.print(await expiredText(session, image));
    throw error;
  }
}

/** Shows expired collections too, so that their owner can see what to fix. Docker shows nothing of them. */
async function expiredText(session: Session, image: string): Promise<string> {
  const { reference, repository } = await open(session, image);
  const { set } = await repository.inspect();
  const lines = expiredRoles(set, session.now())
    .map(({ role, expired }) => `  ${role} expired on ${new Date(expired).toISOString().slice(0, 10)}`)
    .map((line) => `${red(line, isColoured(session.env))}\n`);
  const text = asText(session, image, inspectCollection(set, shownTag(reference)));
  return `\nThis trust data has expired, and nothing in it is trusted:\n\n${lines.join('')}${text}`;
}

async function open(
  session: Session,
  image: string,
): Promise<{ readonly reference: Reference; readonly repository: Repository }> {
  const reference = session.resolve(image);
  return { reference, repository: await session.repository(reference, 'pull') };
}

function shownTag({ tag, digest }: Reference): string | undefined {
  return digest === undefined ? tag : undefined;
}

async function load(session: Session, image: string): Promise<Inspection> {
  const { reference, repository } = await open(session, image);
  try {
    const { set } = await repository.read();
    return inspectCollection(set, shownTag(reference));
  } catch (cause) {
    if (!isSignetError(cause) || UNKNOWN_TO_DOCKER.includes(cause.code)) throw cause;
    throw cause.reworded(`no signatures or cannot access ${image}`, {
      next: cause.next ?? cause.message,
      isDockers: true,
    });
  }
}

function asJson(image: string, { tags, signers, rootKeys, repositoryKeys }: Inspection): unknown {
  const keys = (ids: readonly string[]) => ids.map((id) => ({ ID: id }));
  return {
    Name: image,
    SignedTags: tags.map((row) => ({
      SignedTag: row.tag,
      Digest: row.digest,
      Signers: row.signers.length > 0 ? row.signers : ['Repo Admin'],
      ...(row.adoption === undefined ? {} : { Adopted: adoptedJson(row.adoption) }),
    })),
    Signers: signers
      .toSorted((a, b) => (a.name < b.name ? 1 : -1))
      .map((signer) => ({ Name: signer.name, Keys: keys(signer.keys) })),
    AdministrativeKeys: [
      { Name: 'Root', Keys: keys(rootKeys) },
      { Name: 'Repository', Keys: keys(repositoryKeys) },
    ],
  };
}

/** A member that docker does not have. It is present only for adopted tags. */
function adoptedJson({ gun, server, read, evidence }: Adoption): unknown {
  return { From: server ?? '', Name: gun, Read: formatTime(read), Evidence: evidence };
}

/** Whose signatures the adopted tags rest on, and where the copy that proves it is. */
function adoptedText(session: Session, tags: Inspection['tags']): string {
  const kept = new AdoptedFolder(join(session.folder, 'trust'));
  const evidences = new Set(tags.flatMap(({ adoption }) => adoption?.evidence ?? []));
  const here = new Set([...evidences].filter((evidence) => kept.has(evidence)));
  const rows = tags.flatMap(({ tag, adoption }) => {
    if (adoption === undefined) return [];
    const { gun, server = 'a cache', read, evidence } = adoption;
    const place = here.has(evidence) ? kept.pathOf(evidence) : `${evidence} (not here)`;
    return [[shown(tag), `${gun} of ${server}`, formatTime(read), place]];
  });
  if (rows.length === 0) return '';
  return `Vouched for on the word of another repository's signers\n\n${dockerTable(['TAG', 'SIGNED IN', 'READ', 'EVIDENCE'], rows)}\n`;
}

function asText(session: Session, image: string, { tags, signers, rootKeys, repositoryKeys }: Inspection): string {
  const signatures = tags.map(({ tag, digest, signers: names }) => [
    shown(tag),
    digest,
    names.length > 0 ? names.toSorted().join(', ') : '(Repo Admin)',
  ]);
  const people = signers
    .toSorted((a, b) => naturalCompare(a.name, b.name))
    .map(({ name, keys }) => [name, keys.map((id) => id.slice(0, 12)).join(', ')]);
  return [
    tags.length === 0
      ? `\nNo signatures for ${image}\n\n\n`
      : `\nSignatures for ${image}\n\n${dockerTable(['SIGNED TAG', 'DIGEST', 'SIGNERS'], signatures)}\n`,
    adoptedText(session, tags),
    people.length === 0
      ? ''
      : `List of signers and their keys for ${image}\n\n${dockerTable(['SIGNER', 'KEYS'], people)}\n`,
    `Administrative keys for ${image}\n\n`,
    `  Repository Key:\t${repositoryKeys.toSorted().join(', ')}\n`,
    `  Root Key:\t${rootKeys.toSorted().join(', ')}\n`,
  ].join('');
}
