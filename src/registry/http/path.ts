import { parseRepositoryName, type RepositoryName } from '../names.ts';

/** The kinds of paths below a repository (protocol F.5). */
export type EndpointName = 'manifest' | 'blob' | 'uploads' | 'upload' | 'tags' | 'referrers';

interface RegistryPath {
  readonly endpoint: EndpointName;
  readonly repository: RepositoryName;
  /** The last part as it is: a reference, a digest or a UUID; empty where the endpoint has none. */
  readonly item: string;
}

/**
 * Takes apart `/v2/<name>/manifests/<reference>` and its like. As names may contain words such as `manifests`, the end
 * of the path decides. Undefined where the path is no registry's, or the trust server's.
 * Throws `repository-name-invalid`.
 */
export function parsePath(pathname: string): RegistryPath | undefined {
  const segments = decode(pathname)?.split('/') ?? [];
  if (segments[0] !== '' || segments[1] !== 'v2' || segments.includes('_trust')) return undefined;
  const found = endpointOf(segments);
  if (found === undefined) return undefined;
  const { endpoint, taken, item } = found;
  return { endpoint, item, repository: parseRepositoryName(segments.slice(2, -taken).join('/')) };
}

/** Whether the path is one of a manifest; of whose repository, `parsePath` finds out. */
export function namesManifest(pathname: string): boolean {
  return endpointOf(decode(pathname)?.split('/') ?? [])?.endpoint === 'manifest';
}

/** Whether a request to the path begins an upload or goes on with one; undefined for all other paths. */
export function uploadStep(pathname: string): 'begins' | 'goes-on' | undefined {
  const endpoint = endpointOf(decode(pathname)?.split('/') ?? [])?.endpoint;
  if (endpoint === 'uploads') return 'begins';
  return endpoint === 'upload' ? 'goes-on' : undefined;
}

/** `taken` counts the segments behind the repository's name. */
function endpointOf(segments: readonly string[]): { endpoint: EndpointName; taken: number; item: string } | undefined {
  const [third, second, item = ''] = segments.slice(-3);
  if (third === 'blobs' && second === 'uploads') {
    return { endpoint: item === '' ? 'uploads' : 'upload', taken: 3, item };
  }
  if (second === 'blobs' && item === 'uploads') return { endpoint: 'uploads', taken: 2, item: '' };
  if (second === 'blobs') return { endpoint: 'blob', taken: 2, item };
  if (second === 'manifests') return { endpoint: 'manifest', taken: 2, item };
  if (second === 'referrers') return { endpoint: 'referrers', taken: 2, item };
  if (second === 'tags' && item === 'list') return { endpoint: 'tags', taken: 2, item: '' };
  return undefined;
}

/** Without percent escapes; undefined where they are malformed. */
function decode(pathname: string): string | undefined {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
}
