import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Gun } from '../../core/names/gun.ts';
import type { Action } from '../../core/scope.ts';
import type { AuthorizedAnswer, AuthorizedClient } from '../auth/authorized.ts';
import { parseChallenges } from '../auth/challenge.ts';
import type { HttpRequest } from '../http/http-message.ts';

/** A request about a GUN. */
export interface TrustRequest extends Omit<HttpRequest, 'url' | 'limit'> {
  readonly gun: Gun;
  /** What follows `/v2/{gun}/_trust/`. */
  readonly path: string;
  /** The actions that the access token must allow. */
  readonly actions: readonly Action[];
  /** Maximum length in bytes of a successful response's body; by default that of an error body. */
  readonly limit?: number;
}

/**
 * Sends a request to the trust server at `address`. Any status is a response. Throws what `AuthorizedClient.send`
 * throws, `response-too-large` in the words of Notary's clients.
 */
export async function sendTrustRequest(
  client: AuthorizedClient,
  address: URL,
  { gun, path, actions, limit = LIMITS.errorBody, ...request }: TrustRequest,
): Promise<AuthorizedAnswer> {
  const url = new URL(address);
  url.pathname = `${address.pathname.replace(/\/$/, '')}/v2/${gun}/_trust/${path}`;
  try {
    return await client.send({ ...request, limit, url }, [{ type: 'repository', name: gun, actions }]);
  } catch (error) {
    if (!isSignetError(error, 'response-too-large')) throw error;
    throw badResponse(error.detail, error);
  }
}

/** The error for a response that is too long. */
export function badResponse(detail: SignetError['detail'], cause?: SignetError): SignetError {
  return new SignetError('response-too-large', 'trust server returned a bad response.', { cause, detail });
}

/**
 * Whether the server has nothing there, or does not know the path. A server with accounts lets only its administrator
 * request unknown paths (protocol B.4): its 401 then asks for a scope that is no repository's.
 */
export function isUnknownPath({ status, headers }: AuthorizedAnswer): boolean {
  if (status !== 401) return status === 404 || status === 405;
  return parseChallenges(headers.get('www-authenticate') ?? '').some(({ parameters }) =>
    parameters.get('scope')?.startsWith('registry:catalog:'),
  );
}
