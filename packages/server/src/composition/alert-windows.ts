import { alertDelivered, type AlertSample } from '@holdfast/kit/alerts';
import { errorTraits } from '@holdfast/kit/errors';
import { handOnAnnouncements, httpRequestFinished, type HttpRequestFinished } from '@holdfast/kit/events';
import { callFinished, type CallFinished } from '@holdfast/kit/llm';
import { RollingSketch, type WindowRecord } from '@holdfast/kit/telemetry';
import type { Clock } from '@holdfast/kit/time';

export interface AlertWindows {
  readonly api_latency_seconds: (windowMs: number) => readonly AlertSample[];
  readonly overhead_seconds: (windowMs: number) => readonly AlertSample[];
  readonly model_latency_seconds: (windowMs: number) => readonly AlertSample[];
  readonly error_ratio: (windowMs: number) => readonly AlertSample[];
  readonly server_errors: (windowMs: number) => readonly AlertSample[];
  readonly alert_deliveries_failed: (windowMs: number) => readonly AlertSample[];
  /** Takes up what a process before this one saw in the minute that began then (Unix milliseconds). Throws when it cannot read the record. */
  takeUp(minuteMs: number, record: WindowRecord): void;
  close(): void;
}

const quantile = 0.95;
/** Beyond it they are `other`: a label of an alert is one of few. */
const maxModels = 200;

/** What rules ask of the last minutes of this process: listens to what is announced, and keeps an hour of it. Some 0.4 µs each time that one of them is added to: twice a request, three times a call of a model. */
export function openAlertWindows({
  clock,
  isKnownModel,
}: {
  readonly clock: Clock;
  readonly isKnownModel: (name: string) => boolean;
}): AlertWindows {
  const api = new RollingSketch();
  const answers = new RollingSketch();
  const overhead = new RollingSketch();
  const models = new Map<string, RollingSketch>();
  const channels = new Map<string, RollingSketch>();
  const now = (): number => clock.monotonic();
  const read = (rolling: RollingSketch, windowMs: number) => {
    handOnAnnouncements();
    return rolling.read(windowMs, now());
  };

  const isJudged = (route: string): boolean => /^\/(?:api|v1)\//.test(route);
  const nameOf = (model: string): string => (isKnownModel(model) && (models.has(model) || models.size < maxModels) ? model : 'other');

  function onRequest({ route, latencyMs, status, errorCode }: HttpRequestFinished): void {
    if (route === undefined || !isJudged(route)) return;
    const failed = (errorCode === undefined ? status : errorTraits(errorCode).status) >= 500 && errorCode !== 'draining';
    const at = now();
    answers.add(latencyMs, failed, at);
    if (route.startsWith('/api/')) api.add(latencyMs, failed, at);
  }

  function onCall({ modelAsked, latencyMs, overheadMs, attempts, outcome }: CallFinished): void {
    const at = now();
    overhead.add(overheadMs, false, at);
    if (attempts === 0 || outcome === 'aborted') return;
    sketchOf(models, nameOf(modelAsked)).add(latencyMs, outcome === 'failed', at);
  }

  const stops = [
    httpRequestFinished.subscribeLate(onRequest),
    callFinished.subscribeLate(onCall),
    alertDelivered.subscribe(({ channel, outcome }) => sketchOf(channels, channel).add(0, outcome !== 'delivered', now())),
  ];
  const latency = (rolling: RollingSketch, windowMs: number, labels: AlertSample['labels'] = {}): readonly AlertSample[] => {
    const { sketch } = read(rolling, windowMs);
    return sketch.count === 0 ? [] : [{ labels, value: sketch.quantile(quantile) / 1_000, count: sketch.count }];
  };
  return {
    api_latency_seconds: (windowMs) => latency(api, windowMs),
    overhead_seconds: (windowMs) => latency(overhead, windowMs),
    model_latency_seconds(windowMs) {
      handOnAnnouncements();
      return [...models].flatMap(([model, rolling]) => latency(rolling, windowMs, { model }));
    },
    error_ratio(windowMs) {
      const { sketch, failures } = read(answers, windowMs);
      return sketch.count === 0 ? [] : [{ labels: {}, value: failures / sketch.count, count: sketch.count }];
    },
    server_errors: (windowMs) => [{ labels: {}, value: read(answers, windowMs).failures }],
    alert_deliveries_failed: (windowMs) =>
      [...channels].map(([channel, rolling]) => ({ labels: { channel }, value: read(rolling, windowMs).failures })),
    takeUp(minuteMs, { v, series }) {
      if (v !== 1) throw new TypeError(`a minute of version ${String(v)}`);
      // Its middle, on the clock of the windows: before its beginning, mostly.
      const at = now() - Math.max(0, clock.now() - (minuteMs + 30_000));
      for (const [, route, failures, , sketch] of series.request ?? []) {
        if (!isJudged(route)) continue;
        answers.addRecord(sketch, failures, at);
        if (route.startsWith('/api/')) api.addRecord(sketch, failures, at);
      }
      for (const [, , , , sketch] of series.overhead ?? []) overhead.addRecord(sketch, 0, at);
      for (const [provider, model, failures, , sketch] of series.model_call ?? [])
        if (provider !== 'none') sketchOf(models, nameOf(model)).addRecord(sketch, failures, at);
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}

function sketchOf(sketches: Map<string, RollingSketch>, name: string): RollingSketch {
  let rolling = sketches.get(name);
  if (!rolling) sketches.set(name, (rolling = new RollingSketch()));
  return rolling;
}
