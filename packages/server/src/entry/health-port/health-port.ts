import { Worker } from 'node:worker_threads';
import { HoldfastError } from '@holdfast/kit/errors';
import type { HealthRegistry } from '@holdfast/kit/health';
import type { Clock, Timer } from '@holdfast/kit/time';
import { portFaultReason } from '../port-fault.ts';
import { createBeat, sendBeat } from './beat.ts';
import { healthThreadEnded } from './events.ts';
import type { ReadinessMessage, ThreadData, ThreadMessage } from './messages.ts';

export interface HealthPortOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /** Silence of the event loop after which the process counts as stuck. */
  readonly stuckMs: number;
  readonly health: Pick<HealthRegistry, 'readiness' | 'onChange'>;
  readonly version: string;
  readonly clock: Clock;
}

export interface HealthPort {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Between two signs of life. A loop under full load turns every few milliseconds: this costs it ten additions a second. */
const beatMs = 100;
/** What changed is told at once; this is for measurements and for what is only watched. */
const tellMs = 1_000;
const restartMs = 1_000;
/** A thread takes some 50 ms to start; this is for a machine on its knees. */
const startLimitMs = 30_000;

/** The source is run as it is, what is published is compiled: the thread is the file beside this one in either case. */
const isSource = import.meta.url.endsWith('.ts');
const threadFile = new URL(isSource ? './thread.ts' : './thread.js', import.meta.url);

/** Serves probes from a thread of its own. Throws `health_port_unusable`. */
export async function openHealthPort(options: HealthPortOptions): Promise<HealthPort> {
  const { health, clock, stuckMs, version } = options;
  const beat = createBeat();
  let thread: Worker | undefined;
  let restart: Timer | undefined;
  let closed = false;

  async function start(host: string, port: number): Promise<{ host: string; port: number }> {
    const workerData: ThreadData = { host, port, stuckMs, version, beat, readiness: health.readiness() };
    const started = new Worker(threadFile, {
      name: 'health probes',
      workerData,
      // Not what the process was started with: a program that is loaded before all others (`--import`) is for the main thread.
      execArgv: isSource ? ['--conditions=dev-source'] : [],
      // What it needs, and a leak in it must not become one of the server.
      resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
    });
    thread = started;
    // It keeps no process alive: one whose main thread has nothing left to do has ended.
    started.unref();
    const at = await listening(started, clock);
    let error: unknown;
    started.once('error', (thrown) => (error = thrown));
    started.once('exit', (code) => {
      if (closed) return;
      healthThreadEnded.publish({ error: error ?? new Error(`it ended with ${code}`) });
      restart = clock.setTimeout(() => startAgain(at.host, at.port), restartMs);
    });
    return at;
  }

  /** On the same port, for as long as it takes: probes that cannot connect have the process restarted, which serves well without them. */
  function startAgain(host: string, port: number): void {
    start(host, port).catch((error: unknown) => {
      if (closed) return;
      healthThreadEnded.publish({ error });
      restart = clock.setTimeout(() => startAgain(host, port), restartMs);
    });
  }

  const tell = (): void => thread?.postMessage({ readiness: health.readiness() } satisfies ReadinessMessage);
  let sinceTold = 0;
  const beats: Timer = clock.setTimeout(() => {
    sendBeat(beat);
    sinceTold += beatMs;
    if (sinceTold >= tellMs) {
      sinceTold = 0;
      tell();
    }
    beats.refresh();
  }, beatMs);
  const stopTelling = health.onChange(tell);

  async function close(): Promise<void> {
    closed = true;
    stopTelling();
    beats.cancel();
    restart?.cancel();
    await thread?.terminate();
  }
  try {
    const at = await start(options.host, options.port);
    return { ...at, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The address that the thread listens on. Throws what kept it from that. */
function listening(thread: Worker, clock: Clock): Promise<{ readonly host: string; readonly port: number }> {
  return new Promise((resolve, reject) => {
    const limit = clock.setTimeout(() => settle(() => reject(unusable('its thread does not start'))), startLimitMs);
    const settle = (by: () => void): void => {
      limit.cancel();
      thread.off('error', onError);
      thread.off('exit', onExit);
      by();
    };
    const onError = (cause: unknown): void => settle(() => reject(unusable('its thread failed', cause)));
    const onExit = (code: number): void => settle(() => reject(unusable(`its thread ended with ${code}`)));
    thread.once('error', onError).once('exit', onExit);
    thread.once('message', (message: ThreadMessage) =>
      settle(() => {
        if (message.kind === 'listening') return resolve({ host: message.host, port: message.port });
        void thread.terminate();
        reject(unusable(portFaultReason(message.code) ?? message.message));
      }),
    );
  });
}

function unusable(detail: string, cause?: unknown): HoldfastError {
  return new HoldfastError('health_port_unusable', { detail, ...(cause !== undefined && { cause }) });
}
