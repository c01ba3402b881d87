import { isSignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import type { Digest } from '../../core/names/digest.ts';
import { parseReference, type Reference } from '../../core/names/reference.ts';
import { described } from './described.ts';
import { type Content, parseDescriptor } from './push-result.ts';

/** What an engine reports about an image that it has. */
export interface ImageDescription {
  readonly id: string;
  /** `alpine:3.20`. */
  readonly repoTags: readonly string[];
  /** `alpine@sha256:…`. */
  readonly repoDigests: readonly string[];
  /** The image's manifest or index; reported by the containerd store from API 1.48 on. */
  readonly descriptor: Content | undefined;
  readonly os: string;
  readonly architecture: string;
}

/** Parses the response to an image inspection. Throws `engine-response-invalid`. */
export function parseImage(body: Uint8Array): ImageDescription {
  return described('an image', () => {
    const image = new Fields(parseJson(body, { numbers: 'any' }), 'image', [], 'ignore');
    return {
      id: image.string('Id'),
      repoTags: image.strings('RepoTags'),
      repoDigests: image.strings('RepoDigests'),
      descriptor: parseDescriptor(image.raw('Descriptor')),
      os: image.optionalString('Os') ?? '',
      architecture: image.optionalString('Architecture') ?? '',
    };
  });
}

/** A name with the digest that the image has in that repository. */
type DigestName = Reference & { readonly digest: Digest };

/** The names with digests under which the engine pulled or pushed the image. */
export function digestNamesOf(image: ImageDescription): readonly DigestName[] {
  return image.repoDigests.flatMap((name) => {
    const known = readReference(name);
    return known?.digest === undefined ? [] : [{ ...known, digest: known.digest }];
  });
}

/** The digests that the image has in the repository of `reference`. */
export function digestsIn({ registry, path }: Reference, image: ImageDescription): readonly Digest[] {
  return digestNamesOf(image).flatMap((known) =>
    known.registry === registry && known.path === path ? [known.digest] : [],
  );
}

/** Engines list images without a name as `<none>@<none>`. */
function readReference(name: string): Reference | undefined {
  try {
    return parseReference(name);
  } catch (error) {
    if (isSignetError(error, 'reference-invalid')) return undefined;
    throw error;
  }
}
