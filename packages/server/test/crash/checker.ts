import type { ClientLine, Crash, Evidence, StoredCall, UpstreamArrival } from './evidence.ts';

export const lostKinds = [
  'whole without a row',
  'whole, but not stored as completed',
  'seen, but without a row',
  'overtaken, but without a row',
  'answered before the crash, but without a row',
  'event missing',
] as const;
export const doubledKinds = ['two rows', 'one id twice', 'event doubled'] as const;
export const wrongKinds = [
  'intent left',
  'row of nobody',
  'completed out of nothing',
  'wrong tokens',
  'wrong cost',
  'wrong description',
  'no UUID of version 7',
  'answer with a gap',
  'cut shown as success',
  'stuck',
  'log does not verify',
  'gap in the numbers',
  'event of nobody',
  'event differs',
  'budget passed',
  'budget leaked',
  'budget forgot',
] as const;

/** Those of the kinds that `checkLog` finds. */
export const logKinds = [
  'event missing',
  'event doubled',
  'log does not verify',
  'gap in the numbers',
  'event of nobody',
  'event differs',
] as const;

/** And `checkBudgets`. */
export const budgetKinds = ['budget passed', 'budget leaked', 'budget forgot'] as const;

export type ViolationKind = (typeof lostKinds)[number] | (typeof doubledKinds)[number] | (typeof wrongKinds)[number];

export interface Violation {
  readonly kind: ViolationKind;
  /** The marker of the call, or the id of a row that has none. */
  readonly marker: string;
  readonly detail: string;
}

export interface Counts {
  readonly calls: number;
  readonly whole: number;
  /** Clients that saw a byte of an answer and not all of it. */
  readonly partial: number;
  /** Clients that got an error, or nothing. */
  readonly without: number;
  readonly rows: number;
  readonly rowsByOutcome: Readonly<Record<string, number>>;
  /** Committed, and killed before the client had it: no fault. */
  readonly storedUnreceived: number;
  /** Seen by the upstream alone, too young for an intent when the crash came: allowed, and the price of having no intent for short calls. */
  readonly unrecorded: number;
  /** Age of the oldest of them at the crash, in milliseconds. */
  readonly oldestUnrecordedMs: number;
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: number;
}

export interface Finding {
  readonly violations: readonly Violation[];
  readonly counts: Counts;
}

export interface CheckOptions {
  /** Nano-dollars for one token, by the model served. */
  readonly prices: Readonly<Record<string, { readonly prompt: number; readonly completion: number }>>;
  /**
   * A call must be known once another one that was sent so much later than it came to the upstream was answered whole: intents and
   * rows are committed in the order in which they come. Told by order and not by age, because a machine may stand still.
   */
  readonly overtakenAfterMs: number;
}

const uuidV7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

/** The same finding with what others found. */
export function withViolations({ violations, counts }: Finding, further: readonly Violation[]): Finding {
  const ofKinds = (kinds: readonly string[]) => further.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    violations: [...violations, ...further],
    counts: {
      ...counts,
      lost: counts.lost + ofKinds(lostKinds),
      doubled: counts.doubled + ofKinds(doubledKinds),
      wrong: counts.wrong + ofKinds(wrongKinds),
    },
  };
}

