import { SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { BodyBound, Call } from '../../http/call.ts';
import { CATALOG } from '../../http/gate.ts';
import type { Match, NamedRoute, Route, RouteGroup } from '../../http/route.ts';
import { parseRepositoryName, type RepositoryName } from '../names.ts';
import { deleteBlob, getBlob, headBlob } from './blobs.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts';
import { ociErrorResponse } from './oci-errors.ts';
import type { RegistryParts } from './services.ts';
import { cancelUpload, finishUpload, getUpload, mountSource, patchUpload, startUpload } from './uploads.ts';

type Named = NamedRoute<RegistryParts, RepositoryName>;

const MANIFEST = /^manifests\/(.*)$/s;
const UPLOADS = /^blobs\/uploads\/?$/;
const UPLOAD = /^blobs\/uploads\/(.+)$/s;
const BLOB = /^blobs\/([^/]*)$/;
const TAGS = /^tags\/list$/;
const REFERRERS = /^referrers\/(.*)$/s;

/** The registry takes images of any size; it limits what it takes itself. Blobs go to the disk as they arrive. */
const PASSED_ON: BodyBound = { limit: Number.POSITIVE_INFINITY, memory: 0 };
/** Manifests are in memory until they are whole. */
const KEPT: BodyBound = { limit: Number.POSITIVE_INFINITY, memory: LIMITS.manifest };

/** Who pushes to a repository also asks how far uploads to it are, and cancels them. */
const PUSH = ['pull', 'push'] as const;

/** Every request that the registry understands (protocol F.5). The first that matches answers, so the order counts. */
const ROUTES: readonly Route<RegistryParts, RepositoryName>[] = [
  route('GET', MANIFEST, ['pull'], getManifest, { body: KEPT }),
  route('HEAD', MANIFEST, ['pull'], headManifest, { body: KEPT }),
  route('PUT', MANIFEST, PUSH, putManifest, { body: KEPT }),
  route('DELETE', MANIFEST, ['delete'], deleteManifest, { body: KEPT }),
  route('POST', UPLOADS, PUSH, startUpload, { step: 'begins', wishes: mountSource }),
  route('GET', UPLOAD, PUSH, getUpload, { step: 'continues' }),
  route('PATCH', UPLOAD, PUSH, patchUpload, { step: 'continues' }),
  route('PUT', UPLOAD, PUSH, finishUpload, { step: 'continues' }),
  route('DELETE', UPLOAD, PUSH, cancelUpload, { step: 'continues' }),
  route('GET', BLOB, ['pull'], getBlob),
  route('HEAD', BLOB, ['pull'], headBlob),
  route('DELETE', BLOB, ['delete'], deleteBlob),
  route('GET', TAGS, ['pull'], listTags),
  route('GET', REFERRERS, ['pull'], listReferrers),
  { method: 'GET', path: '/v2/_catalog', scope: CATALOG, answer: listRepositories },
];

/** The registry's routes. What is not its own, such as a missing authorisation, is left to the server. */
export function registryRoutes(services: RegistryParts): RouteGroup<RegistryParts, RepositoryName> {
  return {
    name: 'registry',
    access: 'gate',
    names: 'registry',
    body: PASSED_ON,
    services,
    routes: ROUTES,
    unmatched,
    errorResponse: (error) => ociErrorResponse(error),
  };
}

function route(
  method: Named['method'],
  path: RegExp,
  actions: Named['actions'],
  answer: Named['answer'],
  more: Partial<Pick<Named, 'body' | 'step' | 'wishes'>> = {},
): Named {
  return { method, path, actions, answer, parseName: (_services, text) => parseRepositoryName(text), ...more };
}

/** A malformed name is told before a method that is not supported. Undefined for a path that is none of the registry's. */
async function unmatched(_call: Call, { name, methods }: Match): Promise<Response | undefined> {
  if (methods.length === 0) return undefined;
  if (name !== undefined) parseRepositoryName(name);
  const allow = methods.join(', ');
  throw new SignetError('registry-method-unsupported', `the methods here are ${allow}`, { detail: { allow } });
}
