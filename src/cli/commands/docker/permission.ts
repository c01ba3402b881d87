import { type Digest, isDigest, parseDigest } from '../../../core/names/digest.ts';
import { DEFAULT_TAG, familiarReference, gunOf, type Reference } from '../../../core/names/reference.ts';
import { printable } from '../../../core/printable.ts';
import { formatTime } from '../../../core/time.ts';
import { digestNamesOf } from '../../../engine/api/image.ts';
import { decide, decideEveryTag, type SignedTags } from '../../../trust/decide/decide.ts';
import {
  type AskedImage,
  type ExemptImage,
  type ImageId,
  isImageId,
  type Permitted,
  permitted,
} from '../../../trust/decide/decision.ts';
import type { FrozenList } from '../../../trust/decide/frozen.ts';
import type { Session } from '../../session.ts';
import { wordedAs } from '../../wording/docker-texts.ts';

const MAX_NOTICE = 1000;

/**
 * Checks whether a command may use an image, and reports each use of an exemption. `unreleased` is the message for a
 * tag that only a delegation has signed. Throws the error of a refusal, in docker's words.
 */
export async function permit<Asked extends AskedImage>(
  session: Session,
  image: Asked,
  unreleased?: string,
): Promise<Permitted<Asked>> {
  const about = isImageId(image) ? image.id : gunOf(image);
  const permission = await wordedAs(about, async () => permitted(await decide(image, session.evidence)), unreleased);
  if (permission.verdict === 'exempt') sayExempt(session, permission);
  if (permission.verdict === 'tag-frozen' || permission.verdict === 'digest-frozen') {
    sayFrozen(session, permission.asked, permission.list);
  }
  return permission;
}

/** `permit` in the words of `docker run` and of plugins. */
export function permitTag(session: Session, reference: Reference): Promise<Permitted<Reference>> {
  return permit(session, reference, `No valid trust data for ${reference.tag ?? DEFAULT_TAG}`);
}

/** `permit` for every tag of a repository at once. */
export async function permitEveryTag(
  session: Session,
  repository: Reference,
): Promise<SignedTags | ExemptImage<Reference>> {
  const permission = await wordedAs(gunOf(repository), () => decideEveryTag(repository, session.evidence));
  if (permission.verdict === 'exempt') sayExempt(session, permission);
  else if (permission.frozen !== undefined) sayFrozen(session, repository, permission.frozen);
  return permission;
}

/** Checks whether the image with this ID may be used. Throws what `permit` throws. */
export async function permitId(session: Session, id: Digest): Promise<Permitted<ImageId>> {
  return permit(session, { id, names: await knownNames(session, id) });
}

/** The image ID in a typed name, as docker reads it; undefined if there is none (protocol D.5). */
export function readImageId(text: string): Digest | undefined {
  if (/^[0-9a-f]{64}$/.test(text)) return parseDigest(`sha256:${text}`);
  return isDigest(text) ? text : undefined;
}

/** Only rules about IDs need the engine. */
async function knownNames(session: Session, id: Digest): Promise<readonly Reference[]> {
  if (session.evidence.rules.digests === 'docker') return [];
  const image = await (await session.engine()).inspectImage(id);
  return image === undefined ? [] : digestNamesOf(image);
}

function sayFrozen(session: Session, asked: AskedImage, { path, until }: FrozenList): void {
  const name = isImageId(asked) ? asked.id : familiarReference(asked);
  const notice = `${name} is frozen until ${formatTime(until)}: its digest comes from ${path}, not from signatures`;
  session.printError(`${printable(notice, MAX_NOTICE)}\n`);
}

function sayExempt(session: Session, { asked, exemption }: ExemptImage): void {
  const name = isImageId(asked) ? asked.id : familiarReference(asked);
  const notice = `${name} is not checked: signet.json exempts ${exemption.pattern.text} (${exemption.reason})`;
  session.printError(`${printable(notice, MAX_NOTICE)}\n`);
}
