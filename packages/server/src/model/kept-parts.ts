import { isDeepStrictEqual } from 'node:util';

/** What a part was made of. It may be kept as long as all of this stays the same. */
export interface MadeOf {
  /** Objects that it works with (a provider, a store): the very same ones. */
  readonly on: readonly object[];
  /** Plain data, compared by what it says. No secrets, and nothing with private state. */
  readonly settings: unknown;
}

interface KeptPart extends MadeOf {
  readonly part: unknown;
}

/**
 * What one generation of models takes over from the one before it: breakers, latencies, budgets of targets that a reload
 * did not change keep what they have learnt; those of changed ones begin anew. Everything with such a state is made here.
 */
export class KeptParts {
  readonly #parts = new Map<string, KeptPart>();
  /** Of the generation before: asked for as long as this one lives, since parts of names that pass through are made on demand. */
  readonly #before: ReadonlyMap<string, KeptPart>;

  constructor(before?: KeptParts) {
    this.#before = before ? before.#parts : new Map();
  }

  /** The part under this key, when there is one that was made of the same; else a new one. Keys are of one namespace. */
  keep<Part>(key: string, madeOf: MadeOf, make: () => Part): Part {
    const known = this.#parts.get(key) ?? this.#before.get(key);
    const kept = known !== undefined && isSame(known, madeOf) ? known : { ...madeOf, part: make() };
    this.#parts.set(key, kept);
    return kept.part as Part;
  }

  forget(key: string): void {
    this.#parts.delete(key);
  }
}

function isSame(known: MadeOf, asked: MadeOf): boolean {
  return (
    known.on.length === asked.on.length &&
    known.on.every((object, index) => object === asked.on[index]) &&
    isDeepStrictEqual(known.settings, asked.settings)
  );
}
