import type { NamedPath, ServerPath } from './path.ts';
import type { Match, NamedRoute, Route, RouteGroup } from './route.ts';

interface Entry {
  readonly group: RouteGroup;
  readonly route: Route;
}

/** All routes of a server, in one table: what is not in it is not answered. */
export class RouteTable {
  /** By path, then by method. */
  private readonly plain = new Map<string, Map<string, Entry>>();
  private readonly named = new Map<NamedPath['service'], NamedGroup>();

  constructor(groups: readonly RouteGroup[]) {
    for (const group of groups) this.add(group);
  }

  /** Finds what answers the method on the path. Undefined if the path belongs to no group. */
  find(method: string, { service, name, rest }: ServerPath): Match | undefined {
    const onPath = name === undefined ? this.plain.get(rest) : undefined;
    if (onPath !== undefined) return matchPlain(method, onPath);
    return service === undefined ? undefined : this.named.get(service)?.find(method, name, rest);
  }

  private add(group: RouteGroup): void {
    const named: NamedRoute<unknown, string>[] = [];
    for (const route of group.routes) {
      if ('actions' in route) named.push(route);
      else this.addPlain(route.path, { group, route });
    }
    if (group.names !== undefined) this.named.set(group.names, new NamedGroup(group, named));
  }

  private addPlain(path: string, entry: Entry): void {
    const onPath = this.plain.get(path) ?? new Map<string, Entry>();
    this.plain.set(path, onPath.set(entry.route.method, entry));
  }
}

/** The routes of a group below a name, by their methods. The first whose path matches answers, so their order counts. */
class NamedGroup {
  private readonly group: RouteGroup;
  private readonly routes: readonly NamedRoute<unknown, string>[];
  private readonly byMethod = new Map<string, NamedRoute<unknown, string>[]>();

  constructor(group: RouteGroup, routes: readonly NamedRoute<unknown, string>[]) {
    this.group = group;
    this.routes = routes;
    for (const route of routes) {
      this.byMethod.set(route.method, [...(this.byMethod.get(route.method) ?? []), route]);
    }
  }

  find(method: string, name: string | undefined, rest: string): Match {
    const { group } = this;
    if (name === undefined) return { group, route: undefined, name, groups: [], methods: [] };
    for (const route of this.byMethod.get(method) ?? []) {
      const found = route.path.exec(rest);
      if (found !== null) return { group, route, name, groups: found.slice(1), methods: [] };
    }
    return { group, route: undefined, name, groups: [], methods: this.methodsOn(rest) };
  }

  private methodsOn(rest: string): readonly string[] {
    return this.routes.filter(({ path }) => path.test(rest)).map(({ method }) => method);
  }
}

function matchPlain(method: string, onPath: ReadonlyMap<string, Entry>): Match | undefined {
  const entry = onPath.get(method);
  const [first] = onPath.values();
  if (first === undefined) return undefined;
  const { group, route } = entry ?? { group: first.group, route: undefined };
  return { group, route, name: undefined, groups: [], methods: route === undefined ? [...onPath.keys()] : [] };
}
