import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../../core/names/digest.ts';
import { isTag } from '../../core/names/reference.ts';
import type { StoredManifest } from '../index/registry-index.ts';
import { parseManifest } from '../manifest.ts';
import { readManifestBody } from './request-body.ts';
import { contentHeaders, isKnownToClient, isSeenLongAgo, type RegistryCall, type RegistryParts } from './services.ts';

/** What a manifest is asked for by. */
type Reference = { readonly tag: string } | { readonly digest: Digest };

/** Sends a manifest as it was pushed, whatever the client accepts (protocol F.5 end-3). */
export async function getManifest(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const manifest = await findManifest(parts, call);
  const headers = contentHeaders(manifest.digest, manifest.mediaType);
  if (isKnownToClient(call.request, manifest.digest)) return new Response(null, { status: 304, headers });
  headers.set('Content-Length', String(manifest.bytes.length));
  return new Response(manifest.bytes, { headers });
}

/** Tells whether a manifest is there. The client may rely on it from now on, so the manifest is kept for a while. */
export async function headManifest(parts: RegistryParts, call: RegistryCall): Promise<Response> {
  const { digest, mediaType, bytes, seen } = await findManifest(parts, call);
  const { index, clock } = parts;
  if (isSeenLongAgo(parts, seen) && !(await index.manifests.touch(call.name, digest, clock()))) {
    throw unknownManifest();
  }
  const headers = contentHeaders(digest, mediaType);
  headers.set('Content-Length', String(bytes.length));
  return new Response(null, { headers });
}

/** Takes a manifest whose content is in the repository (protocol F.5 end-7). */
export async function putManifest({ index, clock }: RegistryParts, call: RegistryCall): Promise<Response> {
  const {
    request,
    name: repository,
    groups: [item = ''],
  } = call;
  const reference = parseReference(item);
  if (reference === undefined) throw malformedReference(item);
  const bytes = await readManifestBody(call, LIMITS.manifest);
  const digest = digestFor(reference, bytes);
  const manifest = parseManifest(bytes, request.headers.get('content-type') ?? undefined, digest);
  const tag = 'tag' in reference ? reference.tag : undefined;
  const missing = await index.manifests.put(repository, manifest, tag, clock());
  if (missing.length > 0) {
    throw new SignetError('manifest-blob-unknown', 'the repository does not have all that the manifest names', {
      detail: { digests: missing },
    });
  }
  const headers = new Headers({ Location: `/v2/${repository}/manifests/${digest}`, 'Docker-Content-Digest': digest });
  if (manifest.subject !== undefined) headers.set('OCI-Subject', manifest.subject);
  return new Response(null, { status: 201, headers });
}

/** Removes a tag, or a manifest with all its tags (protocol F.5 end-9). */
export async function deleteManifest(
  { index }: RegistryParts,
  { name: repository, groups: [item = ''] }: RegistryCall,
): Promise<Response> {
  const reference = parseReference(item);
  const isRemoved =
    reference !== undefined &&
    ('tag' in reference
      ? await index.manifests.removeTag(repository, reference.tag)
      : await index.manifests.remove(repository, reference.digest));
  if (!isRemoved) throw unknownManifest();
  return new Response(null, { status: 202 });
}

async function findManifest(
  { index }: RegistryParts,
  { name: repository, groups: [item = ''] }: RegistryCall,
): Promise<StoredManifest> {
  const reference = parseReference(item);
  // What is no reference names no manifest: clients expect 404 then.
  if (reference === undefined) throw unknownManifest();
  const manifest =
    'tag' in reference
      ? await index.manifests.byTag(repository, reference.tag)
      : await index.manifests.byDigest(repository, reference.digest);
  if (manifest === undefined) throw unknownManifest();
  return manifest;
}

function parseReference(item: string): Reference | undefined {
  if (isDigest(item)) return { digest: item };
  return isTag(item) ? { tag: item } : undefined;
}

/** The digest to store the manifest under: of the algorithm that the client named, else SHA-256. */
function digestFor(reference: Reference, bytes: Buffer): Digest {
  if ('tag' in reference) return digestOf(bytes);
  const digest = digestOf(bytes, digestAlgorithm(reference.digest));
  if (digest !== reference.digest) {
    throw new SignetError('manifest-digest-mismatch', `the manifest has the digest ${digest}`);
  }
  return digest;
}

function malformedReference(item: string): SignetError {
  if (item.includes(':')) return new SignetError('manifest-digest-mismatch', 'the digest is malformed');
  return new SignetError('manifest-reference-invalid', 'the tag is malformed');
}

function unknownManifest(): SignetError {
  return new SignetError('manifest-unknown', 'the repository has no such manifest');
}