/** Compares what clients received, what the upstream served and what is stored. Knows nothing of the server but its tables. */
export function check(evidence: Evidence, options: CheckOptions): Finding {
  const violations: Violation[] = [];
  const report = (kind: ViolationKind, marker: string, detail: string) => void violations.push({ kind, marker, detail });

  const rows = byMarker(evidence.rows.filter((row) => row.marker !== null) as (StoredCall & { marker: string })[]);
  const clients = new Map(evidence.clients.map((line) => [line.marker, line]));
  const arrivals = new Map(evidence.arrivals.map((line) => [line.marker, line]));
  const servedWhole = new Set(evidence.served.filter((line) => line.whole && line.status === 200).map((line) => line.marker));
  const crashes = new Map(evidence.crashes.map((crash) => [crash.round, crash]));
  const lastWhole = new Map<number, ClientLine>();
  for (const line of evidence.clients) {
    if (line.whole && line.sentAtMs > (lastWhole.get(line.round)?.sentAtMs ?? 0)) lastWhole.set(line.round, line);
  }
  let unrecorded = 0;
  let oldestUnrecordedMs = 0;

  for (const client of evidence.clients) {
    const row = rows.get(client.marker)?.[0];
    const arrival = arrivals.get(client.marker);
    checkReceived(client, arrival, report);
    if (row) continue;
    const missing = whyNeeded(client, arrival, crashes.get(client.round), lastWhole.get(client.round), options);
    if (missing) report(missing, client.marker, describeClient(client, arrival, crashes.get(client.round)));
    else if (arrival) {
      unrecorded++;
      oldestUnrecordedMs = Math.max(oldestUnrecordedMs, (crashes.get(client.round)?.atMs ?? arrival.atMs) - arrival.atMs);
    }
  }

  const ids = new Set<string>();
  for (const row of evidence.rows) {
    const name = row.marker ?? row.id;
    if (ids.has(row.id)) report('one id twice', name, row.id);
    ids.add(row.id);
    if (!uuidV7.test(row.id)) report('no UUID of version 7', name, row.id);
    const client = clients.get(name);
    if (!client) report('row of nobody', name, `${row.id} ${row.outcome}: no client sent this`);
    else checkRow(row, client, arrivals.get(name), servedWhole.has(name), options, report);
  }
  for (const [marker, own] of rows) {
    if (own.length > 1) report('two rows', marker, own.map((row) => `${row.id} ${row.outcome}`).join(', '));
  }
  for (const intent of evidence.intents) report('intent left', intent.marker ?? intent.id, intent.id);

  return { violations, counts: count(evidence, rows, violations, unrecorded, oldestUnrecordedMs) };
}

type Report = (kind: ViolationKind, marker: string, detail: string) => void;

/** What the client itself can see to be wrong. */
function checkReceived(client: ClientLine, arrival: UpstreamArrival | undefined, report: Report): void {
  const { marker, whole } = client;
  if (client.end === 'hung') report('stuck', marker, `nothing came any more after ${client.bytes} bytes, status ${client.status}`);
  if (client.status !== 200) return;
  if (!client.inOrder || (whole && client.words !== arrival?.completionTokens)) {
    report('answer with a gap', marker, `${client.words} words received, ${arrival?.completionTokens} served, in order: ${client.inOrder}`);
  }
  if (client.end === 'ended' && !whole && !client.errorEvent) {
    report(
      'cut shown as success',
      marker,
      `the body ended in good order after ${client.words} words, without a finish and without an error`,
    );
  }
}

/** Why a call without a row should have one; undefined when it need not. */
function whyNeeded(
  client: ClientLine,
  arrival: UpstreamArrival | undefined,
  crash: Crash | undefined,
  lastWhole: ClientLine | undefined,
  { overtakenAfterMs }: CheckOptions,
): ViolationKind | undefined {
  if (client.whole) return 'whole without a row';
  if (client.status === 200 && client.bytes > 0) return 'seen, but without a row';
  if (!arrival) return undefined;
  if (lastWhole && lastWhole.sentAtMs >= arrival.atMs + (crash?.overtakenAfterMs ?? overtakenAfterMs))
    return 'overtaken, but without a row';
  return client.status !== null && client.endedAtMs < (crash?.atMs ?? Number.POSITIVE_INFINITY)
    ? 'answered before the crash, but without a row'
    : undefined;
}

