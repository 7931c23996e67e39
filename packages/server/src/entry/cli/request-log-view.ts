import type { RequestLogEntry } from '@holdfast/contracts';
import { formatTable } from './table.ts';

const right = new Set(['STATUS', 'MS', 'IN', 'OUT']);

export function requestLogTable(rows: readonly RequestLogEntry[]): string {
  if (rows.length === 0) return 'There are no requests.\n';
  return formatTable(
    ['AT', 'REQUEST', 'METHOD', 'ROUTE', 'STATUS', 'ERROR', 'MS', 'IN', 'OUT'],
    rows.map((row) => [
      row.at.slice(0, 19).replace('T', ' '),
      row.request_id,
      row.method,
      row.route ?? '(none)',
      String(row.status),
      row.error_code ?? '-',
      row.latency_ms.toFixed(row.latency_ms < 10 ? 1 : 0),
      String(row.request_bytes),
      String(row.response_bytes),
    ]),
    right,
  );
}
