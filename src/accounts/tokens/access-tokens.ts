import { createHash, createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import type { Scope } from '../../core/scope.ts';
import { type Instant, SECOND } from '../../core/time.ts';
import { isUserName, type UserName } from '../identity/user-name.ts';
import { BoundedMap } from '../login/bounded-map.ts';
import type { User } from '../store/store.ts';
import { isScope } from './access-claims.ts';

interface AccessTokenSettings {
  /** `iss`: who issues the tokens. */
  readonly issuer: string;
  /** `aud`: the service that the tokens are for, as named in its challenge. */
  readonly service: string;
  /** An EC private key on P-256; the only one that tokens are verified with. */
  readonly key: KeyObject;
  /** How long an access token is valid, in seconds. */
  readonly tokenLifetime: number;
  readonly now: () => Instant;
}

/** What a valid access token says. */
interface AccessClaims {
  /** Undefined for an anonymous token. */
  readonly user: { readonly name: UserName; readonly stamp: string } | undefined;
  readonly access: readonly Scope[];
  readonly expires: Instant;
}

/** ES256 is what every verifier of docker's tokens knows (protocol B.4). Fixed: the header of a token chooses nothing. */
const ALGORITHM = 'ES256';
/** Replicas' clocks may differ by this much, in seconds. */
const CLOCK_SKEW = 30;
const MAX_TOKEN = 16 * 1024;
/** Verified tokens that are remembered: verifying takes 100 µs, a whole gate with a remembered token 10 µs. */
const CAPACITY = 10_000;

/** Issues and verifies the tokens that clients send with each request: JWTs of docker's token protocol (protocol F.4). */
export class AccessTokens {
  private readonly settings: AccessTokenSettings;
  private readonly publicKey: KeyObject;
  private readonly verified = new BoundedMap<string, AccessClaims>(CAPACITY);

  constructor(settings: AccessTokenSettings) {
    this.settings = settings;
    this.publicKey = createPublicKey(settings.key);
  }

  /** A token for `user`, or an anonymous one, that allows `access` for as long as tokens live. */
  issue(user: User | undefined, access: readonly Scope[]): Promise<string> {
    const { issuer, service, key, tokenLifetime } = this.settings;
    const issued = seconds(this.settings.now());
    return new SignJWT({ stamp: user?.stamp, access })
      .setProtectedHeader({ typ: 'JWT', alg: ALGORITHM })
      .setIssuer(issuer)
      .setSubject(user?.name ?? '')
      .setAudience(service)
      .setExpirationTime(issued + tokenLifetime)
      .setNotBefore(issued - CLOCK_SKEW)
      .setIssuedAt(issued)
      .setJti(randomUUID())
      .sign(key);
  }

  /** What a token says; undefined if it is not a valid token of this server. */
  async verify(token: string): Promise<AccessClaims | undefined> {
    if (token.length > MAX_TOKEN) return undefined;
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.verified.get(digest);
    if (known !== undefined) return known.expires > this.settings.now() ? known : undefined;
    const claims = await this.verifySignature(token);
    if (claims !== undefined) this.verified.set(digest, claims);
    return claims;
  }

  private async verifySignature(token: string): Promise<AccessClaims | undefined> {
    const { issuer, service, now } = this.settings;
    try {
      const { payload } = await jwtVerify(token, this.publicKey, {
        algorithms: [ALGORITHM],
        issuer,
        audience: service,
        requiredClaims: ['exp', 'nbf', 'sub'],
        currentDate: new Date(now()),
      });
      return claimsOf(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

function claimsOf({ sub, exp, stamp, access }: JWTPayload): AccessClaims | undefined {
  if (sub === undefined || exp === undefined || !Array.isArray(access) || !access.every(isScope)) return undefined;
  const expires = exp * SECOND;
  if (sub === '') return { user: undefined, access, expires };
  return isUserName(sub) && typeof stamp === 'string' ? { user: { name: sub, stamp }, access, expires } : undefined;
}

function seconds(instant: Instant): number {
  return Math.floor(instant / SECOND);
}
