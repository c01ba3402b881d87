/** What the user proves to a registry or its token service who he is with. Whoever asked for it wipes it after use. */
export interface Login {
  /** Empty where the identity token says it. */
  readonly username: string;
  readonly password: Buffer;
  /** A refresh token (OAuth2) that stands in for the password; undefined where there is none. */
  readonly identityToken: Buffer | undefined;
}

export function wipe(login: Login): void {
  login.password.fill(0);
  login.identityToken?.fill(0);
}

/** The value of an `Authorization` header for Basic authentication. */
export function basicAuthorization(login: Login): string {
  const pair = Buffer.concat([Buffer.from(`${login.username}:`), login.password]);
  const text = pair.toString('base64');
  pair.fill(0);
  return `Basic ${text}`;
}
