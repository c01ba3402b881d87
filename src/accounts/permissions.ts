import type { Action, Scope } from '../core/scope.ts';
import { ALL_ACTIONS, actionsOf, coversPath, EVERYTHING, type Pattern, parsePublicPattern } from './identity/grants.ts';
import { hostAndPath, locate, OwnHosts, type Place } from './identity/places.ts';
import type { AccountStore, User } from './store/store.ts';

export interface PermissionSettings {
  /** The `host[:port]` names under which clients reach this server. */
  readonly ownHosts: readonly string[];
  /** What everyone may pull, with or without an account: patterns, or `*` for everything. */
  readonly publicPull: readonly string[];
}

/**
 * Who may do what:
 *
 * - administrators everything; only they see the catalog;
 * - a user everything on the repositories `<name>` and `<name>/…` of this registry;
 * - everyone what was granted to them, and pull what is public;
 * - every user pull on names of other registries, since signatures on other registries' images are there to be checked.
 */
export class Permissions {
  private readonly store: AccountStore;
  private readonly ownHosts: OwnHosts;
  private readonly publicPull: readonly Pattern[];

  /** Throws `grant-invalid` for a malformed pattern. */
  constructor(store: AccountStore, settings: PermissionSettings) {
    this.store = store;
    this.ownHosts = new OwnHosts(settings.ownHosts);
    this.publicPull = settings.publicPull.map(parsePublicPattern);
  }

  /**
   * Which of the actions that `scope` asks for the user has, or everyone if `user` is undefined. A request for `*` by a
   * user who does not have it gets all actions that the user has.
   */
  async allowedActions(user: User | undefined, scope: Scope): Promise<readonly Action[]> {
    const permitted = await this.permittedActions(user, scope);
    if (!scope.actions.includes('*')) return permitted.filter((action) => scope.actions.includes(action));
    return permitted.includes('*') ? ['*'] : permitted;
  }

  private async permittedActions(user: User | undefined, { type, name }: Scope): Promise<readonly Action[]> {
    if (type === 'registry') return name === 'catalog' && user?.admin === true ? ['*'] : [];
    const place = type === 'repository' ? locate(name, this.ownHosts) : undefined;
    if (place === undefined) return [];
    if (user !== undefined && (user.admin || owns(user, place))) return ALL_ACTIONS;
    const grants = user === undefined ? [] : await this.store.grants(user.name);
    const granted = grants
      .filter(({ pattern }) => this.covers(pattern, place))
      .flatMap(({ level }) => actionsOf(level));
    const mayPull = this.publicPull.some((pattern) => this.covers(pattern, place)) || isForeignTo(user, place);
    return ALL_ACTIONS.filter((action) => granted.includes(action) || (action === 'pull' && mayPull));
  }

  private covers(pattern: Pattern, { host, path }: Place): boolean {
    if (pattern === EVERYTHING) return true;
    const area = hostAndPath(pattern);
    const areaHost = area.host !== undefined && this.ownHosts.has(area.host) ? undefined : area.host;
    return areaHost === host && coversPath(area.path, path);
  }
}

function owns(user: User, { host, path }: Place): boolean {
  return host === undefined && (path === user.name || path.startsWith(`${user.name}/`));
}

function isForeignTo(user: User | undefined, place: Place): boolean {
  return user !== undefined && place.host !== undefined;
}
