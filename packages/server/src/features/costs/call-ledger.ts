import { errorTraits, HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import { sleep, type Clock, type Timer } from '@holdfast/kit/time';
import type { CallEnding, Ledger, LedgerEntry, ModelCall } from '../../model/index.ts';
import { ledgerCommitted } from './events.ts';
import { GroupCommit } from './group-commit.ts';
import type { InstanceLease } from './instance-lease.ts';
import { auditEventBytes, type PersonalReferences, type WrittenEvent } from '../../platform/audit/index.ts';
import { callEvent } from './call-event.ts';
import { intentBytes, rowBytes } from './ledger-row.ts';
import type { LedgerSpill } from './ledger-spill.ts';
import type { LedgerWrite } from './ledger-store.ts';

export interface CallLedgerOptions {
  /** Commits rows and intents in one statement; `again` when some of them may be there already. */
  readonly write: (batch: readonly LedgerWrite[], again: boolean) => Promise<void>;
  readonly mayPass: (error: unknown) => boolean;
  /** A commit failed in a way that may pass: the database is away. */
  readonly onAway?: () => void;
  /** Where rows and intents go when the database does not take them; without it the answer is withheld. */
  readonly spill?: LedgerSpill;
  /** Whether a call under a hard budget may begin whose intent is on the disk alone. */
  readonly spendOnDisk?: boolean;
  readonly lease: InstanceLease;
  /** What stands in audit events for personal data. */
  readonly references: PersonalReferences;
  readonly clock: Clock;
}

/** How long a row is tried before its answer is withheld: long enough for a failover of a managed database's proxy, short enough for a client. */
const patienceMs = 5_000;
/** And before it is kept on the disk, where there is one for it: what comes later goes there at once. */
const patienceBeforeSpillMs = 1_000;
const pauseMs = 100;
const maxBatch = 256;

/**
 * How long a call may run before its intent is written although no byte is due: calls that end sooner leave one row and
 * no intent. What a crash can hide is thus at most a call of this age that no client has had an answer from.
 */
const intentAfterMs = 10;

/** Milliseconds until an intent that could not be written is tried again, while its call runs on and nobody else asks for it. */
const intentRetryMs = 1_000;

/** A write and the name under which its call was begun. */
interface OwnedWrite extends LedgerWrite {
  /** Undefined: of no call, and so of no lease. */
  readonly instanceId: string | undefined;
  /** What becomes of a call whose answer was withheld because its own row could not be committed in time. */
  readonly late?: () => LedgerWrite;
}

/** The ledger of calls: group commit of intents and rows under the lease of this instance. */
export class CallLedger implements Ledger {
  readonly #commits: GroupCommit<OwnedWrite>;
  readonly #lease: InstanceLease;
  readonly #options: CallLedgerOptions;
  readonly #clock: Clock;
  /** Entries whose intent may have to be written, oldest first; those that settled meanwhile are skipped. */
  #young: Entry[] = [];
  #timer: Timer | undefined;
  /** Entries whose intent was due and could not be written. */
  #unwritten: Entry[] = [];
  #retryTimer: Timer | undefined;
  /** Calls entered and not settled. */
  #open = 0;
  #whenSettled: (() => void)[] = [];

  constructor(options: CallLedgerOptions) {
    this.#commits = new GroupCommit({
      commit: async (batch, again) => {
        // Asked again here, where it counts: since a write began to wait, the process may have stood still for a minute.
        if (!batch.every(({ instanceId }) => instanceId === undefined || options.lease.holds(instanceId))) throw leaseLost();
        await this.#write(batch, again);
      },
      // A batch without its lease is taken apart: those that have theirs are written, the others fail.
      mayPass: (error) => !isLeaseLost(error) && options.mayPass(error),
      // Calls are refused from now on; the lease finds out when they may come again.
      onAway: () => {
        options.lease.beatSoon();
        options.onAway?.();
      },
      // The answer is withheld by now, but what it cost was spent: the row goes on being tried for as long as the lease is held.
      linger: lateWrite,
      clock: options.clock,
      patienceMs: options.spill ? patienceBeforeSpillMs : patienceMs,
      together: options.spill !== undefined,
      pauseMs,
      maxBatch,
    });
    this.#lease = options.lease;
    this.#options = options;
    this.#clock = options.clock;
  }

  /** The name under which calls are entered at this moment. */
  get instanceId(): string {
    return this.#lease.instanceId;
  }

  get available(): boolean {
    const { spill } = this.#options;
    // What the database may not take in a moment has to have a place by then.
    if (spill) return (this.#commits.failedAt === undefined && !spill.active) || spill.takes(this.#open);
    return this.#lease.valid && !this.databaseAway;
  }

  /** The last commit failed for want of the database, which has not been seen to answer since. */
  get databaseAway(): boolean {
    const { failedAt } = this.#commits;
    return failedAt !== undefined && this.#lease.beatenAt <= failedAt;
  }

  /** Where calls are recorded while the database is away, if anywhere. */
  get spill(): LedgerSpill | undefined {
    return this.#options.spill;
  }

  /** Rows and intents that wait to be committed. */
  get queued(): number {
    return this.#commits.owed;
  }

  enter(call: ModelCall): LedgerEntry {
    const entry = new Entry(call, this.#commits, this.#options, this.#clock.monotonic(), this.#onSettled, this.#onUnwritten);
    this.#open++;
    this.#young.push(entry);
    if (this.#timer === undefined) this.#timer = this.#clock.setTimeout(() => this.#age(), intentAfterMs);
    return entry;
  }

  /**
   * Resolves when an audit event is durable that is not of a call with a row. Rejects with `ledger_unavailable` when that could not be
   * learnt in time; it is tried on then.
   */
  async record({ id, organizationId, body, personal }: WrittenEvent): Promise<void> {
    const write = { kind: 'event', bytes: auditEventBytes(id, organizationId, body), personal, instanceId: undefined } as const;
    await commitOrKeep(this.#commits, this.#options.spill, write, true);
  }

  /**
   * Resolves when all that was entered is committed or given up. Calls that were cut end a moment after their connections:
   * they are waited for, up to a bound, or their rows would come when there is nobody to write them any more.
   */
  async flush(): Promise<void> {
    if (this.#open > 0) {
      const settled = new AbortController();
      this.#whenSettled.push(() => settled.abort());
      await sleep(this.#clock, patienceMs, settled.signal).catch(() => {});
    }
    await this.#commits.idle();
  }

  async #write(batch: readonly LedgerWrite[], again: boolean): Promise<void> {
    if (!ledgerCommitted.hasSubscribers) return this.#options.write(batch, again);
    const startedAt = this.#clock.monotonic();
    let outcome: 'completed' | 'failed' = 'failed';
    try {
      await this.#options.write(batch, again);
      outcome = 'completed';
    } finally {
      const count = (wanted: LedgerWrite['kind']): number => batch.filter(({ kind }) => kind === wanted).length;
      ledgerCommitted.publish({ rows: count('row'), intents: count('intent'), durationMs: this.#clock.monotonic() - startedAt, outcome });
    }
  }

  readonly #onSettled = (): void => {
    if (--this.#open > 0) return;
    const waiting = this.#whenSettled;
    this.#whenSettled = [];
    for (const resolve of waiting) resolve();
  };

  readonly #onUnwritten = (entry: Entry): void => {
    this.#unwritten.push(entry);
    if (this.#retryTimer !== undefined) return;
    this.#retryTimer = this.#clock.setTimeout(() => {
      this.#retryTimer = undefined;
      const entries = this.#unwritten;
      this.#unwritten = [];
      for (const each of entries) each.grow();
    }, intentRetryMs);
  };

  #age(): void {
    this.#timer = undefined;
    const due = this.#clock.monotonic() - intentAfterMs;
    let index = 0;
    for (; index < this.#young.length && this.#young[index]!.enteredAt <= due; index++) this.#young[index]!.grow();
    this.#young = this.#young.slice(index);
    if (this.#young.length > 0) this.#timer = this.#clock.setTimeout(() => this.#age(), intentAfterMs);
  }
}

class Entry implements LedgerEntry {
  readonly enteredAt: number;
  /** Until it is recorded. */
  #call: ModelCall | undefined;
  readonly #commits: GroupCommit<OwnedWrite>;
  readonly #lease: InstanceLease;
  readonly #references: PersonalReferences;
  readonly #spill: LedgerSpill | undefined;
  readonly #spendOnDisk: boolean;
  readonly #instanceId: string;
  readonly #onSettled: () => void;
  readonly #onUnwritten: (entry: Entry) => void;
  #intent: Promise<void> | undefined;
  #settled = false;
  durable = false;

  constructor(
    call: ModelCall,
    commits: GroupCommit<OwnedWrite>,
    { lease, references, spill, spendOnDisk = false }: Pick<CallLedgerOptions, 'lease' | 'references' | 'spill' | 'spendOnDisk'>,
    enteredAt: number,
    onSettled: () => void,
    onUnwritten: (entry: Entry) => void,
  ) {
    this.#call = call;
    this.#commits = commits;
    this.#lease = lease;
    this.#references = references;
    this.#spill = spill;
    this.#spendOnDisk = spendOnDisk;
    this.#instanceId = lease.instanceId;
    this.enteredAt = enteredAt;
    this.#onSettled = onSettled;
    this.#onUnwritten = onUnwritten;
  }

  /** Still running after a while: a crash from now on would hide something of worth. */
  grow(): void {
    if (this.#settled || this.durable) return;
    this.makeDurable().catch(() => {
      // A call without a byte asks for its intent no more, and may run for minutes. Without its lease it never gets one, but on the disk.
      if (!this.#settled && (this.#spill || this.#lease.holds(this.#instanceId))) this.#onUnwritten(this);
    });
  }

  makeDurable(): Promise<void> {
    if (this.#call === undefined) return Promise.resolve();
    return (this.#intent ??= this.#commit({ kind: 'intent', bytes: intentBytes(this.#call, this.#instanceId) }).then(
      (place) => {
        this.#requireShared(place);
        this.durable = true;
      },
      (error: unknown) => {
        // A call may outlast an outage: whoever needs the intent later asks the database anew.
        this.#intent = undefined;
        throw error;
      },
    ));
  }

  /**
   * Written too late, when others had settled this instance without it, nothing may be spent of a budget on its word; nor where only this disk knows
   * of it, unless that is wanted. Without a budget over it, a call with a disk to end on goes on.
   */
  #requireShared(place: Place): void {
    const reserves = (this.#call?.record.reservedNanoUsd ?? 0) > 0;
    if ((reserves || !this.#spill) && !this.#lease.holds(this.#instanceId)) throw leaseLost();
    if (!reserves || place === 'database' || this.#spendOnDisk) return;
    const detail = 'the database is away, and what is reserved is known to this disk alone';
    throw new HoldfastError('budget_unavailable', { detail, retryAfterSeconds: 1 });
  }

  settle(ending: CallEnding): Promise<void> {
    this.#settled = true;
    const call = this.#call!;
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void => {
        this.#onSettled();
        reject(error as Error);
      };
      const recorded = (): void => {
        this.#onSettled();
        this.durable = true;
        // The ledger looks at its entries some milliseconds later: by then they are many, and all that hangs on a call would live as long.
        this.#call = undefined;
        resolve();
      };
      try {
        const { bytes, event, personal } = this.#row(call, ending);
        const late = (): LedgerWrite => this.#row(call, withheld(ending));
        const write: OwnedWrite = { kind: 'row', bytes, event, personal, late, instanceId: this.#instanceId };
        const holdsLease = this.#lease.holds(this.#instanceId);
        if (this.#spill?.active || !holdsLease) {
          commitOrKeep(this.#commits, this.#spill, write, holdsLease).then(recorded, failed);
          return;
        }
        // As every call but those in an outage comes: without a promise more.
        const withoutDatabase = (cause: unknown): void => {
          keepOrWithhold(this.#commits, this.#spill, write, cause).then(recorded, failed);
        };
        this.#commits.put(write, (error) => (error === undefined ? recorded() : withoutDatabase(error)));
      } catch (error) {
        failed(error);
      }
    });
  }

  #row(call: ModelCall, ending: CallEnding): LedgerWrite & { readonly event: Buffer } {
    const { bytes, personal } = callEvent(call, ending, this.#references);
    return { kind: 'row', bytes: rowBytes(call, this.#instanceId, ending), event: bytes, personal };
  }

  async #commit(write: Omit<OwnedWrite, 'instanceId'>): Promise<Place> {
    // After its lease ran out, another instance may have settled this call as interrupted: a second row would not count.
    const holdsLease = this.#lease.holds(this.#instanceId);
    return commitOrKeep(this.#commits, this.#spill, { ...write, instanceId: this.#instanceId }, holdsLease);
  }
}

/** Where a write is durable. */
type Place = 'database' | 'disk';

/** Resolves when the write is durable: in the database, or on the disk where that is away and there is one. */
async function commitOrKeep(
  commits: GroupCommit<OwnedWrite>,
  spill: LedgerSpill | undefined,
  write: OwnedWrite,
  holdsLease: boolean,
): Promise<Place> {
  if (spill?.active) return keep(spill, commits, write, undefined);
  if (!holdsLease) {
    if (spill) return keep(spill, commits, write, leaseLost());
    throw leaseLost();
  }
  try {
    await commits.add(write);
    return 'database';
  } catch (cause) {
    return keepOrWithhold(commits, spill, write, cause);
  }
}

async function keepOrWithhold(
  commits: GroupCommit<OwnedWrite>,
  spill: LedgerSpill | undefined,
  write: OwnedWrite,
  cause: unknown,
): Promise<Place> {
  if (spill && isHoldfastError(cause)) return keep(spill, commits, write, cause);
  if (isLeaseLost(cause)) throw cause;
  throw uncommitted(write, cause);
}

/** A replay puts a row in the place of one that says `interrupted`, so that neither outage nor lost lease costs an answer. */
async function keep(
  spill: LedgerSpill,
  commits: GroupCommit<OwnedWrite>,
  write: OwnedWrite,
  reason: HoldfastError | undefined,
): Promise<Place> {
  try {
    await spill.keep(write, reason === undefined || !isLeaseLost(reason));
    return 'disk';
  } catch (cause) {
    // The answer is withheld, but what it cost was spent: whichever of the two takes it first has it. Twice is once.
    const late = lateWrite(write);
    if (late) {
      spill.keepLater(late);
      commits.linger(write);
    }
    throw uncommitted(write, cause);
  }
}

/** What is tried on of a write that nobody waits for any more; undefined: nothing. */
function lateWrite(write: OwnedWrite): OwnedWrite | undefined {
  return write.kind === 'event' ? write : write.late && { ...write.late(), instanceId: write.instanceId };
}

function uncommitted({ kind }: LedgerWrite, cause: unknown): HoldfastError {
  return new HoldfastError('ledger_unavailable', {
    detail: `the ${kind} could not be committed: ${String(cause)}`,
    cause,
    retryAfterSeconds: 1,
  });
}

function leaseLost(): HoldfastError {
  return new HoldfastError('ledger_unavailable', { detail: 'the lease of this instance ran out while the call was running' });
}

/** What writes to the database says `database_unavailable` or `disk_full`; this code comes from here alone. */
function isLeaseLost(error: unknown): boolean {
  return isHoldfastError(error) && error.code === 'ledger_unavailable';
}

/** How a call ended whose row came too late for its answer. A failure stays what it was. */
function withheld(ending: CallEnding): CallEnding {
  if (ending.outcome !== 'completed') return ending;
  const { code, status } = errorTraits('ledger_unavailable');
  return { ...ending, outcome: 'failed', errorCode: code, status };
}
