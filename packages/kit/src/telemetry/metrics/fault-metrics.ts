import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { SeriesTable } from './series-table.ts';

export const faultMetrics = {
  faults: {
    name: 'holdfast_process_faults_total',
    type: 'counter',
    help: 'Uncaught exceptions and unhandled rejections.',
    labels: { fault: '`uncaught_exception` or `unhandled_rejection`' },
    example: 'increase(holdfast_process_faults_total[1h]) > 0',
  },
  shed: {
    name: 'holdfast_shed_total',
    type: 'counter',
    help: 'Requests that were refused because the server had too much to do, by the sign of it.',
    labels: { reason: '`event_loop_delay`, `heap`, `memory`, `requests_in_progress` or `ledger_queue`' },
    example: 'sum by (reason) (rate(holdfast_shed_total[5m]))',
  },
  abuse: {
    name: 'holdfast_abuse_events_total',
    type: 'counter',
    help: 'What detectors of abuse found, whether or not a ban came of it.',
    labels: { detector: 'which one; never whom it found' },
    example: 'sum by (detector) (increase(holdfast_abuse_events_total[1h]))',
  },
  bans: {
    name: 'holdfast_bans_total',
    type: 'counter',
    help: 'Bans that this instance made, lifted, or forgot before their end because there were too many.',
    labels: { event: '`added`, `lifted` or `evicted`', source: '`automatic` or `manual`' },
    example: 'sum by (event) (increase(holdfast_bans_total[1h]))',
  },
} as const satisfies MetricDefinitions;

const counts = (labels: object) => new SeriesTable(Object.keys(labels), () => ({ count: 0 }), 50);

/** What goes wrong in the process, and what is done to it. */
export class FaultMetrics {
  readonly #faults = counts(faultMetrics.faults.labels);
  readonly #shed = counts(faultMetrics.shed.labels);
  readonly #abuse = counts(faultMetrics.abuse.labels);
  readonly #bans = counts(faultMetrics.bans.labels);
  readonly tables = {
    [faultMetrics.faults.name]: this.#faults,
    [faultMetrics.shed.name]: this.#shed,
    [faultMetrics.abuse.name]: this.#abuse,
    [faultMetrics.bans.name]: this.#bans,
  };

  recordFault(fault: string): void {
    this.#faults.at([fault]).count++;
  }

  recordShed(reason: string): void {
    this.#shed.at([reason]).count++;
  }

  recordAbuse(detector: string): void {
    this.#abuse.at([detector]).count++;
  }

  recordBan(event: 'added' | 'lifted' | 'evicted', source: string): void {
    this.#bans.at([event, source]).count++;
  }

  expose(to: Exposition): void {
    to.counter(faultMetrics.faults, this.#faults, ({ count }) => count);
    to.counter(faultMetrics.shed, this.#shed, ({ count }) => count);
    to.counter(faultMetrics.abuse, this.#abuse, ({ count }) => count);
    to.counter(faultMetrics.bans, this.#bans, ({ count }) => count);
  }
}
