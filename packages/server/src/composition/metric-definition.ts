import type { MetricDefinition } from '@holdfast/kit/telemetry';

/** A definition of the catalogue, in short. */
export const gauge = (name: string, help: string, example: string, more: Partial<MetricDefinition> = {}) =>
  ({ name, type: 'gauge', help, labels: {}, example, ...more }) as const satisfies MetricDefinition;
export const counter = (name: string, help: string, labels: Readonly<Record<string, string>>, example: string) =>
  ({ name, type: 'counter', help, labels, example }) as const satisfies MetricDefinition;
