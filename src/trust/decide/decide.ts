import { isSignetError, SignetError } from '../../core/errors/index.ts';
import type { Digest } from '../../core/names/digest.ts';
import { mostSpecific } from '../../core/names/image-pattern.ts';
import { atDigest, formatReference, gunOf, type Reference, withDefaultTag } from '../../core/names/reference.ts';
import type { Instant } from '../../core/time.ts';
import {
  type AskedImage,
  type Decision,
  type ExemptImage,
  type FrozenTag,
  type ImageId,
  isImageId,
  type ResolvedTag,
  type SignedTag,
} from './decision.ts';
import { type CollectionView, checkInForce, type Evidence } from './evidence.ts';
import { checkNotEnded, type FrozenList, frozenImage } from './frozen.ts';
import { resolveAllTags, resolveTag, type TrustedTag } from './resolve.ts';

/**
 * The one answer to "may this image be used, and which is it?", for command line, guards and webhooks alike. Every case
 * is a verdict, and what cannot be decided is refused.
 *
 * - A tag on the configuration's frozen list is used by the digest given there, until the list ends; then it is refused.
 * - An image that the configuration exempts may be used as requested.
 * - A tag (`latest` by default) must be signed; from here on only its digest is used. A digest next to it must be the
 *   signed one; docker ignores it silently (protocol G-36).
 * - A digest or ID alone identifies its content itself. By docker's rule that is enough; with the rule `signed`, a tag
 *   of its repository must be signed as exactly that digest.
 *
 * Throws only for faults in the program.
 *
 * @example
 * ```ts
 * import { decide, formatReference, parseReference } from 'signet';
 *
 * const decision = await decide(parseReference('registry.example.com/team/app:1.0'), client.evidence());
 * if ('error' in decision) console.error(decision.error.message, decision.error.next);
 * else assert.match(formatReference(decision.use), /@sha256:[0-9a-f]{64}$/);
 * ```
 */
export async function decide<Asked extends AskedImage>(image: Asked, evidence: Evidence): Promise<Decision<Asked>>;
export async function decide(image: AskedImage, evidence: Evidence): Promise<Decision> {
  return isImageId(image) ? decideId(image, evidence) : decideReference(image, evidence);
}

/** The usable tags of a repository: every tag that `decide` would accept. `skipped` are those without SHA-256. */
export interface SignedTags {
  readonly verdict: 'tags-signed';
  readonly images: readonly ResolvedTag[];
  readonly skipped: readonly string[];
  /** The frozen list that says so, where it is not the repository's signers. */
  readonly frozen?: FrozenList;
}

/** `decide` for every tag of a repository at once. Throws the errors of updating its collection. */
export async function decideEveryTag(
  repository: Reference,
  evidence: Evidence,
): Promise<SignedTags | ExemptImage<Reference>> {
  const frozen = everyFrozenTag(repository, evidence);
  if (frozen !== undefined) return frozen;
  const exemption = mostSpecific(evidence.rules.exempt, repository);
  if (exemption !== undefined) return { verdict: 'exempt', asked: repository, use: repository, exemption };
  const { set } = await evidence.collectionOf(repository);
  const { tags, skipped } = resolveAllTags(set);
  // Once per role, because it verifies the signatures of the root.
  for (const role of new Set(tags.map((tag) => tag.role))) checkInForce(set, role, evidence.pinning, evidence.now());
  return {
    verdict: 'tags-signed',
    images: tags.map((tag) => signedTag({ ...repository, tag: tag.tag }, tag)),
    skipped,
  };
}

async function decideReference(reference: Reference, evidence: Evidence): Promise<Decision<Reference>> {
  const asked = withDefaultTag(reference);
  const isBare = asked.tag === undefined;
  const exemption = mostSpecific(evidence.rules.exempt, asked);
  const frozen = frozenDecision(asked, evidence);
  if (frozen !== undefined) return frozen;
  if (isBare && evidence.rules.digests === 'docker') return { verdict: 'unsigned-digest-allowed', asked, use: asked };
  if (exemption !== undefined) return { verdict: 'exempt', asked, use: asked, exemption };
  try {
    const tag = isBare ? await tagWithDigest(asked, evidence) : await trustedTag(asked, asked.tag, evidence);
    return isBare ? { verdict: 'digest-signed', asked, use: asked, tag } : signedTag(asked, tag);
  } catch (error) {
    return refusal(asked, error);
  }
}

