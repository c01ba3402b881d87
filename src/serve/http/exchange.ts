import type { BodyBound, Call } from '../../http/call.ts';
import { type Gate, OPEN_GATE } from '../../http/gate.ts';
import type { Match } from '../../http/route.ts';
import type { Share } from './shares.ts';

/** Stands for the host of a request without a usable Host header; such a request is refused, and logged. */
const NO_HOST = 'http://invalid';
/** Stands for a URL that cannot be parsed; `checkPath` refuses it. */
const NO_URL = new URL('http://invalid//');
const NO_BODY: BodyBound = { limit: 0, memory: 0 };

/** One request while it is answered. What is found out about it is added on the way, and is what its handler is given. */
export class HttpExchange implements Call {
  readonly id: string;
  readonly request: Request;
  readonly url: URL;
  readonly address: string;
  /** By a clock that is never set, in milliseconds. */
  readonly start = performance.now();
  /** The Host header in lower case, once it is known to be this server's. */
  host: string | undefined;
  match: Match | undefined;
  /** What it holds of what its network may have; undefined for probes. */
  share: Share | undefined;
  gate: Gate = OPEN_GATE;
  name = '';
  groups: readonly string[] = [];
  body = NO_BODY;
  /** How far it came: errors from `routed` on are for the group of its route, answers to `admitted` ones for its metrics. */
  stage: 'received' | 'routed' | 'admitted' = 'received';

  constructor(id: string, request: Request, address: string) {
    this.id = id;
    this.request = request;
    this.url = URL.parse(request.url, NO_HOST) ?? NO_URL;
    this.address = address;
  }

  keep(bytes: number): void {
    this.share?.keep(bytes);
  }
}
