import { SignetError } from '../core/errors/index.ts';
import { type JsonObject, parseJson } from '../core/json/parse.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../core/names/digest.ts';
import { printable } from '../core/printable.ts';

/** An image manifest or index as a registry keeps it. */
export interface Manifest {
  /** The digest by which it was asked for, else its SHA-256. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** The kinds of manifest that can be signed and pulled, in the order of preference (protocol F.5). */
export const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;

const INDEX_TYPES: ReadonlySet<string> = new Set([MANIFEST_TYPES[0], MANIFEST_TYPES[2]]);

/** What came with a manifest's bytes. */
export interface Received {
  readonly bytes: Buffer;
  readonly contentType: string | null;
  /** The `Docker-Content-Digest` header. */
  readonly claimedDigest: string | null;
  /** What it must be, where it was asked for by digest. */
  readonly wanted: Digest | undefined;
}

/**
 * Verifies what a registry sent. The digest is computed, never taken from the registry; a claim that differs from it
 * is refused, and so is a document that reads as a manifest and as an index, or whose own `mediaType` is another than
 * the one in the header. Throws `checksum-mismatch` or `response-invalid`.
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

function parseManifest(bytes: Buffer): JsonObject {
  try {
    const document = parseJson(bytes, { numbers: 'any' });
    return document instanceof Map ? document : invalid('the manifest is not a JSON object');
  } catch (cause) {
    return invalid('the manifest is not valid JSON', cause);
  }
}

function checkContent(document: JsonObject, mediaType: string): void {
  if (!(MANIFEST_TYPES as readonly string[]).includes(mediaType)) {
    invalid(`unsupported manifest media type ${JSON.stringify(printable(mediaType, 120))}`);
  }
  const own = document.get('mediaType');
  if (own !== undefined && own !== mediaType) invalid('the manifest says another media type than the registry');
  const isIndex = INDEX_TYPES.has(mediaType);
  const hasImage = document.has('config') || document.has('layers') || document.has('fsLayers');
  if (isIndex ? hasImage : document.has('manifests')) invalid('the document is a manifest and an index at once');
}

function invalid(message: string, cause?: unknown): never {
  throw new SignetError('response-invalid', message, { cause });
}
