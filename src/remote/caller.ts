/** As whom a server was asked. */
export interface Caller {
  /** The name of the user whose login was used: empty where an identity token says it, undefined without a login. */
  readonly user: string | undefined;
  /** The registry or trust server that the login is stored for. */
  readonly registry: string | undefined;
  /** The registry whose login was not sent, because the server is not that registry's. */
  readonly withheld: string | undefined;
}

export const STRANGER: Caller = { user: undefined, registry: undefined, withheld: undefined };

/**
 * What a refusal says of the login, to be put behind the server's own words. Nothing where no login was used and none was
 * held back: the words are then docker's alone.
 */
export function whoAsked({ user, registry, withheld }: Caller, server: URL): string {
  if (withheld !== undefined) {
    return `: ${server.host} wants a login of its own (the one for ${withheld} is not sent there): signet login ${server.host}`;
  }
  if (user === undefined) return '';
  return user === '' ? ` (with the login for ${registry})` : ` (as ${user}, with the login for ${registry})`;
}

/** The next step after a refusal. */
export function logInStep({ user, registry }: Caller, server: URL): string {
  return user === undefined
    ? `Log in first: signet login ${server.host}`
    : `Ask for access, or log in as another user: signet login ${registry}`;
}
