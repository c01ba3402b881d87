/** Credentials for a registry or its token service. The caller that requested them wipes them after use. */
export interface Login {
  /** Empty if the user name is part of the identity token. */
  readonly username: string;
  readonly password: Buffer;
  /** An OAuth2 refresh token to use instead of the password, if there is one. */
  readonly identityToken: Buffer | undefined;
  /** The environment variable that the login comes from; absent if it is stored. */
  readonly source?: 'DOCKER_AUTH_CONFIG' | 'NOTARY_AUTH';
}

/** Overwrites the secrets of a login. */
export function wipe(login: Login): void {
  login.password.fill(0);
  login.identityToken?.fill(0);
}
