import { SignetError } from '../../core/errors/index.ts';
import { isLoopback } from '../transport/loopback.ts';
import type { HttpAnswer, HttpRequest } from './http-message.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Whether a status code is one of a redirect. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * The request for a redirect. Keeps the `Authorization` header only for the same origin (scheme, host and port). Throws
 * `redirect-refused` for methods other than GET and HEAD, for an address with a user name, and for a redirect from
 * https to http.
 */
export function redirectRequest(request: HttpRequest, answer: HttpAnswer): HttpRequest {
  const refuse = (why: string): never => {
    throw new SignetError('redirect-refused', `a redirect by ${request.url.origin} ${why}`);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') refuse('of a request that changes something');
  const location = answer.headers.get('location') ?? '';
  if (!URL.canParse(location, request.url.href)) refuse('names no address');
  const url = new URL(location, request.url);
  if (url.username !== '' || url.password !== '') refuse('carries a user name');
  const stays = url.origin === request.url.origin;
  const secure = url.protocol === 'https:' || (isLoopback(url.hostname) && isLoopback(request.url.hostname));
  if (!stays && !(secure && /^https?:$/.test(url.protocol))) refuse('leads to an address without TLS');
  return { ...request, url, headers: stays ? (request.headers ?? {}) : withoutAuthorization(request.headers ?? {}) };
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
}
