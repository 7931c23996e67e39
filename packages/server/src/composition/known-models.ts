import type { Configuration } from '../config/index.ts';
import type { Reloadable } from '../features/configuration/index.ts';

export interface KnownModels extends Reloadable<Configuration> {
  has(name: string): boolean;
}

/** The names of models that the configuration has: what may become a label of a metric, since clients can ask for any text. */
export function createKnownModels(configuration: Configuration): KnownModels {
  let known = namesOf(configuration);
  return {
    has: (name) => known.has(name),
    prepare(next) {
      const names = namesOf(next);
      return {
        commit: () => void (known = names),
        discard() {},
      };
    },
  };
}

function namesOf({ models }: Configuration): ReadonlySet<string> {
  return new Set([
    ...models.map((model) => model.name),
    ...models.flatMap((model) => model.targets.map((target) => target.model)),
    // By these a client may ask for a target past the models, and so breakers are called.
    ...models.flatMap((model) => model.targets.map((target) => `${target.provider}/${target.model}`)),
  ]);
}
