import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { parseJson } from '../../core/json/parse.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Login } from '../../core/login.ts';
import { type Digest, digestOf } from '../../core/names/digest.ts';
import { familiarReference, type Reference, withDefaultTag } from '../../core/names/reference.ts';
import type { Action, Scope } from '../../core/scope.ts';
import { type AuthorizedAnswer, AuthorizedClient } from '../auth/authorized.ts';
import type { TokenCache } from '../auth/token.ts';
import { callerNote, logInStep } from '../http/caller.ts';
import { parseErrorBody } from '../http/error-body.ts';
import type { HttpClient } from '../http/http.ts';
import type { HttpRequest } from '../http/http-message.ts';
import { MANIFEST_TYPES, type Manifest, verifyManifest } from './manifest.ts';
import { type RegistrySettings, registryEndpoints, registryMirrors } from './registry-endpoints.ts';

export interface RegistryClientOptions {
  /** The HTTP client for a registry (`host[:port]`), with the connection settings for that registry. */
  readonly http: (registry: string) => HttpClient;
  /** The user's login for a registry or mirror (`host[:port]`). Each call returns a new copy. */
  readonly login: (registry: string) => Promise<Login | undefined>;
  readonly tokens: TokenCache;
  /** Settings by registry (`host[:port]`). */
  readonly settings?: ReadonlyMap<string, RegistrySettings>;
  /**
   * Token services on other hosts that the login for a registry or mirror (`host[:port]`) may be sent to
   * (`LoginSource`).
   */
  readonly allowed?: (registry: string) => ReadonlySet<string>;
}

type RegistryRequest = Omit<HttpRequest, 'url'>;

const PULL: readonly Action[] = ['pull'];
const PUSH: readonly Action[] = ['pull', 'push'];
const MAX_REDIRECTS = 3;
const CATALOGUE: Scope = { type: 'registry', name: 'catalog', actions: ['*'] };
/** Names on one page of a catalogue, at most. */
const CATALOGUE_PAGE = 1000;
/** Failures to connect over https after which a registry on this machine is tried over http. */
const NOT_THERE = ['network-unreachable', 'tls-failed'] as const;

/** Reads and writes manifests without an engine, in any registry that speaks the distribution protocol (F.5). */
export class RegistryClient {
  private readonly options: RegistryClientOptions;
  private readonly clients = new Map<string, AuthorizedClient>();
  private readonly answering = new Map<string, URL>();

  constructor(options: RegistryClientOptions) {
    this.options = options;
  }

  /**
   * Fetches and verifies the manifest or index of a reference. If the reference has a digest, its tag is ignored.
   * Mirrors are used for digests only, because only the registry itself may say what a tag refers to. Throws
   * `not-found`, `unauthorized`, `forbidden`, `server-error`, `checksum-mismatch`, `response-invalid` and what
   * `AuthorizedClient` throws.
   */
  async manifest(reference: Reference): Promise<Manifest> {
    const wanted = withDefaultTag(reference);
    if (wanted.digest !== undefined) {
      for (const mirror of registryMirrors(this.options.settings?.get(reference.registry))) {
        const found = await this.readManifest(mirror, mirror.host, wanted).catch(() => undefined);
        if (found !== undefined) return found;
      }
    }
    return this.atRegistry(wanted.registry, (endpoint) => this.readManifest(endpoint, wanted.registry, wanted));
  }

  /**
   * Stores a manifest under the reference's tag, or by its digest if it has no tag. Throws the same errors as
   * `manifest`.
   */
  async putManifest(
    reference: Reference,
    { bytes, mediaType }: Pick<Manifest, 'bytes' | 'mediaType'>,
  ): Promise<Digest> {
    const digest = digestOf(bytes);
    const name = reference.tag ?? digest;
    return this.atRegistry(reference.registry, async (endpoint) => {
      const headers = { 'Content-Type': mediaType };
      const request = { method: 'PUT', headers, body: bytes, limit: LIMITS.errorBody } as const;
      const answer = await this.send(endpoint, reference.registry, reference, name, request, PUSH);
      if (answer.status !== 201) throw refusal(answer, reference);
      const claimed = answer.headers.get('docker-content-digest');
      if (claimed !== null && claimed !== digest) {
        throw new SignetError('manifest-unusable', `the registry stored another manifest than ${digest}`);
      }
      return digest;
    });
  }

  /**
   * The names of all repositories of a registry, page by page (F.5). Throws `unauthorized`, `forbidden`, `server-error`,
   * `response-invalid` and what `AuthorizedClient` throws.
   */
  async *catalogue(registry: string): AsyncGenerator<string> {
    for (let last: string | undefined = ''; last !== undefined; ) {
      const after: string = last;
      const page = await this.atRegistry(registry, (endpoint) => this.cataloguePage(endpoint, registry, after));
      yield* page.names;
      last = page.next;
    }
  }

