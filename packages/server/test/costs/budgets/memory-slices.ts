import type { SliceAnswer, SliceQuestion } from '../../../src/features/costs/budgets/index.ts';

export interface MemoryBudget {
  limitNano: number;
  hard: boolean;
  deleted: boolean;
}

export interface MemorySlice {
  readonly budgetId: string;
  readonly periodStartMs: number;
  readonly periodEndMs: number;
  readonly instanceId: string;
  readonly countedFromMs: number;
  version: number;
  granted: number;
  spent: number;
  reserved: number;
  closed: boolean;
}

/**
 * What `holdfast.lease_budgets` does, without a database: for schedules by the hundred thousand. That the two answer alike is tested
 * (same-answers.test.ts).
 */
export class MemorySlices {
  readonly budgets = new Map<string, MemoryBudget>();
  readonly windows = new Map<string, { closed: number; told: number }>();
  readonly slices: MemorySlice[] = [];
  /** Grows with whatever is stored. */
  changes = 0;
  /** Budgets that were recalled, as the notification says it. */
  onRecall: (budgetId: string) => void = () => {};
  /** Whether the instance gave a sign of life lately. */
  isAlive: (instanceId: string) => boolean = () => true;

  windowOf(budgetId: string, periodStartMs: number): { closed: number; told: number } {
    const key = `${budgetId} ${periodStartMs}`;
    let window = this.windows.get(key);
    if (window === undefined) this.windows.set(key, (window = { closed: 0, told: 0 }));
    return window;
  }

  slicesOf(budgetId: string, periodStartMs: number): MemorySlice[] {
    return this.slices.filter((each) => each.budgetId === budgetId && each.periodStartMs === periodStartMs);
  }

  /** One transaction. */
  lease(instanceId: string, questions: readonly SliceQuestion[]): SliceAnswer[] {
    this.changes++;
    return questions.map((question) => this.#answer(instanceId, question));
  }

  /** What recovery does with a slice of the dead: closes it with what the ledger says. */
  close(slice: MemorySlice, spent: number): void {
    this.changes++;
    slice.closed = true;
    slice.granted = 0;
    slice.reserved = 0;
    slice.spent = spent;
    this.windowOf(slice.budgetId, slice.periodStartMs).closed += spent;
  }

  #answer(instanceId: string, question: SliceQuestion): SliceAnswer {
    const { budgetId, periodStartMs } = question;
    const about = { budgetId, periodStartMs, toldPercent: undefined };
    const budget = this.budgets.get(budgetId);
    if (budget === undefined || budget.deleted)
      return { ...about, state: 'gone', grantedNano: 0, freeNano: 0, idleNano: 0, limitNano: 0, spentNano: 0 };
    const window = this.windowOf(budgetId, periodStartMs);
    const all = this.slicesOf(budgetId, periodStartMs);
    const mine = all.find((each) => each.instanceId === instanceId);
    const others = all.filter((each) => each !== mine && !each.closed);
    const sum = (pick: (slice: MemorySlice) => number) => others.reduce((total, each) => total + pick(each), 0);
    const room = Math.max(0, budget.limitNano - window.closed - sum((each) => each.granted) - question.keepNano);
    const idleNano = sum((each) => Math.max(0, each.granted - each.spent - each.reserved));
    const spentNano = window.closed + sum((each) => each.spent) + question.spentNano;
    const seen = { ...about, freeNano: room, idleNano, limitNano: budget.limitNano, spentNano };
    if (!this.isAlive(instanceId)) return { ...seen, state: 'dead', grantedNano: mine?.granted ?? 0 };
    if (mine?.closed) return { ...seen, state: 'closed', grantedNano: 0 };
    if (mine !== undefined && mine.version >= question.version) return { ...seen, state: 'stale', grantedNano: mine.granted };
    let extra = 0;
    if (budget.hard && question.needNano <= room) {
      extra = Math.min(room, Math.max(question.needNano, Math.min(question.wantNano, Math.floor(room / (2 * (others.length + 1))))));
    } else if (budget.hard && idleNano > 0) this.onRecall(budgetId);
    const granted = question.closes ? 0 : question.keepNano + extra;
    const slice: MemorySlice = mine ?? {
      ...{ budgetId, periodStartMs, periodEndMs: question.periodEndMs, instanceId, countedFromMs: question.countedFromMs },
      ...{ version: 0, granted: 0, spent: 0, reserved: 0, closed: false },
    };
    if (mine === undefined) this.slices.push(slice);
    slice.version = question.version;
    slice.granted = granted;
    slice.spent = question.spentNano;
    slice.reserved = question.reservedNano;
    slice.closed = question.closes;
    if (question.closes) window.closed += question.spentNano;
    const { limitNano } = budget;
    const crossed =
      limitNano === 0 || spentNano >= limitNano ? 100 : spentNano * 100 >= limitNano * 80 ? 80 : spentNano * 100 >= limitNano * 50 ? 50 : 0;
    const toldPercent = crossed > window.told ? crossed : undefined;
    window.told = crossed;
    return {
      ...seen,
      state: question.closes ? 'closed' : 'open',
      grantedNano: granted,
      freeNano: room - extra,
      toldPercent,
    };
  }
}
