import type { HealthSnapshot, HealthStatus } from './snapshot.ts';

/** The answer of the probes in the form that Holdfast has everywhere. */
export interface HealthReport {
  readonly status: HealthStatus;
  /** RFC 3339, UTC. */
  readonly timestamp: string;
  readonly dependencies: readonly {
    readonly name: string;
    readonly status: HealthStatus;
    readonly message: string;
    readonly response_time_ms: number | null;
  }[];
}

export function toHealthReport({ status, at, components }: HealthSnapshot): HealthReport {
  return {
    status,
    timestamp: new Date(at).toISOString(),
    dependencies: components.map((component) => ({
      name: component.name,
      status: component.status,
      message: component.message,
      response_time_ms: component.responseTimeMs,
    })),
  };
}
