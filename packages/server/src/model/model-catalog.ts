import { attemptLimitDefaults, type AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import { attemptHedge } from '@holdfast/kit/llm/layers/hedge';
import type { Operation, Provider } from '@holdfast/kit/llm';
import { llmRetryDefaults, type BreakerStore, type HedgeNumbers, type RetryNumbers } from '@holdfast/kit/resilience';
import type { Clock, Random } from '@holdfast/kit/time';
import type { CallRateLimits } from './call-rate-limits.ts';
import { createTarget } from './create-target.ts';
import { GuardBook } from './guard-book.ts';
import { KeptParts } from './kept-parts.ts';
import type { ModelCatalog, ModelRoute, Target } from './model-route.ts';
import { createRouting, RoutingMemory, type RouteStrategy } from './routing/index.ts';
import type { GuardSettings } from './target-guard.ts';

export interface ModelDefinition {
  /** Default: `fallback`. */
  readonly strategy?: RouteStrategy;
  readonly targets: readonly TargetDefinition[];
  readonly limits: AttemptLimits;
  readonly rateLimits?: CallRateLimits | undefined;
  /** Default: three attempts, from 1 s, doubling. */
  readonly retry?: Partial<RetryNumbers>;
  /** Of its targets: the same in all models that name one of them. */
  readonly guards?: GuardSettings;
  /** Default: no second attempts. */
  readonly hedge?: Partial<HedgeNumbers> | undefined;
  /** Default 0. */
  readonly holdBackMs?: number;
}

export interface TargetDefinition {
  /** `provider/model` */
  readonly name: string;
  /** Default 1. */
  readonly weight?: number;
}

export interface ModelCatalogOptions {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly models: ReadonlyMap<string, ModelDefinition>;
  readonly clock: Clock;
  readonly random: Random;
  /** Where instances share the states of their breakers. Default: nowhere. */
  readonly breakerStore?: BreakerStore | undefined;
  /** What unchanged targets take over from the catalog before. Default: nothing. */
  readonly kept?: KeptParts;
  /** Pass-through names of the catalog before: known from the beginning, so that they go on with the state of their targets. */
  readonly passedThrough?: readonly string[];
}

/** Routes of pass-through names that are remembered: clients choose them, so their number is theirs. */
const maxRemembered = 1000;

const operations: readonly Operation[] = ['chat', 'embeddings', 'count_tokens'];

/** Builds each target with its layers once, not per call. */
export function createModelCatalog(options: ModelCatalogOptions): ModelCatalog {
  const { providers, models, clock, random, breakerStore, kept = new KeptParts() } = options;
  const routes = new Map<string, ModelRoute>();
  const passedThrough = new Map<string, ModelRoute>();
  const configured = guardsOf(models);
  const guards = new GuardBook({ configured, kept, clock, breakerStore });

  function target(routeName: string, { name, weight = 1 }: TargetDefinition, definition: ModelDefinition): Target | undefined {
    const slash = name.indexOf('/');
    const provider = slash < 0 ? undefined : providers.get(name.slice(0, slash));
    const model = name.slice(slash + 1);
    if (!provider || model === '') return undefined;
    const retry = { ...llmRetryDefaults, ...definition.retry };
    const { hedge } = definition;
    return createTarget({
      name,
      provider,
      model,
      weight,
      limits: definition.limits,
      retry,
      // Nobody waits long for one target while there is another.
      maxRetryAfterMs: definition.targets.length > 1 ? retry.maxDelayMs : undefined,
      guard: guards.get(name, provider),
      hedge:
        hedge &&
        kept.keep(`hedge\n${routeName}\n${name}`, { on: [provider], settings: hedge }, () =>
          attemptHedge({ ...hedge, name: routeName, clock }),
        ),
      clock,
      random,
    });
  }

  function route(name: string, definition: ModelDefinition, targets: readonly Target[]): ModelRoute {
    const { limits, retry, strategy = 'fallback', holdBackMs = 0 } = definition;
    const on = targets.map(({ provider }) => provider);
    const settings = targets.map((each) => each.name);
    const learn = () => new RoutingMemory(clock);
    // With one target there is nothing to learn; and names that pass through are chosen by clients, so none of them is kept.
    const memory = targets.length > 1 ? kept.keep(`routing\n${name}`, { on, settings }, learn) : learn();
    const routing = createRouting({ strategy, targets, random, memory });
    const attempts = retry?.attempts ?? llmRetryDefaults.attempts;
    return {
      name,
      targets,
      routing,
      hedged: definition.hedge !== undefined,
      rateLimits: definition.rateLimits,
      totalMs: limits.totalMs,
      holdBackMs,
      mostAttempts: attempts * targets.length,
      triesAgain: attempts > 1 || targets.length > 1,
    };
  }

  function forgetOldest(): void {
    const oldest = passedThrough.keys().next().value!;
    passedThrough.delete(oldest);
    guards.forget(oldest);
  }

  for (const [name, definition] of models) {
    routes.set(
      name,
      route(
        name,
        definition,
        definition.targets.map((each) => target(name, each, definition)!),
      ),
    );
  }

  function find(model: string): ModelRoute | undefined {
    const known = routes.get(model) ?? passedThrough.get(model);
    if (known) return known;
    const definition = { targets: [{ name: model }], limits: attemptLimitDefaults };
    const through = target(model, definition.targets[0]!, definition);
    if (!through) return undefined;
    const made = route(model, definition, [through]);
    if (passedThrough.size >= maxRemembered) forgetOldest();
    passedThrough.set(model, made);
    return made;
  }

  for (const name of options.passedThrough ?? []) find(name);

  return {
    find,
    passedThrough: () => [...passedThrough.keys()],
    list: () =>
      [...routes.values()].map((each) => ({
        id: each.name,
        ownedBy: each.targets[0]!.provider.name,
        operations: operations.filter((operation) => each.targets.some(({ provider }) => provider.supports(operation))),
      })),
    breakers: () => guards.breakers(),
    findBreaker: (name) => guards.findBreaker(name),
    isConfigured: (name) => configured.has(name),
    holdOpen: (before) => guards.holdOpen(before),
    dispose: (next) => guards.dispose(next),
  };
}

function guardsOf(models: ReadonlyMap<string, ModelDefinition>): ReadonlyMap<string, GuardSettings> {
  const settings = new Map<string, GuardSettings>();
  for (const { targets, guards = {} } of models.values()) for (const { name } of targets) settings.set(name, guards);
  return settings;
}
