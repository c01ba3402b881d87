import { family } from './metrics.ts';

interface Totals {
  requests: number;
  microseconds: number;
}

/** Counts of the trust server's operations, under the names that Notary's server gives them (protocol B.11). */
export class NotaryMetrics {
  private readonly requests = new Map<string, number>();
  private readonly operations = new Map<string, Totals>();

  observe(operation: string, status: number, milliseconds: number): void {
    const labels = `code="${status}",operation="${operation}"`;
    this.requests.set(labels, (this.requests.get(labels) ?? 0) + 1);
    const totals = this.operations.get(operation) ?? { requests: 0, microseconds: 0 };
    totals.requests++;
    totals.microseconds += milliseconds * 1000;
    this.operations.set(operation, totals);
  }

  lines(): readonly string[] {
    const counts = [...this.requests].map(([labels, count]) => `{${labels}} ${count}`).sort();
    const durations = [...this.operations]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([operation, { requests, microseconds }]) => [
        `_sum{operation="${operation}"} ${microseconds}`,
        `_count{operation="${operation}"} ${requests}`,
      ]);
    return [
      ...family('notary_server_http_requests_total', 'counter', 'Requests to the trust server', counts),
      ...family(
        'notary_server_http_request_duration_microseconds',
        'summary',
        'Time until the answer began',
        durations,
      ),
    ];
  }
}
