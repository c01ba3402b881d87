import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import { isDigest } from '../../core/names/digest.ts';
import type { Call } from '../../http/call.ts';
import { OCI_INDEX } from '../manifest.ts';
import { parseBlobDigest, type RegistryCall, type RegistryParts } from './services.ts';

/** Names in one answer at most; clients follow the Link header for more. */
const MAX_PAGE = 10_000;
/** Docker's registry gives as many repositories if the client does not say. */
const CATALOG_PAGE = 100;

/** Lists the tags of a repository (protocol F.5 end-8). */
export async function listTags({ index }: RegistryParts, { url, name: repository }: RegistryCall): Promise<Response> {
  const size = pageSize(url, MAX_PAGE);
  const tags = await index.manifests.tags(repository, cut(url, size));
  if (tags === undefined) throw new SignetError('repository-unknown', 'there is no such repository');
  return page(url, size, tags, (shown) => ({ name: repository, tags: shown }));
}

/** Lists the repositories that have a manifest, as docker's registry does. */
export async function listRepositories({ index }: RegistryParts, { url }: Call): Promise<Response> {
  const size = pageSize(url, CATALOG_PAGE);
  const names = await index.manifests.repositories(cut(url, size));
  return page(url, size, names, (repositories) => ({ repositories }));
}

/** Lists the manifests that say something about another one, known here or not (protocol F.5 end-12). */
export async function listReferrers(
  { index }: RegistryParts,
  { url, name: repository, groups: [item = ''] }: RegistryCall,
): Promise<Response> {
  const subject = parseBlobDigest(item);
  const artifactType = url.searchParams.get('artifactType') || undefined;
  const last = url.searchParams.get('last') ?? '';
  const { descriptors, next } = await index.manifests.referrers(repository, subject, {
    artifactType,
    after: isDigest(last) ? last : undefined,
    // Clients read it as they read any index.
    maxBytes: LIMITS.manifest / 2,
  });
  const headers = new Headers({ 'Content-Type': OCI_INDEX });
  if (artifactType !== undefined) headers.set('OCI-Filters-Applied', 'artifactType');
  if (next !== undefined) headers.set('Link', nextLink(url, { last: next }));
  const body = `{"schemaVersion":2,"mediaType":"${OCI_INDEX}","manifests":[${descriptors.join(',')}]}`;
  return new Response(body, { headers });
}

/** Names for one page, and one more to see whether there are others. */
function cut(url: URL, size: number): { after: string | undefined; limit: number } {
  return { after: url.searchParams.get('last') ?? undefined, limit: size + 1 };
}

function page(url: URL, size: number, names: readonly string[], body: (shown: readonly string[]) => unknown): Response {
  const shown = names.slice(0, size);
  const last = shown.at(-1);
  const headers = new Headers();
  if (names.length > size && last !== undefined) headers.set('Link', nextLink(url, { n: String(size), last }));
  return Response.json(body(shown), { headers });
}

/** The parameter `n`, no larger than a page may be. Throws `page-size-invalid`. */
function pageSize(url: URL, size: number): number {
  const n = url.searchParams.get('n');
  if (n === null) return size;
  if (!/^[0-9]{1,9}$/.test(n)) throw new SignetError('page-size-invalid', 'n is not a number of names');
  return Math.min(Number(n), MAX_PAGE);
}

function nextLink(url: URL, parameters: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(url.searchParams);
  for (const [name, value] of Object.entries(parameters)) query.set(name, value);
  return `<${url.pathname}?${query}>; rel="next"`;
}
