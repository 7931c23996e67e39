import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import { exploreSchedules, type SimulatedProcess, type Simulation } from '@holdfast/kit/testing';
import { sleep } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { CallLedger, InstanceLease, LedgerSpill, type SpillStorage } from '../../src/features/costs/index.ts';
import { deadAfterMs } from '../../src/features/costs/instance-lease.ts';
import { rowColumns, type LedgerWrite } from '../../src/features/costs/ledger-store.ts';
import { leadingId, readSpilled } from '../../src/features/costs/spilled-write.ts';
import { SpillError, type ReplayTarget } from '../../src/platform/spill/index.ts';
import { ending } from '../costs/fixture.ts';
import { createModelCall } from '../support/model-call.ts';
import { createReferences } from '../support/personal-references.ts';

const recoveryEveryMs = 30_000;
/** Longer than others wait until they hold an instance for dead. */
const maxStandstillMs = 80_000;
const timeoutMs = process.env['SIMULATION_SCHEDULES'] === undefined ? 30_000 : 0;
const references = createReferences();
const away = () => new HoldfastError('database_unavailable');
const outcomeColumn = rowColumns.split(',').findIndex((name) => name.trim() === 'outcome');

/** A field of a composite value, as text. */
function fieldOf(bytes: Buffer, index: number): string {
  let at = 4;
  for (let field = 0; field < index; field++) at += 8 + Math.max(bytes.readInt32BE(at + 4), 0);
  return bytes.toString('utf8', at + 8, at + 8 + bytes.readInt32BE(at + 4));
}
const instanceOf = (bytes: Buffer): string => {
  let at = 4;
  for (let field = 0; field < 2; field++) at += 8 + Math.max(bytes.readInt32BE(at + 4), 0);
  return leadingId(bytes.subarray(at - 4));
};

/** What is stored, by the rules of the statements: test/costs/ledger-spill.test.ts has those of the real ones. */
class Database {
  readonly rows = new Map<string, string>();
  readonly intents = new Map<string, string>();
  readonly seenAt = new Map<string, number>();
  readonly markers = new Map<string, number>();
  /** Of each call, the outcomes that its events tell, in their order. */
  readonly events = new Map<string, string[]>();

  insert(id: string, outcome: string): boolean {
    if (this.rows.has(id)) return false;
    this.rows.set(id, outcome);
    this.events.set(id, [...(this.events.get(id) ?? []), outcome]);
    return true;
  }

  write(batch: readonly LedgerWrite[], again: boolean): void {
    const taken = ({ kind, bytes }: LedgerWrite) => (kind === 'row' ? this.rows : this.intents).has(leadingId(bytes));
    if (!again && batch.some(taken)) throw new Error('duplicate key');
    for (const { kind, bytes } of batch) {
      if (kind === 'row') this.insert(leadingId(bytes), fieldOf(bytes, outcomeColumn));
      else if (!this.intents.has(leadingId(bytes))) this.intents.set(leadingId(bytes), instanceOf(bytes));
    }
  }

  apply(segment: string, from: number, records: readonly Buffer[]): void {
    if ((this.markers.get(segment) ?? 0) !== from) throw away();
    this.markers.set(segment, from + records.length);
    const read = records.map(readSpilled);
    for (const { row } of read) {
      if (!row) continue;
      const id = leadingId(row);
      if (this.rows.get(id) === 'interrupted') this.rows.delete(id);
      this.insert(id, fieldOf(row, outcomeColumn));
    }
    for (const { intent } of read) {
      if (intent && !this.rows.has(leadingId(intent)) && !this.intents.has(leadingId(intent)))
        this.intents.set(leadingId(intent), instanceOf(intent));
    }
  }

  recover(self: string, nowMs: number): void {
    for (const [id, instance] of this.intents) {
      if (this.rows.has(id)) this.intents.delete(id);
      else if (instance !== self && nowMs - (this.seenAt.get(instance) ?? Number.NEGATIVE_INFINITY) >= deadAfterMs)
        this.insert(id, 'interrupted');
    }
  }
}

/** The disk of one machine, which outlives its processes: files of records, the last of which is written. */
class Disk {
  readonly files: { readonly id: string; readonly records: Buffer[] }[] = [];
  full = false;
  readonly #name: string;
  #ids = 0;

  constructor(name: string) {
    this.#name = name;
  }

  newFile(): { readonly id: string; readonly records: Buffer[] } {
    const file = { id: `${this.#name}/${this.#ids++}`, records: [] };
    this.files.push(file);
    return file;
  }
}

