import { fileFault, type Sources } from '../sources.ts';
import type { ModelConfiguration } from './model-configuration.ts';

/**
 * A target has one breaker, one bulkhead and one retry budget, whichever model leads to it: it is one server that is well or
 * not. Models that say different things of it contradict each other; to take the strictest would be in force nowhere in the
 * file.
 */
export function refuseTargetsAtOdds(sources: Sources, models: readonly ModelConfiguration[]): void {
  const first = new Map<string, ModelConfiguration>();
  for (const model of models) {
    for (const target of model.targets) {
      const name = `${target.provider}/${target.model}`;
      const other = first.get(name);
      if (other) refuseDifferences(sources, name, other, model);
      else first.set(name, model);
    }
  }
}

function refuseDifferences(sources: Sources, target: string, one: ModelConfiguration, other: ModelConfiguration): void {
  for (const [path, ofOne, ofOther] of [
    ...pairs('breaker', one.breaker, other.breaker),
    ...pairs('bulkhead', one.bulkhead, other.bulkhead),
    ...pairs('retry', { budgetPercent: one.retry.budgetPercent }, { budgetPercent: other.retry.budgetPercent }),
  ]) {
    if (ofOne === ofOther) continue;
    fileFault(
      sources,
      ['models', other.name, ...path],
      `it is ${show(ofOther)} here and ${show(ofOne)} in models.${one.name}, and both lead to ${target}, which has one ${path[0] === 'retry' ? 'retry budget' : path[0]}. Say the same in both.`,
    );
  }
}

function pairs<Group extends object>(group: string, one: Group, other: Group): [path: [string, string], one: unknown, other: unknown][] {
  return (Object.keys(one) as (keyof Group & string)[]).map((name) => [[group, name], one[name], other[name]]);
}

function show(value: unknown): string {
  return value === undefined ? 'not set' : String(value);
}
