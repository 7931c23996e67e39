import type { ComponentHealth, HealthSnapshot, HealthStatus } from './snapshot.ts';

export const healthJsonType = 'application/health+json';

export interface HealthJsonNames {
  /** The version of the service, such as `1.4.2`. */
  readonly releaseId?: string;
  readonly serviceId?: string;
  readonly description?: string;
}

/** As draft-inadarei-api-health-check-06 writes it. */
export interface HealthJson extends HealthJsonNames {
  readonly status: 'pass' | 'warn' | 'fail';
  readonly output?: string;
  readonly checks?: Readonly<Record<string, readonly HealthJsonCheck[]>>;
}

export interface HealthJsonCheck {
  readonly componentType: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly observedValue?: number;
  readonly observedUnit?: string;
  readonly time?: string;
  readonly output?: string;
}

const words: Readonly<Record<HealthStatus, HealthJson['status']>> = Object.freeze({ healthy: 'pass', degraded: 'warn', unhealthy: 'fail' });

/** The same as a report, for tools that read `application/health+json`. Keys of `checks` are `<name>:<measurement>`, or the name alone where nothing is measured. */
export function toHealthJson({ status, components }: HealthSnapshot, names: HealthJsonNames = {}): HealthJson {
  const checks: Record<string, HealthJsonCheck[]> = {};
  for (const component of components) (checks[keyOf(component)] ??= []).push(checkOf(component));
  const bad = components.filter((component) => component.status !== 'healthy').map(({ name, message }) => `${name}: ${message}`);
  return {
    status: words[status],
    ...names,
    // The draft wants neither where all is well.
    ...(status !== 'healthy' && bad.length > 0 && { output: bad.join('; ') }),
    ...(components.length > 0 && { checks }),
  };
}

function keyOf({ name, measurement, responseTimeMs }: ComponentHealth): string {
  // A colon parts the two halves of a key, so a name can have none.
  const component = name.replaceAll(':', '-');
  const measured = measurement?.name ?? (responseTimeMs === null ? undefined : 'responseTime');
  return measured === undefined ? component : `${component}:${measured.replaceAll(':', '-')}`;
}

function checkOf({ componentType, status, measurement, responseTimeMs, checkedAt, message }: ComponentHealth): HealthJsonCheck {
  const observed =
    measurement === undefined
      ? responseTimeMs === null
        ? undefined
        : { observedValue: responseTimeMs, observedUnit: 'ms' }
      : { observedValue: measurement.value, observedUnit: measurement.unit };
  return {
    componentType,
    status: words[status],
    ...observed,
    ...(checkedAt !== undefined && { time: new Date(checkedAt).toISOString() }),
    ...(status !== 'healthy' && { output: message }),
  };
}
