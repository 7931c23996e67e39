import { breakerMetrics } from './breaker-metrics.ts';
import type { MetricSection } from './definition.ts';
import { faultMetrics } from './fault-metrics.ts';
import { httpMetrics } from './http-metrics.ts';
import { llmMetrics } from './llm-metrics.ts';
import { ownMetrics } from './own-metrics.ts';
import { policyMetrics } from './policy-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { rateLimitMetrics } from './rate-limit-metrics.ts';
import { routingMetrics } from './routing-metrics.ts';

/** Every metric of the kit: the reference page and the checks of dashboards and alert rules are made from it. */
export const metricCatalogue: readonly MetricSection[] = [
  { title: 'HTTP', definitions: Object.values(httpMetrics) },
  { title: 'Model calls', definitions: Object.values(llmMetrics) },
  { title: 'Routing', definitions: Object.values(routingMetrics) },
  { title: 'Retries, bulkheads and time limits', definitions: Object.values(policyMetrics) },
  { title: 'Circuit breakers', definitions: Object.values(breakerMetrics) },
  { title: 'Limits', definitions: Object.values(rateLimitMetrics) },
  { title: 'Overload, abuse and faults', definitions: Object.values(faultMetrics) },
  { title: 'Process and event loop', definitions: Object.values(processMetrics) },
  { title: 'The metrics themselves', definitions: Object.values(ownMetrics) },
];
