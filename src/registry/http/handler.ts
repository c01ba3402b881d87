import { SignetError } from '../../core/errors/index.ts';
import type { Scope } from '../../core/scope.ts';
import { AuthorizationRequired, type Gate, type Handler } from '../../http/gate.ts';
import { deleteBlob, getBlob, headBlob } from './blobs.ts';
import type { Endpoint, RegistryParts } from './endpoint.ts';
import { listReferrers, listRepositories, listTags } from './listings.ts';
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts';
import { ociErrorResponse } from './oci-errors.ts';
import { type EndpointName, parsePath } from './path.ts';
import { cancelUpload, finishUpload, getUpload, patchUpload, startUpload } from './uploads.ts';

/** Every request that the registry understands, by kind of path and method. */
const ENDPOINTS: Readonly<Record<EndpointName, ReadonlyMap<string, Endpoint>>> = {
  manifest: new Map([
    ['GET', getManifest],
    ['HEAD', headManifest],
    ['PUT', putManifest],
    ['DELETE', deleteManifest],
  ]),
  blob: new Map([
    ['GET', getBlob],
    ['HEAD', headBlob],
    ['DELETE', deleteBlob],
  ]),
  uploads: new Map([['POST', startUpload]]),
  upload: new Map([
    ['GET', getUpload],
    ['PATCH', patchUpload],
    ['PUT', finishUpload],
    ['DELETE', cancelUpload],
  ]),
  tags: new Map([['GET', listTags]]),
  referrers: new Map([['GET', listReferrers]]),
};

const CATALOG_PATH = '/v2/_catalog';
const CATALOG: Scope = { type: 'registry', name: 'catalog', actions: ['*'] };

/** The registry's answers. Errors that are not its own, such as a missing authorisation, are left to the server. */
export function createRegistryHandler(parts: RegistryParts): Handler {
  return async (request, url, gate) => {
    try {
      return url.pathname === CATALOG_PATH
        ? await answerCatalog(parts, request, url, gate)
        : await answerRepository(parts, request, url, gate);
    } catch (error) {
      const response = ociErrorResponse(error);
      if (response === undefined) throw error;
      return response;
    }
  };
}

async function answerCatalog(parts: RegistryParts, request: Request, url: URL, gate: Gate): Promise<Response> {
  if (request.method !== 'GET') throw unsupported(['GET']);
  await gate.require(CATALOG);
  return listRepositories(parts, url);
}

async function answerRepository(
  parts: RegistryParts,
  request: Request,
  url: URL,
  gate: Gate,
): Promise<Response | undefined> {
  const path = parsePath(url.pathname);
  if (path === undefined) return undefined;
  const { endpoint: name, repository, item } = path;
  const endpoint = ENDPOINTS[name].get(request.method);
  if (endpoint === undefined) throw unsupported([...ENDPOINTS[name].keys()]);
  const wishes = endpoint.wishes?.({ url, repository }) ?? [];
  await requireWith(gate, { type: 'repository', name: repository, actions: endpoint.actions }, wishes);
  return endpoint.answer(parts, { request, url, gate, repository, item });
}

/** Requires `scope` alone; the challenge of who lacks it names the `wishes` as well. */
async function requireWith(gate: Gate, scope: Scope, wishes: readonly Scope[]): Promise<void> {
  try {
    await gate.require(scope);
  } catch (error) {
    if (!(error instanceof AuthorizationRequired)) throw error;
    throw new AuthorizationRequired([...error.wanted, ...wishes], error.reason);
  }
}

function unsupported(methods: readonly string[]): SignetError {
  const allow = methods.join(', ');
  return new SignetError('registry-method-unsupported', `the methods here are ${allow}`, { detail: { allow } });
}
