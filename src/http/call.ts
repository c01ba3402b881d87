import type { Gate } from './gate.ts';

/** What a route takes of a body. */
export interface BodyBound {
  /** Longest body, in bytes. */
  readonly limit: number;
  /** How much of it is in memory at most, in bytes: 0 if it is only passed on. */
  readonly memory: number;
}

/** One request, and all that its handler is given. */
export interface Call<Name extends string = string> {
  readonly request: Request;
  readonly url: URL;
  /** IP address of the client. */
  readonly address: string;
  readonly gate: Gate;
  /** The repository or GUN that the path names; empty if the route's path names none. */
  readonly name: Name;
  /** The groups of the route's path. */
  readonly groups: readonly string[];
  /** What the route takes of a body. */
  readonly body: BodyBound;
  /** Counts bytes of a body that are about to be kept in memory. Throws if there is no room for them. */
  keep(bytes: number): void;
}
