/**
 * The client of the benchmark: keeps `connections` sockets busy with one request each, over plain sockets, so that what is
 * measured is the server. Ends by itself after `seconds`. Prints one JSON line.
 *
 *   node load.ts '{"port":1234,"connections":16,"seconds":5,"headers":{},"body":{}, "warmupSeconds":1}'
 */
import { connect, type Socket } from 'node:net';

interface Job {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Paced streams: gaps between events are measured, and the connections start spread over one spacing. */
  readonly gaps?: boolean;
  readonly spreadMs?: number;
}

const job = JSON.parse(process.argv[2]!) as Job;
const body = JSON.stringify(job.body);
const request = Buffer.from(
  `POST ${job.path} HTTP/1.1\r\nhost: 127.0.0.1:${job.port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
    Object.entries(job.headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('') +
    `\r\n${body}`,
);

const latencies: number[] = [];
const firstBytes: number[] = [];
const gaps: number[] = [];
let errors = 0;
let firstError: string | undefined;
let measuring = false;
let stopping = false;
let done = 0;
/** Answers that came whole, those of the warm-up included. */
let served = 0;

class Connection {
  #socket!: Socket;
  #sentAt = 0;
  #lastAt = 0;
  #head: Buffer = Buffer.alloc(0);
  #state: 'head' | 'length' | 'chunked' = 'head';
  #left = 0;
  #tail = '';
  #status = 0;

  open(): void {
    this.#socket = connect({ port: job.port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('data', (data: Buffer) => this.#read(data));
    this.#socket.on('error', (error) => this.#failed(error.message));
    this.#socket.on('close', () => {
      if (stopping) finished();
      else {
        this.#failed('closed');
        setTimeout(() => this.open(), 10);
      }
    });
  }

  #failed(message: string): void {
    if (stopping) return;
    errors++;
    firstError ??= message;
  }

  #send(): void {
    if (stopping) {
      this.#socket.destroy();
      return;
    }
    this.#state = 'head';
    this.#head = Buffer.alloc(0);
    this.#sentAt = performance.now();
    this.#lastAt = 0;
    this.#socket.write(request);
  }

  #read(data: Buffer): void {
    const now = performance.now();
    if (this.#state === 'head') {
      if (measuring) firstBytes.push(now - this.#sentAt);
      this.#head = this.#head.length === 0 ? data : Buffer.concat([this.#head, data]);
      const end = this.#head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = this.#head.toString('latin1', 0, end).toLowerCase();
      this.#status = Number(head.slice(9, 12));
      const length = /content-length: *(\d+)/.exec(head);
      const rest = this.#head.subarray(end + 4);
      if (this.#status !== 200) firstError ??= `status ${this.#status}: ${rest.toString('utf8').slice(0, 200)}`;
      if (length) {
        this.#state = 'length';
        this.#left = Number(length[1]);
      } else {
        this.#state = 'chunked';
        this.#tail = '';
      }
      if (rest.length > 0) this.#body(rest, now);
      return;
    }
    this.#body(data, now);
  }

  #body(data: Buffer, now: number): void {
    if (this.#state === 'length') {
      this.#left -= data.length;
      if (this.#left <= 0) this.#end(now);
      return;
    }
    if (job.gaps && measuring && this.#lastAt > 0) gaps.push(now - this.#lastAt);
    this.#lastAt = now;
    this.#tail = (this.#tail + data.toString('latin1', Math.max(0, data.length - 7))).slice(-7);
    if (this.#tail.endsWith('\r\n0\r\n\r\n') || this.#tail === '0\r\n\r\n') this.#end(now);
  }

  #end(now: number): void {
    served++;
    if (measuring) {
      if (this.#status === 200) latencies.push(now - this.#sentAt);
      else errors++;
    }
    this.#send();
  }
}

let open = job.connections;
function finished(): void {
  if (--open > 0) return;
  report();
}

const seconds = job.seconds;
for (let index = 0; index < job.connections; index++) {
  setTimeout(() => new Connection().open(), job.spreadMs ? (job.spreadMs * index) / job.connections : 0);
}
setTimeout(() => {
  measuring = true;
  setTimeout(() => {
    measuring = false;
    stopping = true;
    // Those in the middle of a long stream are not waited for.
    setTimeout(report, 500).unref();
  }, seconds * 1000);
}, job.warmupSeconds * 1000);

function report(): void {
  if (done++ > 0) return;
  process.stdout.write(
    `${JSON.stringify({ served, requests: latencies.length, perSecond: latencies.length / seconds, errors, firstError, latencyMs: quantiles(latencies), meanLatencyMs: latencies.reduce((sum, each) => sum + each, 0) / latencies.length, firstByteMs: quantiles(firstBytes), gapMs: quantiles(gaps) })}\n`,
  );
  process.exit(0);
}

function quantiles(values: number[]): { p50: number; p90: number; p99: number; max: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN) * 1000) / 1000;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
