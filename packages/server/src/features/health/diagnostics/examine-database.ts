import type { DatabaseFacts } from '../../../platform/postgres/index.ts';
import { findingOf, type Finding } from './finding.ts';

export interface DatabaseExpectations {
  /** What one instance may open. */
  readonly maxConnections: number;
  /** That live on this database; undefined when it could not be learnt. */
  readonly instances: number | undefined;
}

const slowRoundTripMs = 20;
const clockSkewMs = 1_000;
const lockWaitMs = 2_000;
const longTransactionMs = 5 * 60_000;
const idleTransactionMs = 60_000;
const lagMs = 10_000;
const lagBytes = 256 * 2 ** 20;
const retainedBytes = 2 ** 30;
/** Autovacuum forces itself on tables at 0.2 × 10⁹; this far it comes only when it is kept from it. */
const wraparoundAge = 1_000_000_000;

/** What the facts mean. */
export function examineDatabase(facts: DatabaseFacts, { maxConnections, instances }: DatabaseExpectations): Finding[] {
  const findings: Finding[] = [];
  const add = (is: boolean, ...found: Parameters<typeof findingOf>): void => {
    if (is) findings.push(findingOf(...found));
  };
  add(facts.roundTripMs > slowRoundTripMs, 'database_slow', { round_trip_ms: facts.roundTripMs, expected_below_ms: slowRoundTripMs });
  // The half of a round trip that is not known must not be taken for skew.
  const skew = Math.max(0, Math.abs(facts.clockSkewMs) - facts.roundTripMs / 2);
  add(skew > clockSkewMs, 'clock_skew', { database_ahead_ms: facts.clockSkewMs, uncertain_by_ms: Math.ceil(facts.roundTripMs / 2) });
  const used = facts.usedConnections ?? 0;
  const connections = { used, usable: facts.maxConnections };
  add(used > facts.maxConnections * 0.9, 'database_connections_short', connections);
  add(maxConnections * (instances ?? 1) > facts.maxConnections, 'database_ceiling_too_high', {
    per_instance: maxConnections,
    instances: instances ?? null,
    usable: facts.maxConnections,
  });
  const { lockWaits, transactions } = facts;
  add((lockWaits?.longestMs ?? 0) > lockWaitMs, 'database_locks', {
    waiting: lockWaits?.waiting ?? 0,
    longest_ms: Math.round(lockWaits?.longestMs ?? 0),
  });
  const longest = Math.round(transactions?.longestMs ?? 0);
  const idle = Math.round(transactions?.longestIdleMs ?? 0);
  add(longest > longTransactionMs || idle > idleTransactionMs, 'database_long_transaction', { longest_ms: longest, longest_idle_ms: idle });
  list('database_bloat', facts.bloated, ({ table, dead, live }) => `${table}: ${dead} dead, ${live} live`);
  list('database_sequential_scans', facts.scanned, ({ table, live, scans }) => `${table}: ${scans} scans of ${live} rows`);
  list('database_foreign_keys_without_index', facts.foreignKeysWithoutIndex, ({ table, constraint }) => `${table}: ${constraint}`);
  list('database_invalid_index', facts.invalidIndexes, (name) => name);
  const behind = facts.standbys?.filter((each) => (each.lagMs ?? 0) > lagMs || (each.lagBytes ?? 0) > lagBytes);
  list('database_replication_lag', behind, (each) => `${each.name}: ${Math.round(each.lagMs ?? 0)} ms, ${each.lagBytes ?? 0} bytes`);
  const retaining = facts.replicationSlots?.filter((slot) => !slot.active && slot.retainedBytes > retainedBytes);
  list('database_slot_retains_wal', retaining, (slot) => `${slot.name}: ${slot.retainedBytes} bytes`);
  add((facts.transactionAge ?? 0) > wraparoundAge, 'database_wraparound_near', { age: facts.transactionAge ?? 0 });
  list('database_partly_seen', facts.unanswered, ({ question, reason }) => `${question}: ${reason}`);

  function list<Each>(code: Parameters<typeof findingOf>[0], found: readonly Each[] | undefined, say: (each: Each) => string): void {
    if (found && found.length > 0) findings.push(findingOf(code, { found: found.map(say) }));
  }
  return findings;
}
