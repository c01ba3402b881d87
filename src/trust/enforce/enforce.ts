import { SignetError } from '../../core/errors/index.ts';
import { atDigest, type Reference, withDefaultTag } from '../../core/names/reference.ts';
import type { Repository } from '../publish/repository.ts';
import { resolveTag, type TrustedTag } from './resolve.ts';

/** Gives the trust collection that speaks for an image. */
export type RepositoryOf = (reference: Reference) => Promise<Repository>;

/** An image that may run: what was asked for, and the one digest that stands for it. */
export interface TrustedImage {
  /** As asked for, with its tag. */
  readonly asked: Reference;
  /** By digest only: what may be pulled, run or built on. */
  readonly pinned: Reference;
  readonly tag: TrustedTag;
}

/**
 * The one answer to "may this image be used, and which is it?" for command line, guards and webhooks alike.
 *
 * A tag (`latest` where none is given) must be signed, and from here on only its digest travels. A digest beside a tag
 * must be the signed one; docker ignored it silently (protocol G-36). A digest alone names its content itself and needs
 * no signature: `undefined`.
 *
 * Throws what the update of the collection throws, `target-not-found`, `target-role-untrusted`, or `digest-disagrees`.
 */
export async function trustedImage(
  reference: Reference,
  repositoryOf: RepositoryOf,
): Promise<TrustedImage | undefined> {
  const asked = withDefaultTag(reference);
  if (asked.tag === undefined) return undefined;
  const { set } = await (await repositoryOf(asked)).read();
  const tag = resolveTag(set, asked.tag);
  if (asked.digest !== undefined && asked.digest !== tag.digest) {
    throw new SignetError('digest-disagrees', `${asked.tag} is signed as ${tag.digest}, not as ${asked.digest}`, {
      detail: { tag: asked.tag, signed: tag.digest, asked: asked.digest },
    });
  }
  return { asked, pinned: atDigest(asked, tag.digest), tag };
}
