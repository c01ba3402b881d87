import { isSignetError } from '../../core/errors/index.ts';
import { Fields } from '../../core/json/fields.ts';
import type { JsonValue } from '../../core/json/parse.ts';
import { type Digest, parseDigest } from '../../core/names/digest.ts';
import { type Gun, parseGun } from '../../core/names/gun.ts';
import { formatTime, type Instant, parseTime } from '../../core/time.ts';

/** Whose signatures an adopted tag rests on. It is stored in the target's custom data, and so signed with the tag. */
export interface Adoption {
  /** The collection that was verified. */
  readonly gun: Gun;
  /** Origin of the trust server that it was read from. Undefined for a client's cache. */
  readonly server: string | undefined;
  readonly read: Instant;
  /** Digest of the copy file that proves it (docs/export-format.md). */
  readonly evidence: Digest;
}

/** The member of a target's custom data. Clients that do not know it ignore it. */
const MEMBER = 'signet.adopted';

/** The custom data of an adopted tag. */
export function adoptionJson({ gun, server, read, evidence }: Adoption): JsonValue {
  const about: [string, JsonValue][] = [
    ['evidence', evidence],
    ['gun', gun],
    ['read', formatTime(read)],
    ...(server === undefined ? [] : ([['server', server]] as [string, JsonValue][])),
  ];
  return new Map([[MEMBER, new Map(about)]]);
}

/** Parses `adoptionJson`. Undefined for a tag that was not adopted, or if the data does not have this form. */
export function readAdoption(custom: JsonValue | undefined): Adoption | undefined {
  const member = custom instanceof Map ? (custom as ReadonlyMap<string, JsonValue>).get(MEMBER) : undefined;
  if (member === undefined) return undefined;
  try {
    const fields = new Fields(member, 'an adoption', ['evidence', 'gun', 'read', 'server'], 'ignore');
    const server = fields.optionalString('server');
    return {
      gun: parseGun(fields.string('gun')),
      server: server !== undefined && URL.canParse(server) ? new URL(server).origin : undefined,
      read: parseTime(fields.string('read')),
      evidence: parseDigest(fields.string('evidence')),
    };
  } catch (error) {
    if (isSignetError(error)) return undefined;
    throw error;
  }
}
