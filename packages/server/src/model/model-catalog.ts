import { attemptLimitDefaults, attemptLimits, type AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import type { AttemptNext, Operation, Provider } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import { KeptParts } from './kept-parts.ts';
import type { ModelCatalog, ModelRoute, Target } from './model-route.ts';

export interface ModelDefinition {
  readonly targets: readonly string[];
  readonly limits: AttemptLimits;
}

export interface ModelCatalogOptions {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly models: ReadonlyMap<string, ModelDefinition>;
  readonly clock: Clock;
  /** What unchanged targets take over from the catalog before. Default: nothing. */
  readonly kept?: KeptParts;
}

/** Routes of pass-through names that are remembered: clients choose them, so their number is theirs. */
const maxRemembered = 1000;

const operations: readonly Operation[] = ['chat', 'embeddings', 'count_tokens'];

/** Builds each target with its attempt layers once, not per call. */
export function createModelCatalog({ providers, models, clock, kept = new KeptParts() }: ModelCatalogOptions): ModelCatalog {
  const routes = new Map<string, ModelRoute>();
  const passedThrough = new Map<string, ModelRoute>();

  function target(routeName: string, name: string, limits: AttemptLimits): Target | undefined {
    const slash = name.indexOf('/');
    const provider = slash < 0 ? undefined : providers.get(name.slice(0, slash));
    const model = name.slice(slash + 1);
    if (!provider || model === '') return undefined;
    return kept.keep(keyOf(routeName, name), { on: [provider], settings: limits }, () => {
      const provide: AttemptNext = (request, sink) => provider.attempt(request, sink);
      return { name, provider, model, attempt: attemptLimits(limits, clock)(provide) };
    });
  }

  function forgetOldest(): void {
    const oldest = passedThrough.keys().next().value!;
    passedThrough.delete(oldest);
    kept.forget(keyOf(oldest, oldest));
  }

  for (const [name, definition] of models) {
    const targets = definition.targets.map((each) => target(name, each, definition.limits)!);
    routes.set(name, { name, targets, totalMs: definition.limits.totalMs });
  }

  return {
    find(model) {
      const known = routes.get(model) ?? passedThrough.get(model);
      if (known) return known;
      const through = target(model, model, attemptLimitDefaults);
      if (!through) return undefined;
      const route = { name: model, targets: [through], totalMs: attemptLimitDefaults.totalMs };
      if (passedThrough.size >= maxRemembered) forgetOldest();
      passedThrough.set(model, route);
      return route;
    },
    list: () =>
      [...routes.values()].map((route) => ({
        id: route.name,
        ownedBy: route.targets[0]!.provider.name,
        operations: operations.filter((operation) => route.targets.some((each) => each.provider.supports(operation))),
      })),
  };
}

function keyOf(routeName: string, targetName: string): string {
  return `target ${targetName} of ${routeName}`;
}