  private async cataloguePage(
    endpoint: URL,
    registry: string,
    after: string,
  ): Promise<{ readonly names: readonly string[]; readonly next: string | undefined }> {
    const url = new URL(endpoint);
    url.pathname = `${endpoint.pathname.replace(/\/$/, '')}/v2/_catalog`;
    url.searchParams.set('n', String(CATALOGUE_PAGE));
    if (after !== '') url.searchParams.set('last', after);
    const request = { method: 'GET', limit: LIMITS.manifest, url } as const;
    const answer = await this.clientAt(endpoint, registry).send(request, [CATALOGUE]);
    if (answer.status !== 200) throw catalogueRefusal(answer, registry);
    const page = new Fields(parseJson(answer.body), 'the catalogue', ['repositories'], 'ignore');
    const names = page.strings('repositories');
    const next = names.at(-1);
    // A page that begins again would never end.
    const isLast = answer.headers.get('link') === null || next === undefined || next === after;
    return { names, next: isLast ? undefined : next };
  }

  private async readManifest(endpoint: URL, loginFor: string, reference: Reference): Promise<Manifest> {
    const request = {
      method: 'GET',
      headers: { Accept: MANIFEST_TYPES.join(', ') },
      limit: LIMITS.manifest,
      redirects: MAX_REDIRECTS,
    } as const;
    const name = reference.digest ?? reference.tag ?? '';
    const answer = await this.send(endpoint, loginFor, reference, name, request, PULL);
    if (answer.status !== 200) throw refusal(answer, reference);
    return verifyManifest({
      bytes: answer.body,
      contentType: answer.headers.get('content-type'),
      claimedDigest: answer.headers.get('docker-content-digest'),
      wanted: reference.digest,
    });
  }

  /** Runs `action` at the first of the registry's addresses that responds, and uses no other afterwards. */
  private async atRegistry<T>(registry: string, action: (endpoint: URL) => Promise<T>): Promise<T> {
    const known = this.answering.get(registry);
    const endpoints = known === undefined ? registryEndpoints(registry, this.options.settings?.get(registry)) : [known];
    const last = endpoints.length - 1;
    for (const [index, endpoint] of endpoints.entries()) {
      try {
        const result = await action(endpoint);
        this.answering.set(registry, endpoint);
        return result;
      } catch (error) {
        if (index === last || !isSignetError(error, ...NOT_THERE)) throw error;
      }
    }
    throw new SignetError('server-address-invalid', `the registry ${registry} has no address`);
  }

  private send(
    endpoint: URL,
    loginFor: string,
    reference: Reference,
    name: string,
    request: RegistryRequest,
    actions: readonly Action[],
  ): Promise<AuthorizedAnswer> {
    const url = new URL(endpoint);
    url.pathname = `${endpoint.pathname.replace(/\/$/, '')}/v2/${reference.path}/manifests/${name}`;
    const scope: Scope = { type: 'repository', name: reference.path, actions };
    return this.clientAt(endpoint, loginFor).send({ ...request, url }, [scope]);
  }

  private clientAt(endpoint: URL, loginFor: string): AuthorizedClient {
    const key = `${loginFor} ${endpoint.origin}`;
    const known = this.clients.get(key);
    if (known !== undefined) return known;
    const { http, login, tokens, allowed } = this.options;
    const owner = {
      ...{ registry: loginFor, endpoint },
      find: () => login(loginFor),
      ...(allowed === undefined ? {} : { allowed: allowed(loginFor) }),
    };
    const client = new AuthorizedClient({ http: http(loginFor), logins: [owner], tokens });
    this.clients.set(key, client);
    return client;
  }
}

function catalogueRefusal({ status, body, url, caller }: AuthorizedAnswer, registry: string): SignetError {
  const [first] = parseErrorBody(body);
  const said = first === undefined ? '' : `: ${first.message || first.code}`;
  const detail = { status };
  if (status === 401 || status === 403) {
    const message = `the catalogue of ${registry} is not for everyone${said}${callerNote(caller, url)}`;
    return new SignetError('unauthorized', message, { detail, next: logInStep(caller, url) });
  }
  const message = `the registry ${registry} gives no catalogue, but status ${status}${said}`;
  return new SignetError(status === 404 ? 'not-found' : 'server-error', message, { detail });
}

function refusal({ status, body, url, caller }: AuthorizedAnswer, reference: Reference): SignetError {
  const [first] = parseErrorBody(body);
  const said = first === undefined ? '' : `: ${first.message || first.code}`;
  const name = familiarReference(reference);
  const detail = { status, ...(first === undefined ? {} : { code: first.code }) };
  switch (status) {
    case 401:
      return new SignetError('unauthorized', `access to ${name} needs a login${said}${callerNote(caller, url)}`, {
        detail,
        next: logInStep(caller, url),
      });
    case 403:
      return new SignetError('forbidden', `access to ${name} is denied${said}${callerNote(caller, url)}`, { detail });
    case 404:
      return new SignetError('not-found', `manifest for ${name} not found${said}`, { detail });
    default:
      return new SignetError(
        'server-error',
        `the registry ${reference.registry} answers with status ${status}${said}`,
        {
          detail,
        },
      );
  }
}
