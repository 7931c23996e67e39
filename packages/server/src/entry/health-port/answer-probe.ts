import { aliveAt, answerHealth, worseOf, type ComponentHealth, type HealthAnswer, type HealthSnapshot } from '@holdfast/kit/health';

export interface ProbeState {
  /** What the main thread said last. */
  readonly readiness: HealthSnapshot;
  /** For how long its event loop has not turned. */
  readonly silentMs: number;
  /** From which silence on it counts as stuck. */
  readonly stuckMs: number;
  readonly nowMs: number;
  readonly version: string;
}

export interface ProbeRequest {
  readonly method: string | undefined;
  /** With its query. */
  readonly url: string | undefined;
  readonly accept: string | undefined;
}

/** An answer, or the status of a refusal. */
export type ProbeAnswer = HealthAnswer | { readonly statusCode: 404 | 405 };

/** A turn of the loop that takes this long is worth a word, long before it is a reason to restart. */
const lateMs = 1_000;

/** What the probes are answered by the thread that serves them apart. */
export function answerProbe({ method, url = '', accept }: ProbeRequest, state: ProbeState): ProbeAnswer {
  const path = url.split('?', 1)[0];
  const isReady = path === '/health/ready';
  if (!isReady && path !== '/health' && path !== '/health/live') return { statusCode: 404 };
  if (method !== 'GET' && method !== 'HEAD') return { statusCode: 405 };
  const names = { releaseId: state.version };
  return answerHealth(withLoop(isReady ? state.readiness : aliveAt(state.nowMs), state), { accept, names });
}

function withLoop(snapshot: HealthSnapshot, { silentMs, stuckMs, nowMs }: ProbeState): HealthSnapshot {
  const status = silentMs >= stuckMs ? 'unhealthy' : silentMs >= lateMs ? 'degraded' : 'healthy';
  const loop: ComponentHealth = {
    name: 'event_loop',
    status,
    message: status === 'healthy' ? 'turns' : status === 'degraded' ? 'is late' : 'stands still',
    responseTimeMs: null,
    componentType: 'system',
    checkedAt: nowMs,
    measurement: { name: 'silence', value: Math.round(silentMs), unit: 'ms' },
  };
  return { status: worseOf(snapshot.status, status), at: nowMs, components: [loop, ...snapshot.components] };
}
