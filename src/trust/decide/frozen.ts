import { isSignetError, SignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import { type JsonValue, parseJson } from '../../core/json/parse.ts';
import { type Digest, parseDigest } from '../../core/names/digest.ts';
import {
  formatReference,
  isTag,
  looksLikeDockerHub,
  parseReference,
  type Reference,
} from '../../core/names/reference.ts';
import { quoted, visible } from '../../core/printable.ts';
import { formatTime, HOUR, type Instant, parseTime } from '../../core/time.ts';

/**
 * Tags that mean these digests, whatever any trust server says, until the list ends: what someone verified before the server
 * that signed it was gone.
 */
export interface FrozenList {
  /** The file, as a person finds it. */
  readonly path: string;
  readonly until: Instant;
  /** By name without tag, written in full: `docker.io/library/alpine`. */
  readonly images: ReadonlyMap<string, FrozenImage>;
}

interface FrozenImage {
  readonly tags: ReadonlyMap<string, Digest>;
  /** Digest of the file of the copy that shows it (docs/export-format.md). */
  readonly evidence: Digest;
  /** When the copy was made. */
  readonly read: Instant;
}

const FORMAT = 'signet-frozen-1';
/** How far behind the clock of a machine may be that reads a list of another one. */
const SKEW = HOUR;

/** The file of a list, for people to read and to review. */
export function formatFrozen({ until, images }: Omit<FrozenList, 'path'>): Buffer {
  const sorted = [...images].sort(([one], [other]) => (one < other ? -1 : 1));
  const members = sorted.map(([name, { tags, evidence, read }]) => [
    name,
    { evidence, read: formatTime(read), tags: Object.fromEntries([...tags].sort(([a], [b]) => (a < b ? -1 : 1))) },
  ]);
  const value = { format: FORMAT, until: formatTime(until), images: Object.fromEntries(members) };
  return Buffer.from(`${visible(JSON.stringify(value, undefined, 2))}\n`);
}

/**
 * Reads the file of a list. Throws `configuration-invalid`, with its path; also for what no one can have read at `now`, and
 * for names that would never be asked for.
 */
export function parseFrozen(bytes: Uint8Array, path: string, now: Instant): FrozenList {
  try {
    const fields = new Fields(parseJson(bytes), 'the list', ['format', 'until', 'images'], 'refuse');
    if (fields.string('format') !== FORMAT) throw new SignetError('json-unexpected', `its format is not ${FORMAT}`);
    const images = [...fields.map('images')].map(([name, value]) => {
      const image = readImage(name, value);
      checkFreezable(name, image.read, now);
      return [name, image] as const;
    });
    return { path, until: parseTime(fields.string('until')), images: new Map(images) };
  } catch (cause) {
    if (!isSignetError(cause)) throw cause;
    throw new SignetError('configuration-invalid', `${path}: ${cause.message}`, {
      cause,
      next: 'Write it again: signet trust adopt --freeze FILE',
    });
  }
}

/**
 * Whether a list may have a repository: under the full name that docker prints, with one writing for each host, from a copy
 * that was made by `now`. Throws `name-invalid` or `time-invalid`.
 */
export function checkFreezable(name: string, read: Instant, now: Instant): void {
  const { registry, path } = parseReference(name);
  const isFull = formatReference({ registry, path, tag: undefined, digest: undefined }) === name;
  if (!isFull || registry !== registry.toLowerCase() || looksLikeDockerHub(registry)) {
    throw new SignetError(
      'name-invalid',
      `${quoted(name, 300)} is not the full name of a repository, with its host in lower case`,
    );
  }
  if (read > now + SKEW) {
    throw new SignetError('time-invalid', `${name} was read at ${formatTime(read)}, which is not yet`);
  }
}

/** What the list says of a reference's repository; undefined if it does not have it. */
export function frozenImage(list: FrozenList | undefined, { registry, path }: Reference): FrozenImage | undefined {
  return list?.images.get(`${registry}/${path}`);
}

/** Throws `frozen-expired` after the end of a list. */
export function checkNotEnded(list: FrozenList, asked: Reference, now: Instant): void {
  if (now <= list.until) return;
  throw new SignetError('frozen-expired', `${formatReference(asked)} was frozen until ${formatTime(list.until)}`, {
    detail: { path: list.path, until: formatTime(list.until) },
  });
}

function readImage(name: string, value: JsonValue): FrozenImage {
  const fields = new Fields(value, quoted(name, 300), ['tags', 'evidence', 'read'], 'refuse');
  const tags = [...fields.map('tags')].map(([tag, digest]) => {
    if (!isTag(tag)) throw new SignetError('name-invalid', `${quoted(tag, 200)} is not a tag`);
    if (typeof digest !== 'string') throw new SignetError('json-unexpected', `${tag} has no digest`);
    return [tag, parseDigest(digest)] as const;
  });
  return {
    tags: new Map(tags),
    evidence: parseDigest(fields.string('evidence')),
    read: parseTime(fields.string('read')),
  };
}
