import type { AuditReportBody, AuditReportName } from '@holdfast/contracts';
import { withScope, type AuditScope, type ScopedDatabase } from '../query/index.ts';
import { accessReview } from './access-review.ts';
import { personalData, type Retention } from './personal-data.ts';
import { securityIncidents } from './security-incidents.ts';

export interface ReportRequest {
  readonly name: AuditReportName;
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  readonly retention: readonly Retention[];
}

const titles: Readonly<Record<AuditReportName, string>> = {
  'access-review': 'Access review',
  'security-incidents': 'Security incidents',
  'personal-data': 'Processing of personal data',
};

/** A report over what the scope may see, from one transaction. */
export function makeReport(database: ScopedDatabase, scope: AuditScope, request: ReportRequest): Promise<AuditReportBody> {
  const { name, fromMs, toMs, nowMs, retention } = request;
  const period = { from: new Date(fromMs), to: new Date(toMs) };
  return withScope(database, scope, async (transaction) => {
    const checkpoint = await transaction
      .selectFrom('holdfast.audit_checkpoints')
      .select('note')
      .orderBy('size', 'desc')
      .limit(1)
      .executeTakeFirst();
    const sections =
      name === 'access-review'
        ? await accessReview(transaction, scope, period)
        : name === 'security-incidents'
          ? await securityIncidents(transaction, scope, period)
          : await personalData(transaction, scope, period, retention);
    return {
      report: name,
      title: titles[name],
      organization_id: scope.organizationId ?? null,
      from: period.from.toISOString(),
      to: period.to.toISOString(),
      generated_at: new Date(nowMs).toISOString(),
      checkpoint: checkpoint?.note ?? null,
      sections,
    };
  });
}
