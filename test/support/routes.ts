import type { Call } from '../../src/http/call.ts';
import { type Gate, OPEN_GATE } from '../../src/http/gate.ts';
import { parsePath } from '../../src/http/path.ts';
import { authorize, type RouteGroup } from '../../src/http/route.ts';
import { RouteTable } from '../../src/http/route-table.ts';

const UNLIMITED = { limit: Number.POSITIVE_INFINITY, memory: 0 };

/** What a handler is given for a request: by default without a name in its path, of a caller who may do everything. */
export function callOf(request: Request, changes: Partial<Call> = {}): Call {
  return {
    request,
    url: new URL(request.url),
    address: '192.0.2.1',
    gate: OPEN_GATE,
    name: '',
    groups: [],
    body: UNLIMITED,
    keep: () => {},
    ...changes,
  };
}

/**
 * The answer of one group of routes, as a server around it asks for it: `gate` stands for the caller. Undefined for a path
 * that is none of its routes'. Throws what the group leaves to the server.
 */
export async function ask(
  group: RouteGroup,
  request: Request,
  gate: Gate = OPEN_GATE,
  address = '192.0.2.1',
): Promise<Response | undefined> {
  const match = new RouteTable([group]).find(request.method, parsePath(new URL(request.url).pathname));
  if (match === undefined) return undefined;
  const { route, group: found } = match;
  const body = route?.body ?? found.body;
  const call = callOf(request, { gate, address, name: match.name ?? '', groups: match.groups, body });
  let isAdmitted = false;
  const answered = async () => {
    if (route === undefined) return found.unmatched?.(call, match);
    const name = await authorize(route, found.services, call);
    isAdmitted = true;
    return route.answer(found.services, { ...call, name });
  };
  const response = await answered().catch((error) => {
    const refusal = found.errorResponse?.(error, call);
    if (refusal === undefined) throw error;
    return refusal;
  });
  if (isAdmitted && response !== undefined && route?.operation !== undefined) {
    found.observe?.(route.operation, response.status, 1);
  }
  return response;
}
