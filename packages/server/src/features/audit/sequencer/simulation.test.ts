import { expect, test } from 'vitest';
import {
  auditEventText,
  CompactRange,
  hashLeaf,
  pendingNodes,
  TiledTree,
  tileLevels,
  type AuditEvent,
  type Tile,
} from '@holdfast/kit/audit';
import { HoldfastError } from '@holdfast/kit/errors';
import { exploreSchedules, type SimulatedProcess, type Simulation } from '@holdfast/kit/testing';
import { createUuidV7, sleep } from '@holdfast/kit/time';
import { instanceSeries } from '../log-head.ts';
import { AuditSequencer } from './sequencer.ts';
import type { LogGrowth, PlacedLeaf, SequencerSession, WaitingEvent } from './session.ts';

// Instances that crash, stand still for minutes and lose answers, over a store that does what one statement of PostgreSQL does. Whatever happens: one
// log, in which each event has one place, its series have no gaps, and nothing that was handed over is missing in the end.

interface Row {
  readonly event: AuditEvent;
  readonly seq: number;
  /** Order of things in the world: when its insert and when its commit happened. */
  readonly insertedAt: number;
  committedAt: number | undefined;
}

const organizations = ['01970000-0000-7000-8000-000000000001', '01970000-0000-7000-8000-000000000002', null] as const;

/** What was found first. In the store an exception would only be an answer that the sequencer gets. */
let broken: string | undefined;

/** `expect` takes longer than all that it would look at. */
function demand(holds: boolean, what: string): void {
  if (!holds) broken ??= what;
}

function assertUnbroken(): void {
  if (broken !== undefined) throw new Error(`not so: ${broken}`);
}

