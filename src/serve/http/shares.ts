import { SignetError } from '../../core/errors/index.ts';

/** How much of the requests in progress one network may have, and never fewer than so many. */
const PART_OF_REQUESTS = 1 / 2;
const LEAST_REQUESTS = 16;
/** Bytes of large answers that one network may be slow to take. */
const ANSWERS = 256 * 1024 * 1024;
/** Networks that can have all of their memory at one time before the others go short. */
const FULL_NETWORKS = 4;

interface ShareLimits {
  /** Requests in progress at one time, from all networks. */
  readonly requests: number;
  /** Bytes of bodies that one network may have in memory at one time; all networks together four times as many. */
  readonly bytes: number;
}

/**
 * Divides the server among the networks that its requests come from: none has more than half of the requests in
 * progress, or more memory than the largest body takes. A network that opens many slow requests holds up only itself.
 */
export class Shares {
  private readonly mostRequests: number;
  private readonly requests = new Tally();
  private readonly bodies: Room;
  private readonly answers = new Room(ANSWERS);

  constructor({ requests, bytes }: ShareLimits) {
    this.mostRequests = Math.max(LEAST_REQUESTS, requests * PART_OF_REQUESTS);
    this.bodies = new Room(bytes);
  }

  /** Throws `network-busy` if the network has its share of requests already. */
  enter(network: string): Share {
    if (this.requests.of(network) >= this.mostRequests) throw networkBusy();
    return new Share(network, this.requests, this.bodies, this.answers);
  }
}

/** What one request holds of the share of its network. */
export class Share {
  private readonly network: string;
  private readonly requests: Tally;
  private readonly bodies: Room;
  private readonly answers: Room;
  private kept = 0;

  constructor(network: string, requests: Tally, bodies: Room, answers: Room) {
    this.network = network;
    this.requests = requests;
    this.bodies = bodies;
    this.answers = answers;
    requests.add(network, 1);
  }

  /** Counts bytes of a body, which are in memory until the request ends. Throws `network-busy` or `server-busy`. */
  keep(bytes: number): void {
    this.bodies.take(this.network, bytes);
    this.kept += bytes;
  }

  /** Counts bytes of an answer until the function that it returns is called. Throws `network-busy` or `server-busy`. */
  send(bytes: number): () => void {
    this.answers.take(this.network, bytes);
    return once(() => this.answers.free(this.network, bytes));
  }

  /** Once, when the request ends. */
  leave(): void {
    this.requests.add(this.network, -1);
    if (this.kept > 0) this.bodies.free(this.network, this.kept);
  }
}

/** Memory of which each network may have so much, and all of them together a multiple. */
class Room {
  private readonly most: number;
  private readonly taken = new Tally();
  private total = 0;

  constructor(most: number) {
    this.most = most;
  }

  take(network: string, bytes: number): void {
    if (this.taken.of(network) + bytes > this.most) throw networkBusy();
    if (this.total + bytes > this.most * FULL_NETWORKS) throw serverBusy();
    this.taken.add(network, bytes);
    this.total += bytes;
  }

  free(network: string, bytes: number): void {
    this.taken.add(network, -bytes);
    this.total -= bytes;
  }
}

/** A number for each network, forgotten if it is zero. */
class Tally {
  private readonly numbers = new Map<string, number>();

  of(network: string): number {
    return this.numbers.get(network) ?? 0;
  }

  add(network: string, number: number): void {
    const sum = this.of(network) + number;
    if (sum === 0) this.numbers.delete(network);
    else this.numbers.set(network, sum);
  }
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) run();
    isDone = true;
  };
}

/** The answer to what is more than the server can work on at one time. */
export function serverBusy(): SignetError {
  return new SignetError('server-busy', 'the server is busy, try again soon', { detail: { retryAfter: 1 } });
}

function networkBusy(): SignetError {
  return new SignetError('network-busy', 'too much at once from your network, try again soon', {
    detail: { retryAfter: 1 },
  });
}
