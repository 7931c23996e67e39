import type { UsageRow } from '@holdfast/contracts';
import { formatTable } from './table.ts';

const right = new Set(['IN', 'OUT', 'USD', 'MS', 'FIRST']);

export function usageTable(rows: readonly UsageRow[]): string {
  if (rows.length === 0) return 'There are no calls.\n';
  return formatTable(
    ['STARTED', 'REQUEST', 'MODEL', 'SERVED BY', 'OUTCOME', 'IN', 'OUT', 'USD', 'FIRST', 'MS'],
    rows.map((row) => [
      row.started_at.slice(0, 19).replace('T', ' '),
      row.request_id,
      row.model_asked,
      row.provider === null ? '-' : `${row.provider}/${row.model_served ?? '?'}`,
      row.error_code === null ? row.outcome : `${row.outcome} (${row.error_code})`,
      count(row.prompt_tokens),
      count(row.completion_tokens),
      // Unknown is not 0.
      row.cost_usd ?? '?',
      milliseconds(row.first_token_ms),
      milliseconds(row.latency_ms),
    ]),
    right,
  );
}

function count(tokens: number | null): string {
  return tokens === null ? '?' : String(tokens);
}

function milliseconds(value: number | null): string {
  return value === null ? '-' : value.toFixed(value < 10 ? 1 : 0);
}
