import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { PerformanceObserver, constants, performance } from 'node:perf_hooks';
import process from 'node:process';
import { getHeapSpaceStatistics, getHeapStatistics } from 'node:v8';
import { systemClock, type Clock } from '../../time/index.ts';
import type { MetricDefinition, MetricDefinitions } from './definition.ts';
import { EventLoopDelay } from './event-loop-delay.ts';
import type { Exposition } from './exposition.ts';
import { createHistogram, observe } from './histogram.ts';
import { SeriesTable } from './series-table.ts';

const gauge = (name: string, help: string, example: string, more: Partial<MetricDefinition> = {}) =>
  ({ name, type: 'gauge', help, labels: {}, example, ...more }) as const;
const space = { space: "part of V8's heap" };
const onLinux = { only: 'on Linux' };

export const processMetrics = {
  cpu: {
    name: 'holdfast_process_cpu_seconds_total',
    type: 'counter',
    help: 'Processor time of the process, all threads.',
    labels: { mode: '`user` or `system`' },
    example: 'sum by (instance) (rate(holdfast_process_cpu_seconds_total[5m]))',
  },
  startTime: gauge(
    'holdfast_process_start_time_seconds',
    'When the process began, in seconds since the Unix epoch.',
    'time() - holdfast_process_start_time_seconds',
  ),
  resident: gauge(
    'holdfast_process_resident_memory_bytes',
    'Memory of the process that is in RAM.',
    'holdfast_process_resident_memory_bytes / holdfast_process_memory_limit_bytes',
  ),
  memoryLimit: gauge(
    'holdfast_process_memory_limit_bytes',
    'What the process may use: the limit of its container (cgroup), or else the memory of the machine.',
    'holdfast_process_resident_memory_bytes / holdfast_process_memory_limit_bytes > 0.9',
  ),
  openFiles: gauge(
    'holdfast_process_open_fds',
    'Open file descriptors. A model call takes two.',
    'holdfast_process_open_fds / holdfast_process_max_fds',
    onLinux,
  ),
  maxFiles: gauge(
    'holdfast_process_max_fds',
    'File descriptors that the process may open.',
    'holdfast_process_open_fds / holdfast_process_max_fds > 0.8',
    onLinux,
  ),
  loopDelay: {
    name: 'holdfast_nodejs_eventloop_delay_seconds',
    type: 'histogram',
    help: 'The turn of the event loop that a request found, on average of each second: observed once a second, and a turn that takes three seconds counts three times.',
    labels: {},
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    example: 'histogram_quantile(0.99, rate(holdfast_nodejs_eventloop_delay_seconds_bucket[5m]))',
  },
  loopActive: {
    name: 'holdfast_nodejs_eventloop_active_seconds_total',
    type: 'counter',
    help: 'Time in which the event loop ran code.',
    labels: {},
    example:
      'rate(holdfast_nodejs_eventloop_active_seconds_total[5m]) / (rate(holdfast_nodejs_eventloop_active_seconds_total[5m]) + rate(holdfast_nodejs_eventloop_idle_seconds_total[5m]))',
  },
  loopIdle: {
    name: 'holdfast_nodejs_eventloop_idle_seconds_total',
    type: 'counter',
    help: 'Time in which the event loop waited for something to do.',
    labels: {},
    example: 'rate(holdfast_nodejs_eventloop_idle_seconds_total[5m]) < 0.1',
  },
  gc: {
    name: 'holdfast_nodejs_gc_duration_seconds',
    type: 'histogram',
    help: 'Pauses for the collection of garbage.',
    labels: { kind: '`minor`, `major`, `incremental` or `weakcb`' },
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    example: 'sum by (kind) (rate(holdfast_nodejs_gc_duration_seconds_sum[5m]))',
  },
  heapUsed: gauge(
    'holdfast_nodejs_heap_size_used_bytes',
    'Of the JavaScript heap, in use.',
    'holdfast_nodejs_heap_size_used_bytes / holdfast_nodejs_heap_size_limit_bytes',
  ),
  heapTotal: gauge(
    'holdfast_nodejs_heap_size_total_bytes',
    'Of the JavaScript heap, taken from the system.',
    'holdfast_nodejs_heap_size_total_bytes',
  ),
  heapLimit: gauge(
    'holdfast_nodejs_heap_size_limit_bytes',
    'To what the JavaScript heap may grow: V8 ends the process beyond it.',
    'holdfast_nodejs_heap_size_used_bytes / holdfast_nodejs_heap_size_limit_bytes > 0.9',
  ),
  external: gauge(
    'holdfast_nodejs_external_memory_bytes',
    'Memory outside of the heap that JavaScript objects hold, such as buffers.',
    'holdfast_nodejs_external_memory_bytes',
  ),
  spaceUsed: gauge(
    'holdfast_nodejs_heap_space_size_used_bytes',
    'Of a part of the JavaScript heap, in use.',
    'sum by (space) (holdfast_nodejs_heap_space_size_used_bytes)',
    { labels: space },
  ),
  version: gauge(
    'holdfast_nodejs_version_info',
    'Always 1; the label says which Node runs.',
    'count by (version) (holdfast_nodejs_version_info)',
    {
      labels: { version: 'such as `v26.0.0`' },
    },
  ),
} as const satisfies MetricDefinitions;

const gcKinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
};

/** Process and event loop. Nothing here is reset by a scrape, so that several Prometheuses see the same. */
export class ProcessMetrics {
  readonly #clock: Clock;
  readonly #loopDelay = new SeriesTable([], () => createHistogram(processMetrics.loopDelay.buckets));
  readonly #gc = new SeriesTable(['kind'], () => createHistogram(processMetrics.gc.buckets), 10);
  readonly #startedAt: number;
  #maxFiles: Promise<number | undefined> | undefined;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    // The system's clock counts from the start of the process, a clock of a test's from wherever it likes.
    this.#startedAt = (systemClock.now() - systemClock.monotonic()) / 1_000;
    this.#loopDelay.at([]);
  }

  /** Watches event loop and garbage collection until the function that it returns is called. */
  watch(): () => void {
    const state = this.#loopDelay.at([]);
    const delay = new EventLoopDelay(this.#clock, (seconds) => void observe(state, processMetrics.loopDelay.buckets, seconds));
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { kind } = (entry as unknown as { readonly detail: { readonly kind: number } }).detail;
        observe(this.#gc.at([gcKinds[kind] ?? 'other']), processMetrics.gc.buckets, entry.duration / 1_000);
      }
    });
    observer.observe({ entryTypes: ['gc'] });
    return () => {
      delay.close();
      observer.disconnect();
    };
  }

  /** What has to be asked of the system. Anything that is not there, as on other systems than Linux, is left out. */
  async ask(): Promise<{ readonly openFiles: number | undefined; readonly maxFiles: number | undefined }> {
    if (process.platform !== 'linux') return { openFiles: undefined, maxFiles: undefined };
    this.#maxFiles ??= readMaxFiles();
    const [openFiles, maxFiles] = await Promise.all([
      // Without the one that reads them.
      readdir('/proc/self/fd').then(
        (names) => names.length - 1,
        () => undefined,
      ),
      this.#maxFiles,
    ]);
    return { openFiles, maxFiles };
  }

  expose(to: Exposition, files: Awaited<ReturnType<ProcessMetrics['ask']>>): void {
    const one = (definition: MetricDefinition, value: number | undefined): void => {
      if (value !== undefined) to.gauge(definition, [[[], value]]);
    };
    const { user, system } = process.cpuUsage();
    const { active, idle } = performance.eventLoopUtilization();
    const heap = getHeapStatistics();
    to.counted(processMetrics.cpu, [
      [['user'], user / 1e6],
      [['system'], system / 1e6],
    ]);
    one(processMetrics.startTime, this.#startedAt);
    one(processMetrics.resident, process.memoryUsage.rss());
    one(processMetrics.memoryLimit, memoryLimit());
    one(processMetrics.openFiles, files.openFiles);
    one(processMetrics.maxFiles, files.maxFiles);
    to.histogram(processMetrics.loopDelay, this.#loopDelay, (state) => state);
    to.counted(processMetrics.loopActive, [[[], active / 1_000]]);
    to.counted(processMetrics.loopIdle, [[[], idle / 1_000]]);
    to.histogram(processMetrics.gc, this.#gc, (state) => state);
    one(processMetrics.heapUsed, heap.used_heap_size);
    one(processMetrics.heapTotal, heap.total_heap_size);
    one(processMetrics.heapLimit, heap.heap_size_limit);
    one(processMetrics.external, heap.external_memory);
    to.gauge(
      processMetrics.spaceUsed,
      getHeapSpaceStatistics().map(({ space_name, space_used_size }) => [[space_name.replace(/_space$/, '')], space_used_size] as const),
    );
    to.gauge(processMetrics.version, [[[process.version], 1]]);
  }
}

/** Without a limit the kernel says 0, or a number that no machine has. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

async function readMaxFiles(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
