import type { AuditEventBody, AuditKeysBody, AuditReportBody } from '@holdfast/contracts';
import type { ExportFault, ExportReport } from '@holdfast/kit/audit/verify';
import type { DatabaseReport, Publication } from '../../features/audit/index.ts';
import { formatTable, printable } from './table.ts';

export function auditTable(events: readonly AuditEventBody[]): string {
  if (events.length === 0) return 'There are no events.\n';
  return formatTable(
    ['AT', 'INDEX', 'TYPE', 'OUTCOME', 'WHO', 'OF WHAT', 'FROM'],
    events.map(({ at, index, type, outcome, actor, resource, client, personal }) => [
      at.slice(0, 19).replace('T', ' '),
      String(index),
      type,
      outcome,
      [actor.type, actor.id].filter((word) => word !== undefined).join(' '),
      resource === null ? '-' : [resource.type, resource.id].filter((word) => word !== undefined).join(' '),
      client?.ip === undefined ? '-' : (personal?.[client.ip]?.value ?? `${client.ip.slice(0, 8)}…`),
    ]),
    new Set(['INDEX']),
  );
}

export function auditKeysText({ origin, data }: AuditKeysBody): string {
  const lines = data.map(
    ({ verifier_key: key, kind, from_size: from, to_size: to }) =>
      `# ${kind}, ${to === null ? `signs from ${from} on` : `signed from ${from} to ${to}`}\n${key}`,
  );
  return `# ${printable(origin)}\n${lines.join('\n')}\n`;
}

export function publicationsText(publications: readonly Publication[]): string {
  if (publications.length === 0)
    return 'The configuration names no place to publish to: audit.publishFolder, publishWebhookUrl or publishBucketUrl.\n';
  return formatTable(
    ['WHERE', 'RESULT', 'ERROR'],
    publications.map(({ destination, result, error }) => [destination, result, error ?? '-']),
  );
}

export function reportText({ title, from, to, sections }: AuditReportBody): string {
  const parts = sections.map(({ title: heading, columns, rows, more }) => {
    const table =
      rows.length === 0
        ? 'None.\n'
        : formatTable(
            columns.map((column) => column.title.toUpperCase()),
            rows.map((row) => columns.map(({ id }) => String(row[id] ?? ''))),
          );
    return `${printable(heading)}\n${table}${more ? 'There were more.\n' : ''}`;
  });
  return `${printable(title)}, from ${from} until ${to}\n\n${parts.join('\n')}`;
}

const shownSeries = 20;

export function exportReportText(report: ExportReport): string {
  const { ok, checkpoint, events, series, keptChecked, faults, faultCount } = report;
  const lines = [
    ok && checkpoint
      ? `Verified: ${events} events of ${printable(checkpoint.origin)}, up to the checkpoint of ${checkpoint.size}.`
      : `NOT VERIFIED: ${events} events were read.`,
    ...series
      .slice(0, shownSeries)
      .map(
        ({ organizationId, first, last, events: count }) => `  ${organizationId ?? 'the instance'}: events ${first} to ${last} (${count})`,
      ),
    ...(series.length > shownSeries ? [`  and ${series.length - shownSeries} more`] : []),
    ...keptChecked.map((size) => `It continues your checkpoint of ${size}.`),
    ...faults.map(faultLine),
    ...(faultCount > faults.length ? [`and ${faultCount - faults.length} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function faultLine({ finding, severity, message, line }: ExportFault): string {
  return `${severity === 'error' ? 'FAULT' : 'warning'} ${finding}: ${printable(message)} (line ${line})`;
}

export function databaseReportText({ log, faults, unsequenced, unsigned, rejected, ok }: DatabaseReport): string {
  const lines = [
    ...(log.ok && !ok ? ['NOT VERIFIED: the events are those that were logged, and the database is not what it should be.'] : []),
    ...faults.map(({ finding, message }) => `FAULT ${finding}: ${printable(message)}`),
    ...(unsigned > 0 ? [`${unsigned} events came since the checkpoint.`] : []),
    `${unsequenced} events wait for their place${rejected > 0 ? `; ${rejected} were no events and are kept in holdfast.audit_rejected` : ''}.`,
  ];
  return `${exportReportText(log)}${lines.join('\n')}\n`;
}