function checkRow(
  row: StoredCall,
  client: ClientLine,
  arrival: UpstreamArrival | undefined,
  servedWhole: boolean,
  { prices }: CheckOptions,
  report: Report,
): void {
  const { marker } = client;
  if (client.whole && row.outcome !== 'completed') {
    report('whole, but not stored as completed', marker, `the row says ${row.outcome}`);
  }
  if (row.dialect !== client.dialect || row.streamed !== client.stream || row.modelAsked !== client.model) {
    report(
      'wrong description',
      marker,
      `${row.dialect} ${row.streamed} ${row.modelAsked}, sent: ${client.dialect} ${client.stream} ${client.model}`,
    );
  }
  if (row.outcome === 'completed') {
    if (!arrival || !servedWhole)
      report('completed out of nothing', marker, arrival ? 'the upstream never served it whole' : 'the upstream never saw it');
    const tokens = `${row.promptTokens} + ${row.completionTokens} (${row.usageSource})`;
    if (
      row.promptTokens !== arrival?.promptTokens ||
      row.completionTokens !== arrival?.completionTokens ||
      row.usageSource !== 'provider'
    ) {
      report('wrong tokens', marker, `stored ${tokens}, served ${arrival?.promptTokens} + ${arrival?.completionTokens}`);
    } else if (
      client.whole &&
      (client.words !== row.completionTokens ||
        differs(client.promptTokens, row.promptTokens) ||
        differs(client.completionTokens, row.completionTokens))
    ) {
      report(
        'wrong tokens',
        marker,
        `stored ${tokens}, the client read ${client.promptTokens} + ${client.completionTokens}, ${client.words} words`,
      );
    }
  }
  const expected = costOf(row, prices);
  // What was reserved for it counts until somebody finds out: never less than it can have cost.
  const reserved =
    row.outcome === 'interrupted' && row.costNanoUsd !== null && row.costNanoUsd > 0 && row.costNanoUsd >= mostOf(arrival, prices);
  if (row.costNanoUsd !== expected && !reserved)
    report('wrong cost', marker, `stored ${row.costNanoUsd}, expected ${expected} for ${row.outcome} by ${row.modelServed}`);
}

/** Not every answer says what was used, and one that broke off need not have come to it. */
function differs(read: number | null, stored: number | null): boolean {
  return read !== null && read !== stored;
}

/** What the whole answer would have cost. */
function mostOf(arrival: UpstreamArrival | undefined, prices: CheckOptions['prices']): number {
  const price = arrival && prices[arrival.model];
  return price ? arrival.promptTokens * price.prompt + arrival.completionTokens * price.completion : 0;
}

/** Undefined when there is no price to go by, which no call of these tests should meet. */
function costOf(row: StoredCall, prices: CheckOptions['prices']): number | null | undefined {
  // What a dead call used is unknown, and unknown is not 0.
  if (row.outcome === 'interrupted') return null;
  if (row.usageSource === 'none') return 0;
  const price = row.modelServed === null ? undefined : prices[row.modelServed];
  return price && (row.promptTokens ?? Number.NaN) * price.prompt + (row.completionTokens ?? Number.NaN) * price.completion;
}

function count(
  evidence: Evidence,
  rows: ReadonlyMap<string, readonly StoredCall[]>,
  violations: readonly Violation[],
  unrecorded: number,
  oldestUnrecordedMs: number,
): Counts {
  const { clients } = evidence;
  const whole = clients.filter((line) => line.whole).length;
  const partial = clients.filter((line) => !line.whole && line.status === 200 && line.bytes > 0).length;
  const rowsByOutcome: Record<string, number> = {};
  for (const { outcome } of evidence.rows) rowsByOutcome[outcome] = (rowsByOutcome[outcome] ?? 0) + 1;
  const ofKinds = (kinds: readonly string[]) => violations.filter((violation) => kinds.includes(violation.kind)).length;
  return {
    calls: clients.length,
    whole,
    partial,
    without: clients.length - whole - partial,
    rows: evidence.rows.length,
    rowsByOutcome,
    storedUnreceived: clients.filter((line) => !line.whole && rows.get(line.marker)?.[0]?.outcome === 'completed').length,
    unrecorded,
    oldestUnrecordedMs,
    lost: ofKinds(lostKinds),
    doubled: ofKinds(doubledKinds),
    wrong: ofKinds(wrongKinds),
  };
}

function byMarker<Line extends { readonly marker: string }>(lines: readonly Line[]): Map<string, Line[]> {
  const found = new Map<string, Line[]>();
  for (const line of lines) {
    const before = found.get(line.marker);
    if (before) before.push(line);
    else found.set(line.marker, [line]);
  }
  return found;
}

function describeClient(client: ClientLine, arrival: UpstreamArrival | undefined, crash: Crash | undefined): string {
  const before = (atMs: number) => (crash ? `${Math.round(crash.atMs - atMs)} ms before the crash` : 'no crash');
  const seen = arrival ? `at the upstream ${before(arrival.atMs)}` : 'never at the upstream';
  return `${client.dialect} ${client.stream ? 'stream' : 'plain'} of ${client.model}: status ${client.status}, ${client.bytes} bytes, ${client.end} ${before(client.endedAtMs)}, ${seen}`;
}
