import { type Instant, SECOND } from '../../core/time.ts';
import { type Collector, family } from './metrics.ts';

/** Memory, processor time and start of this process, under Prometheus' usual names. */
export function processMetrics(started: Instant): Collector {
  return () => {
    const { user, system } = process.cpuUsage();
    return [
      ...family('process_resident_memory_bytes', 'gauge', 'Resident memory', [` ${process.memoryUsage.rss()}`]),
      ...family('process_cpu_seconds_total', 'counter', 'Processor time', [` ${(user + system) / 1e6}`]),
      ...family('process_start_time_seconds', 'gauge', 'When the server started', [` ${started / SECOND}`]),
    ];
  };
}
