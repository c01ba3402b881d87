import { printable } from '../../core/printable.ts';

/** As whom a server was asked. */
export interface Caller {
  /** The name of the user whose login was used: empty if an identity token says it, undefined without a login. */
  readonly user: string | undefined;
  /** The registry or trust server that the login is stored for. */
  readonly registry: string | undefined;
  /** The variable of the environment that gave the login; undefined if it is stored. */
  readonly source: string | undefined;
  /** The registry whose login was not sent, because the server is not that registry's. */
  readonly withheld: string | undefined;
  /** Why the server's own login could not be had; absent if there is none, or if it was used. */
  readonly trouble?: string;
}

export const STRANGER: Caller = { user: undefined, registry: undefined, source: undefined, withheld: undefined };

/**
 * What a refusal says of the login, to be put behind the server's own words. Nothing if no login was used and none
 * was held back: the words are then docker's alone.
 */
export function whoAsked({ user, registry, source, withheld, trouble }: Caller, server: URL): string {
  if (withheld !== undefined && trouble === undefined) {
    return `: ${server.host} wants a login of its own (the one for ${withheld} is not sent there): signet login ${server.host}`;
  }
  if (user === undefined) return trouble === undefined ? '' : `: ${trouble}`;
  const login = source === undefined ? `with the login for ${registry}` : `with the login that ${source} gives`;
  return user === '' ? ` (${login})` : ` (as ${printable(user)}, ${login})`;
}

/** The next step after a refusal. `isLoginWrong`: the login itself was not accepted, whatever was asked for. */
export function logInStep({ user, registry, source }: Caller, server: URL, isLoginWrong = false): string {
  if (user === undefined) return `Log in first: signet login ${server.host}`;
  if (isLoginWrong) {
    return source === undefined
      ? `Log in again: signet login ${registry}`
      : `Correct or unset ${source}: it goes before what signet login stores.`;
  }
  return source === undefined
    ? `Ask for access, or log in as another user: signet login ${registry}`
    : `Ask for access, or correct or unset ${source}: it goes before what signet login stores.`;
}
