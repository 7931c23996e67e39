import type { TargetChosen } from '../../llm/spec/index.ts';
import type { HedgeFinished } from '../../resilience/index.ts';
import type { Exposition } from './exposition.ts';
import { SeriesTable } from './series-table.ts';

/** Which targets the strategies choose, and what second requests were good for. */
export class RoutingMetrics {
  readonly #choices = new SeriesTable(['model', 'strategy', 'target'], () => ({ count: 0 }));
  readonly #hedges = new SeriesTable(['name', 'winner'], () => ({ count: 0 }), 200);
  readonly #labels = ['', '', ''];

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
    to.counter(
      'holdfast_llm_target_choices_total',
      'Calls of models with several targets, by the target that was to be asked first.',
      this.#choices,
      ({ count }) => count,
    );
    to.counter(
      'holdfast_hedges_total',
      'Second requests for calls that were slow, by who answered first: `first`, `second`, or `none`.',
      this.#hedges,
      ({ count }) => count,
    );
  }
}
