import type { BudgetedCaller } from '../../../model/index.ts';
import type { Budget, BudgetSubject } from './budget.ts';
import { TrackedBudget } from './tracked-budget.ts';

type BySubject = Readonly<Record<BudgetSubject, Map<string, TrackedBudget[]>>>;

/** The budgets of the instance, all of them, in memory; found by whom a call is of. */
export class BudgetBook {
  readonly #byId = new Map<string, TrackedBudget>();
  readonly #bySubject: BySubject = { organization: new Map(), user: new Map(), key: new Map() };
  /** Changes with every change, so that what was found can be kept until then. */
  revision = 0;

  get size(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<TrackedBudget> {
    return this.#byId.values();
  }

  find(id: string): TrackedBudget | undefined {
    return this.#byId.get(id);
  }

  /** New, or as it is now. What an instance holds of it stays. */
  put(budget: Budget, learnedAt: number, learnedMonotonic: number): void {
    const known = this.#byId.get(budget.id);
    this.revision++;
    if (known === undefined) {
      const tracked = new TrackedBudget(budget, learnedAt, learnedMonotonic);
      this.#byId.set(budget.id, tracked);
      this.#index(tracked);
      return;
    }
    this.#unindex(known);
    known.definition = budget;
    this.#index(known);
    // Whoever was refused by another limit may ask again.
    for (const slice of known.slices) slice.shortUntil = 0;
  }

  remove(id: string): void {
    const tracked = this.#byId.get(id);
    if (tracked === undefined) return;
    this.revision++;
    this.#byId.delete(id);
    this.#unindex(tracked);
    for (const slice of tracked.slices) slice.dropped = true;
    tracked.slices = [];
  }

  /** Those that the calls of somebody are under. */
  of({ organizationId, userId, keyId }: BudgetedCaller): readonly TrackedBudget[] {
    const { organization, user, key } = this.#bySubject;
    const found = [
      ...(organization.get(organizationId) ?? []),
      ...(userId === undefined ? [] : (user.get(userId) ?? [])),
      ...(key.get(keyId) ?? []),
    ];
    // A person may be in several organizations, each with budgets of its own.
    return found.filter(({ definition }) => definition.organizationId === organizationId);
  }

  #index(tracked: TrackedBudget): void {
    const { subject, subjectIds } = tracked.definition;
    const index = this.#bySubject[subject];
    for (const id of subjectIds) index.set(id, [...(index.get(id) ?? []), tracked]);
  }

  #unindex(tracked: TrackedBudget): void {
    const { subject, subjectIds } = tracked.definition;
    const index = this.#bySubject[subject];
    for (const id of subjectIds) {
      const rest = (index.get(id) ?? []).filter((each) => each !== tracked);
      if (rest.length === 0) index.delete(id);
      else index.set(id, rest);
    }
  }
}