/** What PostgreSQL holds. Every method is one statement. */
class World {
  epoch = 0;
  lockedBy: object | undefined;
  #seq = 0;
  #moment = 0;
  readonly inbox = new Map<number, Row>();
  readonly handedOver = new Map<string, Row>();
  readonly log: PlacedLeaf[] = [];
  readonly rejected: { readonly seq: number; readonly id: string }[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #ids = new Map<string, PlacedLeaf>();
  readonly #tiles = new Map<string, Tile>();
  #tail: Buffer = Buffer.alloc(0);
  /** Grown leaf by leaf, apart from what the sequencer computes. */
  readonly #range = new CompactRange();
  readonly poison = new Set<string>();

  insert(event: AuditEvent): Row {
    return { event, seq: ++this.#seq, insertedAt: ++this.#moment, committedAt: undefined };
  }

  /** Becomes visible: which may be later than that of a row that was inserted after it. */
  commitInsert(row: Row): void {
    row.committedAt = ++this.#moment;
    this.inbox.set(row.seq, row);
    if (!this.handedOver.has(row.event.id)) this.handedOver.set(row.event.id, row);
  }

  pending(): Buffer[] {
    return Array.from({ length: tileLevels(this.log.length) }, (_, level) => {
      if (level === 0) return this.#tail;
      const { begin, count } = pendingNodes(this.log.length, level);
      return Buffer.concat(Array.from({ length: count }, (_each, at) => this.#tiles.get(`${level - 1}/${begin + at}`)!.root));
    });
  }

  get root(): Buffer {
    return this.#range.root();
  }

  waiting(limit: number, without: readonly number[]): WaitingEvent[] {
    const rows = [...this.inbox.values()].filter(({ seq }) => !without.includes(seq)).sort((a, b) => a.seq - b.seq);
    return rows.slice(0, limit).map(({ seq, event }) => ({
      ...{ seq, id: event.id, organizationId: event.organization_id, body: auditEventText(event) },
      lastNumber: this.#numbers.get(event.organization_id ?? instanceSeries) ?? 0,
      logged: this.#ids.get(event.id),
    }));
  }

  grow(growth: LogGrowth): boolean {
    if (growth.epoch !== this.epoch || growth.oldSize !== this.log.length) return false;
    if (growth.leaves.some(({ id }) => this.poison.has(id))) throw new Error('a constraint');
    for (const leaf of growth.leaves) {
      const series = leaf.organizationId ?? instanceSeries;
      demand(leaf.index === this.log.length && !this.#ids.has(leaf.id), 'each event has a place of its own');
      demand(leaf.number === (this.#numbers.get(series) ?? 0) + 1, 'numbers of a series have no gaps');
      this.#numbers.set(series, leaf.number);
      this.#ids.set(leaf.id, leaf);
      this.log.push(leaf);
      this.#range.append(hashLeaf(Buffer.from(leaf.leaf)));
    }
    for (const [series, number] of growth.lastNumbers) demand(number === this.#numbers.get(series), 'the last number is stored');
    for (const tile of growth.tiles) this.#tiles.set(`${tile.level}/${tile.index}`, tile);
    for (const { seq } of growth.rejected) this.rejected.push({ seq, id: this.inbox.get(seq)!.event.id });
    for (const seq of growth.seqs) demand(this.inbox.delete(seq), 'what leaves the inbox was in it');
    this.#tail = growth.tail;
    const { root } = this;
    const signed = growth.note?.split('\n').slice(0, 3).join(' ');
    demand(growth.size === this.log.length && growth.root.equals(root), 'the tree is that of the leaves');
    demand(
      signed === (growth.leaves.length === 0 ? undefined : `log ${this.log.length} ${root.toString('base64')}`),
      'what is signed is what is stored',
    );
    return true;
  }
}

function openSession(world: World, simulation: Simulation, process: SimulatedProcess): SequencerSession {
  const connection = {};
  let open = true;
  const ask = <Result>(what: string, effect: () => Result): Promise<Result> => process.request(what, effect);
  // The other end learns late that nobody is there any more, and holds the lock until then.
  const release = (): void => {
    if (!open) return;
    open = false;
    simulation.clock.setTimeout(() => {
      if (world.lockedBy === connection) world.lockedBy = undefined;
    }, simulation.random.next() * 5_000);
  };
  process.onCrash(release);
  return {
    survey: () =>
      ask('survey', () => {
        if (open) world.lockedBy ??= connection;
        const oldestSeq = [...world.inbox.keys()].sort((a, b) => a - b)[0];
        return {
          ...{ elected: world.lockedBy === connection, epoch: world.epoch, size: world.log.length, oldestSeq },
          ...{ oldestWaitedMs: 0, waiting: world.inbox.size },
        };
      }),
    claim: () =>
      ask('claim', () => {
        world.epoch++;
        const signer = { name: 'log', sign: () => '\u2014 log AAAA\n' };
        return { origin: 'log', epoch: world.epoch, size: world.log.length, root: world.root, pending: world.pending(), signers: [signer] };
      }),
    readWaiting: (limit, without) => ask('read', () => world.waiting(limit, without)),
    commit: (growth) => ask('commit', () => world.grow(growth)),
    maintain: (epoch) => ask('maintain', () => ({ elected: epoch === world.epoch, more: false })),
    close: () => Promise.resolve(release()),
  };
}

async function play(simulation: Simulation): Promise<void> {
  const world = new World();
  broken = undefined;
  simulation.always(assertUnbroken);
  const createId = createUuidV7(simulation.clock, simulation.random);
  const startInstance = (name: string): void => {
    const process = simulation.process(name);
    const sequencer = new AuditSequencer({
      openSession: () => process.step('connects').then(() => openSession(world, simulation, process)),
      createId,
      breathe: () => process.step('breathes'),
      clock: process.clock,
      bufferSize: 4,
      batchSize: 2,
    });
    process.spawn(() => {
      sequencer.start();
      return Promise.resolve();
    });
    process.onCrash(() => simulation.clock.setTimeout(() => startInstance(`${name}'`), simulation.random.next() * 20_000));
  };
  for (const name of ['a', 'b', 'c']) startInstance(name);

  for (let appender = 0; appender < 3; appender++) {
    const process = simulation.process(`appender ${appender}`);
    process.spawn(async () => {
      for (let turn = 0; turn < 6; turn++) {
        const at = new Date(simulation.clock.now()).toISOString();
        const event: AuditEvent = {
          ...{ v: 1, id: createId(), at, type: 'test.done', outcome: 'success', organization_id: organizations[(appender + turn) % 3]! },
          ...{ actor: { type: 'system' }, resource: null, details: { appender, turn } },
        };
        if (simulation.random.next() < 0.03) world.poison.add(event.id);
        for (let tries = 0; tries < 3; tries++) {
          // A repeat after a lost answer is a row of its own, with the same id.
          const answered = await process
            .request('insert', () => world.insert(event))
            .then((row) => process.request('commit of the insert', () => world.commitInsert(row)))
            .then(
              () => true,
              () => false,
            );
          if (answered) break;
        }
        await sleep(process.clock, simulation.random.next() * 4_000);
      }
    });
  }

  await simulation.run(25_000);
  simulation.calm();
  // Whoever stands still wakes up, locks of the dead are found, whoever does nothing is deposed.
  for (let turn = 0; turn < 12 && (turn < 2 || world.inbox.size > 0); turn++) await simulation.run(5_000);

  expect([...world.inbox.keys()]).toEqual([]);
  const places = new Map(world.log.map(({ id, index }) => [id, index]));
  const rejectedIds = new Set(world.rejected.map(({ id }) => id));
  for (const { event } of world.handedOver.values()) {
    demand(places.has(event.id) !== rejectedIds.has(event.id), 'every event has a place, or the log says that it was rejected');
  }
  for (const id of rejectedIds) demand(world.poison.has(id), 'nothing is rejected without a reason');
  const placed = [...world.handedOver.values()].filter(({ event }) => places.has(event.id));
  for (const earlier of placed) {
    for (const later of placed) {
      const inOrder = places.get(earlier.event.id)! < places.get(later.event.id)!;
      demand(inOrder || earlier.committedAt! > later.insertedAt, 'what was committed first comes before what was inserted later');
    }
  }
  assertUnbroken();
  expect(new TiledTree(world.log.length, world.pending()).root()).toEqual(world.root);
}

test('one log comes of it, whoever crashes, stands still or loses answers', async () => {
  const explored = await exploreSchedules({
    schedules: 200,
    firstSeed: 1,
    environment: process.env,
    maxStandstillMs: 30_000,
    faults: { crash: 0.002, lostRequest: 0.02, lostAnswer: 0.02, standstill: 0.004 },
    lost: () => new HoldfastError('database_unavailable', { detail: 'the connection was lost' }),
    play,
  });
  expect(explored.steps).toBeGreaterThan(explored.schedules * 100);
});
