import { attemptLimitDefaults } from '@holdfast/kit/llm/layers/attempt-limits';
import { createTransport } from '@holdfast/kit/llm/transport';
import type { BreakerStore } from '@holdfast/kit/resilience';
import type { Clock, Random } from '@holdfast/kit/time';
import type { Configuration, ModelConfiguration } from '../config/index.ts';
import type { Reloadable } from '../features/configuration/index.ts';
import { createModelCatalog, KeptParts, ModelGeneration, ServedModels, type ModelCatalog, type ModelDefinition } from '../model/index.ts';
import type { Closers } from './closers.ts';
import { openPricing } from './pricing.ts';
import { ProviderBook } from './provider-book.ts';

export interface ModelsOptions {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly random: Random;
  readonly closers: Closers;
  /** Where instances share the states of their breakers. Default: nowhere. */
  readonly breakerStore?: BreakerStore | undefined;
  /** A provider failed to close after a reload or at the end. */
  readonly onCloseFailure: (part: string, error: unknown) => void;
}

export interface Models {
  readonly served: ServedModels;
  readonly reload: Reloadable<Configuration>;
}

/** What a call may still do when its time is over: its row is tried for a while. */
const settlingMs = 60_000;

/** The providers, the names that clients may ask for, and the prices: all that makes a generation of models. */
export function openModels({ configuration, clock, random, closers, breakerStore, onCloseFailure }: ModelsOptions): Models {
  const transport = createTransport({ allowedOrigins: [] });
  closers.add('transport', () => transport.close());
  const book = new ProviderBook({
    transport,
    clock,
    random,
    onCloseFailure: (name, error) => onCloseFailure(`provider ${name}`, error),
  });

  function build(from: Configuration, before?: { readonly kept: KeptParts; readonly generation: ModelGeneration }) {
    const pricing = openPricing(from);
    const { providers, release } = book.take(from.providers);
    try {
      const kept = new KeptParts(before?.kept);
      const models = new Map(from.models.map((model) => [model.name, definitionOf(model)]));
      const passedThrough = before?.generation.catalog.passedThrough() ?? [];
      const catalog = createModelCatalog({ providers, models, clock, random, breakerStore, kept, passedThrough });
      const longestCallMs = Math.max(attemptLimitDefaults.totalMs, ...from.models.map((model) => model.limits.totalMs)) + settlingMs;
      const end = (next?: ModelCatalog): void => {
        release();
        catalog.dispose(next);
      };
      const onUnused = (): void => end(current.generation.catalog);
      return { kept, end, generation: new ModelGeneration({ catalog, pricing, clock, longestCallMs, onUnused }) };
    } catch (error) {
      release();
      throw error;
    }
  }

  let current = build(configuration);
  const served = new ServedModels(current.generation);
  closers.add('providers', () => current.end());
  return {
    served,
    reload: {
      prepare(next) {
        const built = build(next, current);
        return {
          commit() {
            built.generation.catalog.holdOpen(current.generation.catalog);
            current = built;
            served.replace(built.generation);
          },
          discard: () => built.end(current.generation.catalog),
        };
      },
    },
  };
}

function definitionOf({
  targets,
  strategy,
  limits,
  retry,
  breaker,
  bulkhead,
  hedge,
  holdBackMs,
  rateLimits,
}: ModelConfiguration): ModelDefinition {
  const { budgetPercent, ...numbers } = retry;
  return {
    targets: targets.map(({ provider, model, weight }) => ({ name: `${provider}/${model}`, weight })),
    strategy,
    limits,
    retry: numbers,
    guards: { breaker, bulkhead, budgetPercent },
    hedge: hedge.enabled ? { afterPercentile: hedge.afterPercentile, maxExtraPercent: hedge.maxExtraPercent } : undefined,
    holdBackMs,
    rateLimits,
  };
}
