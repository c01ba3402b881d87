import { printable } from '../../core/printable.ts';

/** Whose login a request was sent with. */
export interface Caller {
  /** The name of the user whose login was used: empty if it is part of an identity token, undefined without a login. */
  readonly user: string | undefined;
  /** The registry or trust server that the login is stored for. */
  readonly registry: string | undefined;
  /** The environment variable that the login came from; undefined if it is stored. */
  readonly source: string | undefined;
  /** The registry whose login was withheld, because the server is not one of the registry's. */
  readonly withheld: string | undefined;
  /** Why the server's own login was not available; absent if there is none, or if it was used. */
  readonly trouble?: string;
}

export const ANONYMOUS: Caller = { user: undefined, registry: undefined, source: undefined, withheld: undefined };

/**
 * What a refusal says about the login, appended to the server's message. Empty if no login was used and none was
 * withheld: the message is then docker's alone.
 */
export function callerNote({ user, registry, source, withheld, trouble }: Caller, server: URL): string {
  if (withheld !== undefined && trouble === undefined) {
    return `: ${server.host} wants a login of its own (the one for ${withheld} is not sent there): signet login ${server.host}`;
  }
  if (user === undefined) return trouble === undefined ? '' : `: ${trouble}`;
  const login = source === undefined ? `with the login for ${registry}` : `with the login that ${source} gives`;
  return user === '' ? ` (${login})` : ` (as ${printable(user)}, ${login})`;
}

/** The next step after a refusal. `isLoginWrong`: the login itself was rejected, regardless of the request. */
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