/** An ID is signed if the engine knows its image under a signed digest of the repository of that name. */
async function decideId(image: ImageId, evidence: Evidence): Promise<Decision<ImageId>> {
  const answer = { asked: image, use: image };
  if (evidence.rules.digests === 'docker') return { verdict: 'unsigned-digest-allowed', ...answer };
  let first: SignetError | undefined;
  for (const name of image.names) {
    const decision = await decideReference({ ...name, tag: undefined }, evidence);
    if (decision.verdict === 'exempt') return { verdict: 'exempt', ...answer, exemption: decision.exemption };
    if (decision.verdict === 'digest-frozen') return { verdict: 'digest-frozen', ...answer, list: decision.list };
    if (decision.verdict === 'digest-signed') return { verdict: 'digest-signed', ...answer, tag: decision.tag };
    if ('error' in decision) first ??= decision.error;
  }
  return refusal(image, first?.reworded(`image ${image.id} is not signed: ${first.message}`) ?? nameless(image));
}

/** Undefined for what no frozen list has: then its signatures decide. */
function frozenDecision(asked: Reference, { rules, now }: Evidence): Decision<Reference> | undefined {
  const { frozen: list, digests } = rules;
  const image = frozenImage(list, asked);
  if (list === undefined || image === undefined) return undefined;
  if (asked.tag === undefined) {
    const isListed = digests === 'signed' && [...image.tags.values()].some((digest) => digest === asked.digest);
    return isListed
      ? unlessEnded(asked, list, now(), { verdict: 'digest-frozen', asked, use: asked, list })
      : undefined;
  }
  const digest = image.tags.get(asked.tag);
  if (digest === undefined) return undefined;
  if (asked.digest !== undefined && asked.digest !== digest) {
    return refusal(asked, disagreement('frozen', asked.tag, digest, asked.digest));
  }
  return unlessEnded(asked, list, now(), frozenTag(asked, asked.tag, digest, list));
}

function unlessEnded<T extends Decision<Reference>>(
  asked: Reference,
  list: FrozenList,
  now: Instant,
  decision: T,
): Decision<Reference> {
  try {
    checkNotEnded(list, asked, now);
    return decision;
  } catch (error) {
    return refusal(asked, error);
  }
}

function everyFrozenTag(repository: Reference, { rules, now }: Evidence): SignedTags | undefined {
  const { frozen: list } = rules;
  const image = frozenImage(list, repository);
  if (list === undefined || image === undefined) return undefined;
  checkNotEnded(list, repository, now());
  const images = [...image.tags].map(([tag, digest]) => frozenTag({ ...repository, tag }, tag, digest, list));
  return { verdict: 'tags-signed', images, skipped: [], frozen: list };
}

function frozenTag(asked: Reference, tag: string, digest: Digest, list: FrozenList): FrozenTag {
  return { verdict: 'tag-frozen', asked, use: atDigest(asked, digest), tag: { tag, digest }, list };
}

function disagreement(how: 'frozen' | 'signed', tag: string, known: Digest, asked: Digest): SignetError {
  return new SignetError('digest-disagrees', `${tag} is ${how} as ${known}, not as ${asked}`, {
    detail: { tag, [how]: known, asked },
  });
}

async function trustedTag(asked: Reference, name: string, evidence: Evidence): Promise<TrustedTag> {
  const { set } = await evidence.collectionOf(asked);
  const tag = resolveTag(set, name);
  checkInForce(set, tag.role, evidence.pinning, evidence.now());
  if (asked.digest !== undefined && asked.digest !== tag.digest) {
    throw disagreement('signed', name, tag.digest, asked.digest);
  }
  return tag;
}

async function tagWithDigest(asked: Reference, evidence: Evidence): Promise<TrustedTag> {
  const { set }: CollectionView = await evidence.collectionOf(asked);
  const tag = resolveAllTags(set).tags.find(({ digest }) => digest === asked.digest);
  if (tag === undefined) {
    throw new SignetError('digest-unsigned', `no tag of ${gunOf(asked)} is signed as ${asked.digest}`, {
      detail: { asked: formatReference(asked) },
    });
  }
  checkInForce(set, tag.role, evidence.pinning, evidence.now());
  return tag;
}

function signedTag(asked: Reference, tag: TrustedTag): SignedTag {
  return { verdict: 'tag-signed', asked, use: atDigest(asked, tag.digest), tag };
}

function nameless({ id }: ImageId): SignetError {
  return new SignetError('digest-unsigned', `image ${id} is not signed: the engine knows no registry's name for it`);
}

function refusal<Asked extends AskedImage>(asked: Asked, error: unknown): Decision<Asked> {
  if (!isSignetError(error)) throw error;
  return { verdict: error.code === 'digest-unsigned' ? 'unsigned-digest-refused' : 'refused', asked, error };
}
