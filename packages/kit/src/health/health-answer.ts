import { prefersHealthJson } from './accept.ts';
import { healthJsonType, toHealthJson, type HealthJsonNames } from './health-json.ts';
import { toHealthReport } from './health-report.ts';
import type { HealthSnapshot } from './snapshot.ts';

/** An HTTP answer, for whatever serves it. */
export interface HealthAnswer {
  /** 503 when unhealthy, otherwise 200: what degrades a process is no reason to send its work elsewhere. */
  readonly statusCode: 200 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HealthAnswerOptions {
  /** The header `Accept` of the request. */
  readonly accept?: string | undefined;
  readonly names?: HealthJsonNames;
  /** 200 whatever the status is, for a page that people look at and nobody steers by. Default false. */
  readonly alwaysOk?: boolean;
}

/** What a probe is answered: `application/health+json` for those who ask for it, the report otherwise. */
export function answerHealth(snapshot: HealthSnapshot, { accept, names, alwaysOk = false }: HealthAnswerOptions = {}): HealthAnswer {
  const asHealthJson = prefersHealthJson(accept);
  return {
    statusCode: snapshot.status === 'unhealthy' && !alwaysOk ? 503 : 200,
    headers: {
      'content-type': asHealthJson ? healthJsonType : 'application/json; charset=utf-8',
      // A cache between a probe and its server would hide the one from the other.
      'cache-control': 'no-store',
      vary: 'accept',
    },
    body: JSON.stringify(asHealthJson ? toHealthJson(snapshot, names) : toHealthReport(snapshot)),
  };
}

/** What liveness answers: the process can, since it does. It asks no dependency: one that is away is no reason to restart. */
export function aliveAt(nowMs: number): HealthSnapshot {
  return { status: 'healthy', at: nowMs, components: [] };
}
