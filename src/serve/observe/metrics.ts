/** Upper bounds of the duration histogram, in seconds. */
const BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Further metrics, in the text format. */
export type Collector = () => readonly string[];

/** What happened to one request. */
interface Measured {
  readonly part: string;
  readonly method: string;
  readonly status: number;
  /** Until the answer began, in seconds. */
  readonly seconds: number;
  /** Declared lengths of the bodies; 0 where not known. */
  readonly received: number;
  readonly sent: number;
}

interface PartTotals {
  readonly buckets: number[];
  seconds: number;
  requests: number;
  received: number;
  sent: number;
}

/** Counts requests, for Prometheus (text format 0.0.4). Labels are closed sets, so that clients cannot make it grow. */
export class Metrics {
  private readonly requests = new Map<string, number>();
  private readonly parts = new Map<string, PartTotals>();
  private readonly collectors: Collector[] = [];
  private inFlight = 0;

  /** Requests that have begun and not ended. */
  get running(): number {
    return this.inFlight;
  }

  add(collector: Collector): void {
    this.collectors.push(collector);
  }

  begin(): void {
    this.inFlight++;
  }

  end({ part, method, status, seconds, received, sent }: Measured): void {
    this.inFlight--;
    const labels = `part="${part}",method="${METHODS.has(method) ? method : 'other'}",status="${status}"`;
    this.requests.set(labels, (this.requests.get(labels) ?? 0) + 1);
    const totals = this.totalsOf(part);
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    const index = bucket < 0 ? BOUNDS.length : bucket;
    totals.buckets[index] = (totals.buckets[index] ?? 0) + 1;
    totals.seconds += seconds;
    totals.requests++;
    totals.received += received;
    totals.sent += sent;
  }

  /** The text of `/metrics`. */
  text(): string {
    const parts = [...this.parts].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...family('signet_http_requests_total', 'counter', 'Requests answered', counts(this.requests)),
      ...family(
        'signet_http_request_duration_seconds',
        'histogram',
        'Time until the answer began',
        parts.flatMap(([part, totals]) => histogram(part, totals)),
      ),
      ...family(
        'signet_http_received_bytes_total',
        'counter',
        'Declared bytes of request bodies',
        parts.map(([part, { received }]) => `{part="${part}"} ${received}`),
      ),
      ...family(
        'signet_http_sent_bytes_total',
        'counter',
        'Declared bytes of response bodies',
        parts.map(([part, { sent }]) => `{part="${part}"} ${sent}`),
      ),
      ...family('signet_http_requests_in_flight', 'gauge', 'Requests in progress', [` ${this.inFlight}`]),
      ...this.collectors.flatMap((collect) => collect()),
      '',
    ].join('\n');
  }

  private totalsOf(part: string): PartTotals {
    const known = this.parts.get(part);
    if (known !== undefined) return known;
    const buckets = Array<number>(BOUNDS.length + 1).fill(0);
    const totals = { buckets, seconds: 0, requests: 0, received: 0, sent: 0 };
    this.parts.set(part, totals);
    return totals;
  }
}

function counts(values: ReadonlyMap<string, number>): readonly string[] {
  return [...values].map(([labels, count]) => `{${labels}} ${count}`).sort();
}

function histogram(part: string, { buckets, seconds, requests }: PartTotals): readonly string[] {
  let sum = 0;
  const lines = [...BOUNDS, '+Inf'].map((bound, index) => {
    sum += buckets[index] ?? 0;
    return `_bucket{part="${part}",le="${bound}"} ${sum}`;
  });
  return [...lines, `_sum{part="${part}"} ${seconds}`, `_count{part="${part}"} ${requests}`];
}

/** The lines of one metric; each sample begins with what follows the metric's name. */
export function family(name: string, type: string, help: string, samples: readonly string[]): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`)];
}
