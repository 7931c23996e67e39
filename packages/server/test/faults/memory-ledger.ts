import type { CallEnding, Ledger, ModelCall } from '../../src/model/index.ts';

/** A row as a call left it. */
export interface LedgerRow extends CallEnding {
  readonly model: string;
  readonly provider: string | undefined;
  readonly attempts: ModelCall['record']['attempts'];
  readonly layers: Readonly<Record<string, number>>;
}

/** A ledger that forgets with the process: what is tested before it needs no database. */
export class MemoryLedger implements Ledger {
  readonly rows: LedgerRow[] = [];
  readonly available = true;
  #open = 0;

  /** Calls that were entered and not settled. */
  get open(): number {
    return this.#open;
  }

  enter(call: ModelCall) {
    this.#open += 1;
    let durable = false;
    return {
      get durable() {
        return durable;
      },
      makeDurable: async () => void (durable = true),
      settle: async (ending: CallEnding) => {
        this.#open -= 1;
        const { attempts, layers, provider } = call.record;
        this.rows.push({ ...ending, model: call.model, provider, attempts: [...attempts], layers });
      },
    };
  }
}
