import type { Violation } from './checker.ts';
import type { CrashRunResult, RoundResult } from './crash-run.ts';

/** One line a round, as it goes. */
export function describeRound({ round, plan, finding, faults, kills, restartMs }: RoundResult): string {
  const { calls, whole, partial, rows, unrecorded, oldestUnrecordedMs, lost, doubled, wrong } = finding.counts;
  const bad = lost + doubled + wrong + faults.length;
  const name = `${plan.target} at ${plan.moment}`.padEnd(19);
  return (
    `${String(round).padStart(4)} ${name} ${String(plan.workers).padStart(2)} at once, ${kills} kills, back in ${String(restartMs).padStart(5)} ms: ` +
    `${calls} calls, ${whole} whole, ${partial} in part, ${rows} rows` +
    (unrecorded > 0 ? `, ${unrecorded} too young for an intent (${Math.round(oldestUnrecordedMs)} ms at most)` : '') +
    (bad > 0 ? `; ${lost} LOST, ${doubled} DOUBLED, ${wrong} WRONG, ${faults.length} FAULTS` : '')
  );
}

/** What was found in one round, by the markers of the calls. */
export function describeRoundFindings({ finding, faults }: Pick<RoundResult, 'finding' | 'faults'>): string[] {
  return [...finding.violations.map(describeViolation), ...faults];
}

/** Every violation and fault of a run, each once; none when all is well. */
export function describeFindings(result: CrashRunResult): string[] {
  const violations = [...result.rounds.flatMap((round) => round.finding.violations), ...result.total.violations];
  return [...new Set([...violations.map(describeViolation), ...result.faults])];
}

function describeViolation({ kind, marker, detail }: Violation): string {
  return `${kind}: ${marker}: ${detail}`;
}

/** The result of a run as Markdown. */
export function reportPage(result: CrashRunResult, seed: number, title: string): string {
  const { rounds, total, faults, kills, durationMs } = result;
  const { counts } = total;
  const outcomes = Object.entries(counts.rowsByOutcome).sort(([a], [b]) => a.localeCompare(b));
  const restarts = rounds.map((round) => round.restartMs).sort((a, b) => a - b);
  return [
    `# ${title}`,
    '',
    `${rounds.length} rounds, ${kills} kills, ${Math.round(durationMs / 1000)} s, seed ${seed}; Node ${process.version}.`,
    '',
    '| calls | whole at the client | in part | an error or nothing | rows | lost | doubled | wrong | faults of the server |',
    '|---|---|---|---|---|---|---|---|---|',
    `| ${counts.calls} | ${counts.whole} | ${counts.partial} | ${counts.without} | ${counts.rows} | ${counts.lost} | ${counts.doubled} | ${counts.wrong} | ${faults.length} |`,
    '',
    `Rows by outcome: ${outcomes.map(([outcome, rows]) => `${outcome} ${rows}`).join(', ')}. ` +
      `Stored as completed while the client never had the end: ${counts.storedUnreceived}. ` +
      `Seen by the upstream alone and too young for an intent: ${counts.unrecorded}, the oldest ${Math.round(counts.oldestUnrecordedMs)} ms. ` +
      `Back after a crash: median ${restarts[restarts.length >> 1]} ms, at most ${restarts.at(-1)} ms.`,
    '',
    '| what was killed, and when | rounds | kills | calls | whole | in part | rows | lost | doubled | wrong |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...kindRows(rounds),
  ].join('\n');
}

function kindRows(rounds: readonly RoundResult[]): string[] {
  const kinds = new Map<string, RoundResult[]>();
  for (const round of rounds) {
    const name = `${round.plan.target}, ${round.plan.moment}`;
    kinds.set(name, [...(kinds.get(name) ?? []), round]);
  }
  return [...kinds]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, own]) => {
      const sum = (read: (round: RoundResult) => number) => own.reduce((total, round) => total + read(round), 0);
      const counts = (['calls', 'whole', 'partial', 'rows', 'lost', 'doubled', 'wrong'] as const).map((key) =>
        sum((round) => round.finding.counts[key]),
      );
      return `| ${name} | ${own.length} | ${sum((round) => round.kills)} | ${counts.join(' | ')} |`;
    });
}
