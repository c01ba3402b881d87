import type { Action, Scope } from '../core/scope.ts';
import type { BodyBound, Call } from './call.ts';
import { AuthorizationRequired } from './gate.ts';
import type { NamedPath } from './path.ts';

/** One line of the table: what answers a method on a form of path. */
export type Route<Services = unknown, Name extends string = string> = PlainRoute<Services> | NamedRoute<Services, Name>;

/** A route with a path of its own. */
interface PlainRoute<Services> extends RouteBase<Services, string> {
  /** The whole path, as it stands in the request. */
  readonly path: `/${string}`;
  /** What the caller must be allowed to do; nothing if absent. */
  readonly scope?: Scope;
}

/** A route below the name of a repository. */
export interface NamedRoute<Services, Name extends string> extends RouteBase<Services, Name> {
  /** What follows the name. The path must match from its beginning to its end. */
  readonly path: RegExp;
  /** What the caller must be allowed to do with the repository. */
  readonly actions: readonly Action[];
  /** The name as the services know it. Throws for one that is not served, before the caller's permission is looked at. */
  parseName(services: Services, text: string): Name;
  /** What else serves the request but is not required: a challenge names it, so that the client asks for one token. */
  wishes?(url: URL, name: Name): readonly Scope[];
}

interface RouteBase<Services, Name extends string> {
  readonly method: Method;
  /** The body that it takes, if not that of its group. */
  readonly body?: BodyBound;
  /** Its name in the metrics of its group. */
  readonly operation?: string;
  /** Whether it begins, or continues, what takes several requests: a server that stops lets that come to its end. */
  readonly step?: 'begins' | 'continues';
  answer(services: Services, call: Call<Name>): Promise<Response>;
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Routes that belong together, and what all of them share. */
export interface RouteGroup<Services = unknown, Name extends string = string> {
  /** Label of its metrics. */
  readonly name: string;
  /**
   * Who is let in: `gate` finds out for each request what its caller may do, `open` lets everyone in. So does `probe`, for
   * machines that know no name of this server: the Host header is not looked at, and the server is never too busy.
   */
  readonly access: 'gate' | 'open' | 'probe';
  readonly body: BodyBound;
  readonly services: Services;
  readonly routes: readonly Route<Services, Name>[];
  /** Whose the paths below a name are that its routes answer; undefined if all its routes have a path of their own. */
  readonly names?: NamedPath['service'];
  /** Answers what has no route; undefined for what is not found. */
  unmatched?(call: Call, match: Match): Promise<Response | undefined>;
  /** The answer to an error of one of its routes; undefined for one that the server around it answers. */
  errorResponse?(error: unknown, call: Call): Response | undefined;
  /** Told of every answer of a route with an `operation` to a caller that was let in, and how many milliseconds it took. */
  observe?(operation: string, status: number, milliseconds: number): void;
}

/** What the table has for a request. */
export interface Match {
  readonly group: RouteGroup;
  /** Undefined if no route has both the path and the method. */
  readonly route: Route | undefined;
  /** The name in the path as it is written, undefined if there is none. */
  readonly name: string | undefined;
  /** The groups of the route's path. */
  readonly groups: readonly string[];
  /** If there is no route: the methods that have one on this path, none if the path has no route at all. */
  readonly methods: readonly string[];
}

/**
 * Requires what the route does of the caller; returns the name in the path as the services know it. Throws
 * `AuthorizationRequired`, and what `parseName` throws.
 */
export async function authorize(route: Route, services: unknown, { url, gate, name: text }: Call): Promise<string> {
  if (!('actions' in route)) {
    if (route.scope !== undefined) await gate.require(route.scope);
    return text;
  }
  const name = route.parseName(services, text);
  try {
    await gate.require({ type: 'repository', name, actions: route.actions });
  } catch (error) {
    const wishes = route.wishes?.(url, name) ?? [];
    if (wishes.length === 0 || !(error instanceof AuthorizationRequired)) throw error;
    throw new AuthorizationRequired([...error.wanted, ...wishes], error.reason);
  }
  return name;
}
