import { formatUsd, type CostGroupName, type CostRow } from '@holdfast/contracts';
import type { ReconcileReport, RepriceReport } from '../../features/costs/index.ts';
import { formatTable } from './table.ts';

const right = new Set([
  'CALLS',
  'IN',
  'OUT',
  'USD',
  'UNPRICED',
  'BEFORE',
  'AFTER',
  'LEDGER',
  'PROVIDER',
  'IN (P)',
  'OUT (P)',
  'USD (P)',
  'CALLS (P)',
]);

const member: Readonly<Record<CostGroupName, keyof CostRow>> = {
  day: 'day',
  organization: 'organization_id',
  model: 'model',
  served_model: 'served_model',
  provider: 'provider',
  user: 'user_id',
  key: 'key_id',
  end_user: 'end_user',
  feature: 'feature',
};

export function costTable(groupBy: readonly CostGroupName[], rows: readonly CostRow[]): string {
  if (rows.length === 0) return 'There are no calls.\n';
  return formatTable(
    [...groupBy.map((name) => name.toUpperCase()), 'CALLS', 'UNPRICED', 'IN', 'OUT', 'USD'],
    rows.map((row) => [
      ...groupBy.map((name) => String(row[member[name]] ?? '-')),
      ...[row.calls, row.unpriced_calls, row.prompt_tokens, row.completion_tokens].map(String),
      row.cost_usd,
    ]),
    right,
  );
}

export function repriceText(report: RepriceReport, applied: boolean): string {
  const { calls, changed, unknown, corrected, models } = report;
  const table =
    models.length === 0
      ? ''
      : formatTable(
          ['MODEL', 'CALLS', 'UNPRICED', 'BEFORE', 'AFTER'],
          models.map((each) => [
            each.model,
            String(each.calls),
            String(each.unpriced),
            formatUsd(each.beforeNanoUsd),
            formatUsd(each.afterNanoUsd),
          ]),
          right,
        );
  const said = applied
    ? `${corrected} of ${calls} calls were corrected; their rows keep what they said.`
    : `${changed} of ${calls} calls would be corrected. Nothing was written: add --apply.`;
  return `${table}${said}\n${unknown === 0 ? '' : `${unknown} calls stay as they are, since their price is not known now.\n`}`;
}

/** What JSON cannot say as numbers, it says as text. */
export function withoutBigints(report: object): string {
  return `${JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`;
}

export function reconcileText(report: ReconcileReport, applied: boolean): string {
  const parts = [`${report.format}.\n`];
  if (report.truncated) parts.push('This is one page of several: what is on the others is missing here.\n');
  if (report.models.length > 0) {
    parts.push(
      formatTable(
        ['DAY', 'MODEL', 'CALLS', 'CALLS (P)', 'IN', 'IN (P)', 'OUT', 'OUT (P)', 'USD', 'USD (P)', ''],
        report.models.map((each) => [
          ...[each.day, each.model, String(each.recordedCalls), each.exportedRequests === undefined ? '-' : String(each.exportedRequests)],
          ...[each.recorded.promptTokens, each.exported.promptTokens, each.recorded.completionTokens, each.exported.completionTokens].map(
            String,
          ),
          formatUsd(each.recordedNanoUsd),
          each.exportedNanoUsd === undefined ? '?' : formatUsd(each.exportedNanoUsd),
          each.recorded.promptTokens === each.exported.promptTokens && each.recorded.completionTokens === each.exported.completionTokens
            ? ''
            : 'differs',
        ]),
        right,
      ),
    );
  }
  if (report.days.length > 0) {
    parts.push(
      formatTable(
        ['DAY', 'LEDGER', 'PROVIDER'],
        report.days.map(({ day, recordedNanoUsd, chargedNanoUsd }) => [day, formatUsd(recordedNanoUsd), formatUsd(chargedNanoUsd)]),
        right,
      ),
    );
  }
  if (report.settled.length + report.unsettled.length > 0) {
    parts.push(
      formatTable(
        ['INTERRUPTED CALL', 'USD', ''],
        [
          ...report.settled.map(({ callId, model, costNanoUsd }) => [
            callId,
            costNanoUsd === null ? '?' : formatUsd(costNanoUsd),
            model === undefined ? 'was not charged' : `was served by ${model}`,
          ]),
          ...report.unsettled.map(({ callId, why }) => [callId, '?', why]),
        ],
        right,
      ),
      applied
        ? `${report.corrected} interrupted calls were corrected; their rows keep what they said.\n`
        : `${report.settled.length} interrupted calls can be settled. Nothing was written: add --apply.\n`,
    );
  }
  return parts.join('');
}
