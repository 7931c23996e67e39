import type { TargetChosen } from '../../llm/spec/index.ts';
import type { HedgeFinished } from '../../resilience/index.ts';
import type { MetricDefinitions } from './definition.ts';
import type { Exposition } from './exposition.ts';
import { SeriesTable } from './series-table.ts';

export const routingMetrics = {
  choices: {
    name: 'holdfast_llm_target_choices_total',
    type: 'counter',
    help: 'Calls of models with several targets, by the target that was to be asked first.',
    labels: { model: 'name in the configuration', strategy: '`fallback`, `weighted`, `latency` or `cost`', target: '`provider/model`' },
    example: 'sum by (model, target) (rate(holdfast_llm_target_choices_total[5m]))',
  },
  hedges: {
    name: 'holdfast_hedges_total',
    type: 'counter',
    help: 'Second requests for calls that were slow, by who answered first: `first`, `second`, or `none`.',
    labels: { name: 'model of the configuration, or the name that you gave', winner: '`first`, `second` or `none`' },
    example: 'sum by (name, winner) (rate(holdfast_hedges_total[5m]))',
  },
} as const satisfies MetricDefinitions;

/** Which targets the strategies choose, and what second requests were good for. */
export class RoutingMetrics {
  readonly #choices = new SeriesTable(Object.keys(routingMetrics.choices.labels), () => ({ count: 0 }), 2_000);
  readonly #hedges = new SeriesTable(Object.keys(routingMetrics.hedges.labels), () => ({ count: 0 }));
  readonly #labels = ['', '', ''];
  readonly tables = { [routingMetrics.choices.name]: this.#choices, [routingMetrics.hedges.name]: this.#hedges };

  recordChoice({ model, strategy, target }: TargetChosen): void {
    const labels = this.#labels;
    labels[0] = model;
    labels[1] = strategy;
    labels[2] = target;
    this.#choices.at(labels).count++;
  }

  recordHedge({ name, winner }: HedgeFinished): void {
    this.#hedges.at([name, winner ?? 'none']).count++;
  }

  expose(to: Exposition): void {
    to.counter(routingMetrics.choices, this.#choices, ({ count }) => count);
    to.counter(routingMetrics.hedges, this.#hedges, ({ count }) => count);
  }
}
