import { describe, expect, test } from 'bun:test';
import { Metrics } from '../../../src/serve/observe/metrics.ts';
import { NotaryMetrics } from '../../../src/serve/observe/notary-metrics.ts';

const REQUEST = { part: 'trust', method: 'GET', status: 200, seconds: 0.003, received: 0, sent: 10 };

test('the text is what Prometheus reads, to the byte', () => {
  const metrics = new Metrics();
  metrics.begin();
  metrics.begin();
  metrics.begin();
  metrics.end(REQUEST);
  metrics.end({ ...REQUEST, method: 'POST', status: 400, seconds: 120, received: 7 });
  metrics.add(() => ['extra 1']);
  expect(metrics.text()).toBe(`# HELP signet_http_requests_total Requests answered
# TYPE signet_http_requests_total counter
signet_http_requests_total{part="trust",method="GET",status="200"} 1
signet_http_requests_total{part="trust",method="POST",status="400"} 1
# HELP signet_http_request_duration_seconds Time until the answer began
# TYPE signet_http_request_duration_seconds histogram
signet_http_request_duration_seconds_bucket{part="trust",le="0.001"} 0
signet_http_request_duration_seconds_bucket{part="trust",le="0.005"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="0.025"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="0.1"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="0.5"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="2.5"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="10"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="60"} 1
signet_http_request_duration_seconds_bucket{part="trust",le="+Inf"} 2
signet_http_request_duration_seconds_sum{part="trust"} 120.003
signet_http_request_duration_seconds_count{part="trust"} 2
# HELP signet_http_received_bytes_total Declared bytes of request bodies
# TYPE signet_http_received_bytes_total counter
signet_http_received_bytes_total{part="trust"} 7
# HELP signet_http_sent_bytes_total Declared bytes of response bodies
# TYPE signet_http_sent_bytes_total counter
signet_http_sent_bytes_total{part="trust"} 20
# HELP signet_http_requests_in_flight Requests in progress
# TYPE signet_http_requests_in_flight gauge
signet_http_requests_in_flight 1
extra 1
`);
  expect(metrics.running).toBe(1);
});

describe('labels', () => {
  test('do not grow with methods that clients invent', () => {
    const metrics = new Metrics();
    for (const method of ['BREW', 'TRACE', 'PROPFIND"}']) {
      metrics.begin();
      metrics.end({ ...REQUEST, method });
    }
    expect(metrics.text()).toContain('signet_http_requests_total{part="trust",method="other",status="200"} 3\n');
    expect(metrics.text()).not.toContain('PROPFIND');
  });
});

test('the operations of the trust server are counted under the names of Notary', () => {
  const metrics = new NotaryMetrics();
  metrics.observe('GetRole', 200, 1.5);
  metrics.observe('GetRole', 404, 0.5);
  metrics.observe('UpdateTUF', 200, 20);
  expect(metrics.lines()).toEqual([
    '# HELP notary_server_http_requests_total Requests to the trust server',
    '# TYPE notary_server_http_requests_total counter',
    'notary_server_http_requests_total{code="200",operation="GetRole"} 1',
    'notary_server_http_requests_total{code="200",operation="UpdateTUF"} 1',
    'notary_server_http_requests_total{code="404",operation="GetRole"} 1',
    '# HELP notary_server_http_request_duration_microseconds Time until the answer began',
    '# TYPE notary_server_http_request_duration_microseconds summary',
    'notary_server_http_request_duration_microseconds_sum{operation="GetRole"} 2000',
    'notary_server_http_request_duration_microseconds_count{operation="GetRole"} 2',
    'notary_server_http_request_duration_microseconds_sum{operation="UpdateTUF"} 20000',
    'notary_server_http_request_duration_microseconds_count{operation="UpdateTUF"} 1',
  ]);
});