/** A spill on such a disk: one write at a time, each of them synced; a file of an earlier process is never written again. */
function spillOn(disk: Disk, process: SimulatedProcess): SpillStorage {
  const left = new Set(disk.files);
  let current: Disk['files'][number] | undefined;
  let writing: Promise<unknown> = Promise.resolve();
  const write = (record: Buffer) =>
    process.request('sync', () => {
      if (disk.full) throw new Error('no space left');
      (current ??= disk.newFile()).records.push(record);
    });
  return {
    get bytes() {
      return disk.files.length;
    },
    get empty() {
      return left.size === 0 && current === undefined;
    },
    hasRoomFor: () => true,
    append(record) {
      const appended = writing.then(() =>
        write(Buffer.from(record)).catch((cause: unknown) => {
          // What this file has of it is not known: the next record begins another one.
          if (current) left.add(current);
          current = undefined;
          throw new SpillError('disk', 'could not be written', { cause });
        }),
      );
      writing = appended.catch(() => {});
      return appended;
    },
    async probe() {
      await process.step('probes the disk');
      if (disk.full) throw new SpillError('disk', 'no space left');
    },
    async replay(target) {
      let taken = 0;
      for (;;) {
        await writing;
        if (left.size === 0) {
          if (current === undefined) return taken;
          left.add(current);
          current = undefined;
        }
        const [file] = left as unknown as Iterable<Disk['files'][number]>;
        const applied = await target.applied(file!.id);
        for (let from = applied; from < file!.records.length; from += 2) {
          const part = file!.records.slice(from, from + 2);
          await target.apply(file!.id, from, part);
          taken += part.length;
        }
        await process.step('removes a file');
        disk.files.splice(disk.files.indexOf(file!), 1);
        left.delete(file!);
        await target.forget(file!.id);
      }
    },
    async close() {
      await writing;
    },
  };
}

class World {
  readonly simulation: Simulation;
  readonly database = new Database();
  readonly disks: readonly Disk[];
  /** Machines that cannot reach the database. */
  readonly cutOff = new Set<number>();
  /** Calls whose clients have a whole answer. */
  readonly whole = new Set<string>();
  /** Calls whose clients have a first byte. */
  readonly begun = new Set<string>();
  readonly processes: (SimulatedProcess | undefined)[] = [];
  calling = true;
  spilled = 0;
  #ids = 0;

  constructor(simulation: Simulation, machines: number) {
    this.simulation = simulation;
    this.disks = Array.from({ length: machines }, (_, machine) => new Disk(`disk ${machine}`));
  }

  newId(): string {
    return `00000000-0000-7000-8000-${(++this.#ids).toString(16).padStart(12, '0')}`;
  }

  start(machine: number): void {
    const process = this.simulation.process(`machine ${machine}`);
    this.processes[machine] = process;
    const again = () => void this.simulation.clock.setTimeout(() => this.start(machine), 2_000 + this.simulation.random.next() * 90_000);
    process.onCrash(again);
    process.spawn(async () => {
      try {
        await this.serve(machine, process);
      } catch (error) {
        if (!isHoldfastError(error)) throw error;
        // It could not begin without its database: somebody starts it again.
        process.crash();
      }
    });
  }

  /** In the order of composition/ledger.ts. */
  async serve(machine: number, process: SimulatedProcess): Promise<void> {
    const { database, simulation } = this;
    const { clock } = process;
    const ask = async <Result>(what: string, effect: () => Result): Promise<Result> => {
      if (this.cutOff.has(machine)) {
        // At once, or after what a commit is given.
        await (simulation.random.next() < 0.5 ? process.step('is refused') : sleep(clock, 2_500));
        throw away();
      }
      return process.request(what, effect).catch((error: unknown) => {
        throw error instanceof Error && error.message === 'duplicate key' ? error : away();
      });
    };
    const lease = new InstanceLease({
      beat: (id) => ask('beat', () => void database.seenAt.set(id, simulation.clock.now())),
      newId: () => this.newId(),
      clock,
    });
    await lease.start();
    const target: ReplayTarget = {
      applied: (segment) => ask('marker', () => database.markers.get(segment) ?? 0),
      apply: (segment, from, records) => ask('apply', () => database.apply(segment, from, records)),
      forget: (segment) => ask('forget', () => void database.markers.delete(segment)),
    };
    const opened: { ledger?: CallLedger } = {};
    const spill = new LedgerSpill({
      spill: spillOn(this.disks[machine]!, process),
      maxBytes: 1_000_000,
      target: (onReplayed) => ({
        ...target,
        async apply(segment, from, records) {
          await target.apply(segment, from, records);
          onReplayed({ rows: records.length, superseded: 0, intents: 0, events: 0 });
        },
      }),
      mayReplay: () => lease.valid && opened.ledger?.databaseAway !== true,
      clock,
    });
    if (!spill.empty) await spill.replay().catch((error: unknown) => spill.noteFailure(error));
    const recover = () => ask('recover', () => database.recover(lease.instanceId, simulation.clock.now()));
    await recover().catch(() => {});
    process.spawn(async () => {
      for (;;) {
        await sleep(clock, recoveryEveryMs);
        await recover().catch(() => {});
      }
    });
    const ledger = (opened.ledger = new CallLedger({
      write: (batch, again) => ask('commit', () => database.write(batch, again)),
      mayPass: isHoldfastError,
      ...{ lease, references, clock, spill },
    }));
    for (;;) {
      await sleep(clock, simulation.random.next() * 6_000);
      if (!this.calling || !ledger.available) continue;
      if (spill.active) this.spilled++;
      process.spawn(() => this.call(ledger, process));
    }
  }

