import { SignetError } from '../../core/errors/index.ts';
import type { JsonObject } from '../../core/json/parse.ts';
import { type ImagePattern, parseImagePattern } from '../../core/names/image-pattern.ts';
import { quoted } from '../../core/printable.ts';
import type { FrozenList } from './frozen.ts';

/**
 * What images need besides a signed tag.
 *
 * @example
 * ```ts
 * import { decide, digestOf, type ImageRules, parseReference } from 'signet';
 *
 * const rules: ImageRules = { digests: 'signed', exempt: [] };
 * const unsigned = parseReference(`registry.example.com/team/app@${digestOf(Buffer.from('something else'))}`);
 * const decision = await decide(unsigned, { ...client.evidence(), rules });
 * assert.equal(decision.verdict, 'unsigned-digest-refused');
 * ```
 */
export interface ImageRules {
  /**
   * What an explicit digest or image ID needs. `docker`: nothing, it identifies its content itself. `signed`: the trust
   * data of its repository must sign it.
   */
  readonly digests: DigestRule;
  readonly exempt: readonly Exemption[];
  /** Tags whose digests are set, until a date; undefined if there is no such list. */
  readonly frozen?: FrozenList | undefined;
}

type DigestRule = (typeof DIGEST_RULES)[number];
const DIGEST_RULES = ['docker', 'signed'] as const;

/** Images that may be used without a signature, and why. */
export interface Exemption {
  readonly pattern: ImagePattern;
  readonly reason: string;
}

/** Docker's own rules. */
export const DOCKERS_RULES: ImageRules = { digests: 'docker', exempt: [] };

/** Reads the member `digests` of `signet.json`. Throws `json-unexpected`. */
export function readDigestRule(text: string | undefined): DigestRule {
  const rule = text === undefined ? DOCKERS_RULES.digests : DIGEST_RULES.find((known) => known === text);
  if (rule === undefined)
    throw new SignetError('json-unexpected', `digests is ${quoted(text ?? '', 60)}, not "docker" or "signed"`);
  return rule;
}

/** Reads the member `exempt` of `signet.json`: reasons by pattern. Throws `name-invalid` or `json-unexpected`. */
export function readExemptions(members: JsonObject): readonly Exemption[] {
  return [...members].map(([pattern, reason]) => {
    if (typeof reason !== 'string' || reason.trim() === '')
      throw new SignetError(
        'json-unexpected',
        `exempt: ${quoted(pattern, 300)} has no reason; give it one in a sentence`,
      );
    return { pattern: parseImagePattern(pattern), reason };
  });
}
