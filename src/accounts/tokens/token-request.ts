import { SignetError } from '../../core/errors/index.ts';
import { decodeUtf8 } from '../../core/json/parse.ts';
import { parseScope, type Scope } from '../../core/scope.ts';
import { readBody } from '../../http/body.ts';
import type { Call } from '../../http/call.ts';
import { parseAuthorization } from '../login/authorization.ts';
import type { Credentials } from '../login/logins.ts';

/** What a client asks the token service for. */
export interface TokenRequest {
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  readonly proof: Proof;
  /** Whether a refresh token is wanted too. */
  readonly offline: boolean;
}

export type Proof =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly credentials: Credentials }
  | { readonly kind: 'refresh-token'; readonly token: string };

const MAX_BODY = 32 * 1024;
const MAX_SCOPES = 32;
/** A parameter that two readers could read differently when it is there twice. All but `scope`. */
const SINGLE = [
  'service',
  'account',
  'client_id',
  'offline_token',
  'grant_type',
  'access_type',
  'username',
  'password',
  'refresh_token',
];

/**
 * Reads a request of docker's token protocol (protocol F.4): GET with query and perhaps a Basic header, or POST with a
 * form. Throws `token-request-invalid`, `name-invalid` for a malformed scope, or `too-large`.
 */
export async function readTokenRequest(call: Call): Promise<TokenRequest> {
  const { request, url } = call;
  return request.method === 'POST'
    ? fromForm(parameters(decodeForm(await readForm(call))))
    : fromQuery(parameters(url.searchParams), request.headers.get('authorization'));
}

function fromQuery(query: URLSearchParams, header: string | null): TokenRequest {
  const authorization = parseAuthorization(header);
  const common = { service: query.get('service') ?? undefined, scopes: scopesOf(query) };
  const offline = query.get('offline_token') === 'true';
  if (authorization.scheme === 'none') return { ...common, offline, proof: { kind: 'none' } };
  if (authorization.scheme !== 'basic') throw invalid('the Authorization header is not a Basic one');
  return { ...common, offline, proof: { kind: 'password', credentials: authorization.credentials } };
}

function fromForm(form: URLSearchParams): TokenRequest {
  return {
    service: form.get('service') ?? undefined,
    scopes: scopesOf(form),
    offline: form.get('access_type') === 'offline',
    proof: proofOf(form),
  };
}

function proofOf(form: URLSearchParams): Proof {
  switch (form.get('grant_type')) {
    case 'password': {
      const credentials = { name: required(form, 'username'), password: Buffer.from(required(form, 'password')) };
      return { kind: 'password', credentials };
    }
    case 'refresh_token':
      return { kind: 'refresh-token', token: required(form, 'refresh_token') };
    default:
      throw invalid('grant_type is neither password nor refresh_token');
  }
}

/** Scopes come as repeated parameters, or as one with spaces between them. */
function scopesOf(params: URLSearchParams): readonly Scope[] {
  const texts = params
    .getAll('scope')
    .flatMap((value) => value.split(' '))
    .filter((text) => text !== '');
  if (texts.length > MAX_SCOPES) throw invalid(`more than ${MAX_SCOPES} scopes`);
  return texts.map(parseScope);
}

function parameters(params: URLSearchParams): URLSearchParams {
  const twice = SINGLE.find((name) => params.getAll(name).length > 1);
  if (twice !== undefined) throw invalid(`the parameter ${twice} is there more than once`);
  return params;
}

function required(form: URLSearchParams, name: string): string {
  return form.get(name) ?? fail(`the parameter ${name} is missing`);
}

async function readForm(call: Call): Promise<Buffer> {
  const type = call.request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') throw invalid('the body is not a form');
  const tooLarge = () => new SignetError('too-large', `the form is longer than ${MAX_BODY} bytes`);
  return readBody(call, MAX_BODY, { tooLarge });
}

function decodeForm(bytes: Buffer): URLSearchParams {
  return new URLSearchParams(decodeUtf8(bytes));
}

function fail(message: string): never {
  throw invalid(message);
}

function invalid(message: string): SignetError {
  return new SignetError('token-request-invalid', message);
}
