import type { SignetError } from '../../core/errors/index.ts';
import type { Digest } from '../../core/names/digest.ts';
import type { Reference } from '../../core/names/reference.ts';
import type { FrozenList } from './frozen.ts';
import type { Exemption } from './image-rules.ts';
import type { TrustedTag } from './resolve.ts';

/**
 * An image by its ID, which identifies its content but no repository.
 *
 * @example
 * ```ts
 * import { decide, digestOf, type ImageId } from 'signet';
 *
 * const id: ImageId = { id: digestOf(Buffer.from('the configuration of an image')), names: [] };
 * assert.equal((await decide(id, client.evidence())).verdict, 'unsigned-digest-allowed');
 * ```
 */
export interface ImageId {
  readonly id: Digest;
  /** The names with digests under which the engine knows the image; empty if it does not have it. */
  readonly names: readonly Reference[];
}

/**
 * What can be asked about: a name with a tag (`latest` by default), a digest, or both; or an image ID.
 *
 * @example
 * ```ts
 * import { type AskedImage, decide, parseReference } from 'signet';
 *
 * const asked: AskedImage = parseReference('registry.example.com/team/app:no-such-tag');
 * assert.equal((await decide(asked, client.evidence())).verdict, 'refused');
 * ```
 */
export type AskedImage = Reference | ImageId;

/**
 * The answer to "may this image be used, and which is it?".
 *
 * @example
 * ```ts
 * import { type Decision, decide } from 'signet';
 *
 * const decision: Decision = await decide(image, client.evidence());
 * switch (decision.verdict) {
 *   case 'tag-signed':
 *     console.log(`signed by ${decision.tag.role}`);
 *     break;
 *   case 'exempt':
 *     console.warn(`not signed, but exempt: ${decision.exemption.reason}`);
 *     break;
 *   case 'refused':
 *   case 'unsigned-digest-refused':
 *     throw decision.error;
 * }
 * ```
 */
export type Decision<Asked extends AskedImage = AskedImage> = Permitted<Asked> | Refused<Asked>;

/**
 * An image that may be used, but only as `use`.
 *
 * @example
 * ```ts
 * import { decide, type Permitted, permitted } from 'signet';
 *
 * const permission: Permitted = permitted(await decide(image, client.evidence()));
 * assert.ok('use' in permission);
 * ```
 */
export type Permitted<Asked extends AskedImage = AskedImage> =
  | SignedTag
  | FrozenTag
  | FrozenDigest<Asked>
  | SignedDigest<Asked>
  | UnsignedDigest<Asked>
  | ExemptImage<Asked>;

/** A signed tag. */
export interface SignedTag {
  readonly verdict: 'tag-signed';
  /** With its tag. */
  readonly asked: Reference;
  /** By digest only. */
  readonly use: Reference;
  readonly tag: TrustedTag;
}

/** A tag to which a frozen list gives a digest, until the list expires. Callers must report each use. */
export interface FrozenTag {
  readonly verdict: 'tag-frozen';
  /** With its tag. */
  readonly asked: Reference;
  /** By digest only. */
  readonly use: Reference;
  readonly tag: Pick<TrustedTag, 'tag' | 'digest'>;
  readonly list: FrozenList;
}

/** A tag that stands for one digest from here on. */
export type ResolvedTag = SignedTag | FrozenTag;

/** A digest or ID without a tag, which a frozen list gives to some tag of its repository. */
interface FrozenDigest<Asked extends AskedImage = AskedImage> {
  readonly verdict: 'digest-frozen';
  readonly asked: Asked;
  readonly use: Asked;
  readonly list: FrozenList;
}

/** A digest or ID without a tag that equals some signed tag of its repository. */
interface SignedDigest<Asked extends AskedImage = AskedImage> {
  readonly verdict: 'digest-signed';
  readonly asked: Asked;
  readonly use: Asked;
  readonly tag: TrustedTag;
}

/** A digest or ID without a tag. Signatures were not checked: by docker's rule it identifies its content itself. */
interface UnsignedDigest<Asked extends AskedImage = AskedImage> {
  readonly verdict: 'unsigned-digest-allowed';
  readonly asked: Asked;
  readonly use: Asked;
}

/** An image that the configuration exempts. Callers must report each use. */
export interface ExemptImage<Asked extends AskedImage = AskedImage> {
  readonly verdict: 'exempt';
  readonly asked: Asked;
  readonly use: Asked;
  readonly exemption: Exemption;
}

/** An image that must not be used: `unsigned-digest-refused` for a digest or ID that no one signed. */
interface Refused<Asked extends AskedImage = AskedImage> {
  readonly verdict: 'refused' | 'unsigned-digest-refused';
  readonly asked: Asked;
  readonly error: SignetError;
}

/**
 * Returns the permission in a decision. Throws the error of a refusal.
 *
 * @example
 * ```ts
 * import { decide, formatReference, parseReference, permitted } from 'signet';
 *
 * const { use } = permitted(await decide(parseReference('registry.example.com/team/app:1.0'), client.evidence()));
 * console.log(`docker run ${formatReference(use)}`);
 * ```
 */
export function permitted<Asked extends AskedImage>(decision: Decision<Asked>): Permitted<Asked> {
  if ('error' in decision) throw decision.error;
  return decision;
}

/** Whether it is a tag that stands for one digest. */
export function isResolvedTag(permission: Permitted): permission is ResolvedTag {
  return permission.verdict === 'tag-signed' || permission.verdict === 'tag-frozen';
}

/** Whether an image was asked for by its ID. */
export function isImageId(asked: AskedImage): asked is ImageId {
  return 'id' in asked;
}
