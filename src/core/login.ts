/** What a user proves to a registry, or to its token service, who he is with. Whoever asked for it wipes it after use. */
export interface Login {
  /** Empty if the identity token says it. */
  readonly username: string;
  readonly password: Buffer;
  /** An OAuth2 refresh token that stands in for the password; undefined if there is none. */
  readonly identityToken: Buffer | undefined;
  /** The variable of the environment that gives it; absent if it is stored. */
  readonly source?: 'DOCKER_AUTH_CONFIG' | 'NOTARY_AUTH';
}

/** Overwrites the secrets of a login. */
export function wipe(login: Login): void {
  login.password.fill(0);
  login.identityToken?.fill(0);
}
