import { SignetError } from '../errors/index.ts';
import { printable } from '../printable.ts';
import { type Digest, isDigest } from './digest.ts';
import { type Gun, parseGun } from './gun.ts';

/** The registry of names without one. */
export const DOCKER_HUB = 'docker.io';

const HUB_HOST = /^(?:index\.)?docker\.io(?::|$)/i;

/**
 * Whether a registry is written like Docker Hub, but is another one to docker: `DOCKER.IO`, `docker.io:443`. What settings say
 * of it would never apply to Docker Hub's images.
 */
export function looksLikeDockerHub(registry: string): boolean {
  return registry !== DOCKER_HUB && HUB_HOST.test(registry);
}

/** The tag of references without tag and digest. */
export const DEFAULT_TAG = 'latest';

/**
 * A normalised image reference: `docker.io/library/alpine:3.20@sha256:…`.
 *
 * @example
 * ```ts
 * import { parseReference, type Reference } from 'signet';
 *
 * const reference: Reference = parseReference('alpine');
 * assert.deepEqual([reference.registry, reference.path, reference.tag], ['docker.io', 'library/alpine', undefined]);
 * ```
 */
export interface Reference {
  /** Registry host, with its port if one is given. */
  readonly registry: string;
  /** The repository's path inside the registry, such as `library/alpine`. */
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/;
const HOST =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const BARE_ID = /^[0-9a-f]{64}$/;
const MAX_NAME = 255;

/**
 * Parses an image name as docker does (protocol D.2): the default registry is Docker Hub, whose single-word paths are
 * below `library/`. Tag and digest stay undefined if they are not given. Throws `reference-invalid`.
 *
 * @example
 * ```ts
 * import { parseReference } from 'signet';
 *
 * const { registry, path, tag } = parseReference('registry.example.com/team/app:1.0');
 * assert.deepEqual([registry, path, tag], ['registry.example.com', 'team/app', '1.0']);
 * ```
 */
export function parseReference(text: string): Reference {
  if (BARE_ID.test(text)) {
    fail(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { name, tag, digest } = split(text);
  const { registry, path } = splitRegistry(name);
  if (path !== path.toLowerCase())
    fail(`invalid reference format: repository name (${printable(path, MAX_NAME)}) must be lowercase`);
  if (!PATH.test(path) || !HOST.test(registry)) fail('invalid reference format');
  if (tag !== undefined && !isTag(tag)) fail('invalid reference format');
  if (digest !== undefined && !isDigest(digest)) fail('invalid reference format');
  if (`${registry}/${path}`.length > MAX_NAME) fail(`repository name must not be more than ${MAX_NAME} characters`);
  return { registry, path, tag, digest };
}

/** Whether `text` is a valid tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** Whether `text` is a valid repository path inside a registry: at most 255 characters of docker's path grammar. */
export function isRepositoryPath(text: string): boolean {
  return text.length <= MAX_NAME && PATH.test(text);
}

/** Adds the tag `latest` to a reference that has neither tag nor digest. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: DEFAULT_TAG } : reference;
}

/** The reference to exactly `digest`, without a tag. */
export function atDigest(reference: Reference, digest: Digest): Reference {
  return { ...reference, tag: undefined, digest };
}

/** The GUN of the trust collection for the reference's tags. */
export function gunOf(reference: Reference): Gun {
  return parseGun(`${reference.registry}/${reference.path}`);
}

/**
 * The full name: `docker.io/library/alpine:3.20`.
 *
 * @example
 * ```ts
 * import { formatReference, parseReference } from 'signet';
 *
 * assert.equal(formatReference(parseReference('alpine:3.20')), 'docker.io/library/alpine:3.20');
 * ```
 */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.path}${suffix(reference)}`;
}

/** The name as docker displays it, without `docker.io/` and `library/`: `alpine:3.20`. */
export function familiarReference(reference: Reference): string {
  return `${familiarName(reference)}${suffix(reference)}`;
}

/** `familiarReference` without tag and digest; the full name if the short one would mean something else. */
export function familiarName({ registry, path }: Reference): string {
  const short = registry === DOCKER_HUB ? (/^library\/([^/]+)$/.exec(path)?.[1] ?? path) : undefined;
  return short === undefined || namesRegistry(short) || BARE_ID.test(short) ? `${registry}/${path}` : short;
}

/** Whether a typed name includes its registry (protocol D.2). */
export function namesRegistry(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return false;
  const first = text.slice(0, slash);
  return /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
}

function split(text: string): { name: string; tag: string | undefined; digest: string | undefined } {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  if (colon < 0 || named.indexOf('/', colon) >= 0) return { name: named, tag: undefined, digest };
  return { name: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

function splitRegistry(name: string): { registry: string; path: string } {
  if (!namesRegistry(name)) return onDockerHub(name);
  const slash = name.indexOf('/');
  const registry = name.slice(0, slash);
  const path = name.slice(slash + 1);
  return registry === DOCKER_HUB || registry === 'index.docker.io' ? onDockerHub(path) : { registry, path };
}

function onDockerHub(path: string): { registry: string; path: string } {
  return { registry: DOCKER_HUB, path: path.includes('/') ? path : `library/${path}` };
}

function suffix(reference: Reference): string {
  return `${reference.tag === undefined ? '' : `:${reference.tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}

function fail(message: string): never {
  throw new SignetError('reference-invalid', message);
}
