import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../core/names/digest.ts';
import { printable } from '../../core/printable.ts';

/**
 * An image manifest or index as stored by a registry, verified against its digest.
 *
 * @example
 * ```ts
 * import { digestOf, type Manifest } from 'signet';
 *
 * const manifest: Manifest = await client.manifest(image);
 * assert.equal(manifest.digest, digestOf(manifest.bytes));
 * assert.equal(manifest.size, manifest.bytes.length);
 * ```
 */
export interface Manifest {
  /** The digest by which it was requested, else its SHA-256. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** The media types of manifests that can be signed and pulled, in order of preference (protocol F.5). */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

/** Members that distinguish an image from an index. */
const MEMBERS = ['mediaType', 'manifests', 'config', 'layers', 'fsLayers'];
const INDEX_TYPES: ReadonlySet<string> = new Set([MANIFEST_TYPES[0], MANIFEST_TYPES[2]]);

/** What a registry sent along with a manifest's bytes. */
interface Received {
  readonly bytes: Buffer;
  readonly contentType: string | null;
  /** The `Docker-Content-Digest` header. */
  readonly claimedDigest: string | null;
  /** The expected digest, if it was requested by digest. */
  readonly wanted: Digest | undefined;
}

/**
 * Verifies what a registry sent. The digest is computed, never taken from the registry, and a different claim is
 * refused. So is a document that can be read both as a manifest and as an index, or whose `mediaType` differs from the
 * header's. Throws `checksum-mismatch` or `manifest-unusable`.
 */
export function verifyManifest({ bytes, contentType, claimedDigest, wanted }: Received): Manifest {
  const digest = digestOf(bytes, wanted === undefined ? 'sha256' : digestAlgorithm(wanted));
  if (wanted !== undefined && digest !== wanted) {
    throw new SignetError(
      'checksum-mismatch',
      `the manifest does not match its digest: expected ${wanted}, got ${digest}`,
    );
  }
  if (claimedDigest !== null && !agrees(claimedDigest, bytes)) {
    invalid(`the registry says ${printable(claimedDigest, 160)} of a manifest that is ${digest}`);
  }
  const mediaType = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  checkContent(parseManifest(bytes), mediaType);
  return { digest, size: bytes.length, mediaType, bytes };
}

function agrees(claimed: string, bytes: Buffer): boolean {
  return isDigest(claimed) && digestOf(bytes, digestAlgorithm(claimed)) === claimed;
}

/** Members that Go's parser would match case-insensitively are refused too: engines are written in Go. */
function parseManifest(bytes: Buffer): { own: string | undefined; has: (member: string) => boolean } {
  try {
    const fields = new Fields(parseJson(bytes, { numbers: 'any' }), 'the manifest', MEMBERS, 'ignore');
    const own = fields.optionalString('mediaType') || undefined;
    return { own, has: (member) => fields.raw(member) !== undefined };
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw cause.within('manifest-unusable', `the manifest is malformed: ${cause.message}`);
  }
}

function checkContent({ own, has }: ReturnType<typeof parseManifest>, mediaType: string): void {
  if (!(MANIFEST_TYPES as readonly string[]).includes(mediaType)) {
    invalid(`unsupported manifest media type ${JSON.stringify(printable(mediaType, 120))}`);
  }
  if (own !== undefined && own !== mediaType) invalid('the manifest says another media type than the registry');
  const hasImage = has('config') || has('layers') || has('fsLayers');
  if (INDEX_TYPES.has(mediaType) ? hasImage : has('manifests')) {
    invalid('the document is a manifest and an index at once');
  }
}

function invalid(message: string): never {
  throw new SignetError('manifest-unusable', message);
}