  async call(ledger: CallLedger, process: SimulatedProcess): Promise<void> {
    const { random } = this.simulation;
    const id = this.newId();
    const organizationId = '00000000-0000-7000-8000-000000000000';
    const call = createModelCall({ id, principal: { organizationId, keyId: organizationId }, context: { startedAt: process.clock.now() } });
    const entry = ledger.enter(call);
    try {
      const streams = random.next() < 0.6;
      if (streams) {
        await sleep(process.clock, random.next() * 50);
        await entry.makeDurable();
        this.begun.add(id);
      }
      await sleep(process.clock, random.next() < 0.1 ? random.next() * 100_000 : random.next() * 2_000);
    } catch (error) {
      if (!isHoldfastError(error)) throw error;
      await entry.settle({ ...ending(), outcome: 'failed', errorCode: error.code, usage: undefined }).catch(() => {});
      return;
    }
    await entry.settle(ending()).then(
      () => void this.whole.add(id),
      (error: unknown) => {
        if (!isHoldfastError(error)) throw error;
      },
    );
  }

  /** Whatever fell apart comes together again, and everything that is kept comes home. */
  async heal(): Promise<void> {
    this.calling = false;
    this.simulation.calm();
    this.cutOff.clear();
    for (const disk of this.disks) disk.full = false;
    await this.simulation.run(2 * deadAfterMs + maxStandstillMs + 4 * recoveryEveryMs);
  }

  judge(): void {
    const { rows, intents, events } = this.database;
    for (const id of this.whole)
      if (rows.get(id) !== 'completed') throw new Error(`${id} is whole at its client and stored as ${rows.get(id)}`);
    for (const id of this.begun) if (!rows.has(id)) throw new Error(`${id} was seen by its client and is not stored`);
    if (intents.size > 0) throw new Error(`intents are left: ${[...intents.keys()].join(', ')}`);
    for (const [id, outcome] of rows) {
      const told = events.get(id)!;
      const right = told.length === 1 ? told[0] === outcome : told.length === 2 && told[0] === 'interrupted' && told[1] === outcome;
      if (!right) throw new Error(`${id} is stored as ${outcome}, and its events say ${told.join(', ')}`);
    }
    const left = this.disks.flatMap(({ files }) => files.filter(({ records }) => records.length > 0));
    if (left.length > 0) throw new Error('records are left on a disk');
  }
}

test(
  'whatever instances, their network, their disks and the database do, what a client has whole is stored as that, once, and told once',
  async () => {
    let [whole, spilled, superseded] = [0, 0, 0];
    const { schedules } = await exploreSchedules({
      schedules: 120,
      environment: process.env,
      firstSeed: 5_000,
      faults: { crash: 0.0008, lostRequest: 0.01, lostAnswer: 0.01, standstill: 0.0004 },
      maxStandstillMs,
      lost: away,
      async play(simulation) {
        const world = new World(simulation, 2);
        for (const machine of world.disks.keys()) world.start(machine);
        const trouble = (): void => {
          const machine = Math.floor(simulation.random.next() * 2);
          const kind = simulation.random.next();
          const lastsMs = simulation.random.next() < 0.3 ? simulation.random.next() * 120_000 : simulation.random.next() * 8_000;
          if (kind < 0.7) {
            world.cutOff.add(machine);
            simulation.clock.setTimeout(() => void world.cutOff.delete(machine), lastsMs);
          } else {
            world.disks[machine]!.full = true;
            simulation.clock.setTimeout(() => void (world.disks[machine]!.full = false), lastsMs);
          }
          if (world.calling) simulation.clock.setTimeout(trouble, simulation.random.next() * 60_000);
        };
        simulation.clock.setTimeout(trouble, simulation.random.next() * 20_000);
        await simulation.run(240_000);
        await world.heal();
        world.judge();
        whole += world.whole.size;
        spilled += world.spilled;
        superseded += [...world.database.events.values()].filter(({ length }) => length === 2).length;
      },
    });
    // Or nothing was proven.
    if (schedules > 1) expect(Math.min(whole / schedules, spilled, superseded)).toBeGreaterThan(5);
  },
  timeoutMs,
);
