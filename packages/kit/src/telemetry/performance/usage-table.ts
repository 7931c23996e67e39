import { otherName } from './series.ts';

/** What somebody used. */
export interface Use {
  requests: number;
  /** Requests that ended with 5xx. */
  failures: number;
  /** Milliseconds that the requests took, added up. */
  durationMs: number;
  modelCalls: number;
  promptTokens: number;
  completionTokens: number;
  costNanoUsd: number;
}

/** Use by id. Bounded: past `maxEntries` what is new is counted together as `other`. */
export class UsageTable {
  readonly #maxEntries: number;
  readonly #entries = new Map<string, Use>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  at(id: string): Use {
    return this.#entries.get(id) ?? this.#add(id);
  }

  entries(): Iterable<readonly [string, Use]> {
    return this.#entries;
  }

  merge(other: UsageTable): void {
    for (const [id, use] of other.#entries) {
      const own = this.at(id);
      own.requests += use.requests;
      own.failures += use.failures;
      own.durationMs += use.durationMs;
      own.modelCalls += use.modelCalls;
      own.promptTokens += use.promptTokens;
      own.completionTokens += use.completionTokens;
      own.costNanoUsd += use.costNanoUsd;
    }
  }

  #add(id: string): Use {
    if (this.#entries.size >= this.#maxEntries && id !== otherName) return this.at(otherName);
    const use = { requests: 0, failures: 0, durationMs: 0, modelCalls: 0, promptTokens: 0, completionTokens: 0, costNanoUsd: 0 };
    this.#entries.set(id, use);
    return use;
  }
}
