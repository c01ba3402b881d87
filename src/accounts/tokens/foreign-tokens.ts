import { createHash, X509Certificate } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify, type ProtectedHeaderParameters } from 'jose';
import type { Scope } from '../../core/scope.ts';
import { type Instant, SECOND } from '../../core/time.ts';
import { BoundedMap } from '../login/bounded-map.ts';
import { isScope } from './access-claims.ts';
import { type IssuerKey, libtrustFingerprint } from './issuer-keys.ts';

/** Another issuer whose tokens are taken, as a notary-server is told of it (protocol B.4). */
export interface TokenIssuer {
  /** `iss` of its tokens. */
  readonly issuer: string;
  /** `aud` of its tokens, and the service of the challenge. */
  readonly service: string;
  /** Where clients get its tokens. */
  readonly realm: string;
  readonly keys: readonly IssuerKey[];
}

interface ForeignClaims {
  /**
   * `ISSUER#USER`, the user's name as the issuer has it: the `#` keeps it apart from every name of a user here. Undefined for
   * an anonymous token.
   */
  readonly subject: string | undefined;
  readonly access: readonly Scope[];
  readonly expires: Instant;
}

/** Clocks may differ by so much, in seconds, as with Notary. */
const LEEWAY = 60;
const MAX_TOKEN = 16 * 1024;
const MAX_SUBJECT = 255;
/** Verified tokens that are remembered. */
const CAPACITY = 10_000;

/**
 * Verifies tokens of another issuer: JWTs of docker's token protocol. What they may do stands in them alone; Signet does not
 * know their users, and an issuer that takes something back does so by short lives of its tokens. They count for repositories
 * alone: the catalogue and the metrics of this server are for its own administrators.
 */
export class ForeignTokens {
  private readonly issuer: TokenIssuer;
  private readonly now: () => Instant;
  private readonly verified = new BoundedMap<string, ForeignClaims>(CAPACITY);

  constructor(issuer: TokenIssuer, now: () => Instant) {
    this.issuer = issuer;
    this.now = now;
  }

  /** What a token says, undefined if it is not a valid one of the issuer. */
  async verify(token: string): Promise<ForeignClaims | undefined> {
    if (token.length > MAX_TOKEN) return undefined;
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.verified.get(digest);
    if (known !== undefined) return known.expires > this.now() ? known : undefined;
    try {
      const claims = await this.read(token);
      if (claims !== undefined) this.verified.set(digest, claims);
      return claims;
    } catch (error) {
      if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
      throw error;
    }
  }

  private async read(token: string): Promise<ForeignClaims | undefined> {
    const chosen = this.keyOf(decodeProtectedHeader(token));
    if (chosen === undefined) return undefined;
    const { issuer, service } = this.issuer;
    const { payload } = await jwtVerify(token, chosen.key, {
      algorithms: [chosen.algorithm],
      issuer,
      audience: service,
      requiredClaims: ['exp'],
      clockTolerance: LEEWAY,
      currentDate: new Date(this.now()),
    });
    const { sub = '', exp = 0, access = [] } = payload;
    if (!Array.isArray(access) || !access.every(isScope) || sub.length > MAX_SUBJECT) return undefined;
    const repositories = access.filter(({ type }) => type === 'repository');
    return {
      subject: sub === '' ? undefined : `${issuer}#${sub}`,
      access: repositories,
      expires: (exp + LEEWAY) * SECOND,
    };
  }

  /** The key that the header names: by a certificate of its own, by its ID, or the only one if it names none. */
  private keyOf({ x5c, kid }: ProtectedHeaderParameters): IssuerKey | undefined {
    const { keys } = this.issuer;
    const [leaf] = x5c ?? [];
    const name = leaf === undefined ? kid : fingerprintOf(leaf);
    if (name !== undefined) return keys.find(({ ids }) => ids.includes(name));
    return keys.length === 1 ? keys[0] : undefined;
  }
}

/** Throws a TypeError for what is no certificate. */
function fingerprintOf(der: string): string {
  try {
    return libtrustFingerprint(new X509Certificate(Buffer.from(der, 'base64')).publicKey);
  } catch (cause) {
    throw new TypeError('the token has no certificate where it should', { cause });
  }
}
