import type { AuditEventType } from './audit-event-type.ts';

const terms = {
  name: '(ref) its name',
  subject: 'whose calls count: `organization`, `user` or `key`',
  subject_id: 'of whom',
  period: '`day`, `month` or `total`',
};

/** Part of `auditEventTypes`. */
export const budgetEventTypes = {
  'budget.created': {
    category: 'organizations',
    when: 'A budget was made.',
    resource: 'budget',
    series: 'organization',
    details: { ...terms, limit_nano_usd: 'in nano-dollars', enforcement: '`hard` or `soft`' },
  },
  'budget.changed': {
    category: 'organizations',
    when: 'The name, the limit or the enforcement of a budget was changed.',
    resource: 'budget',
    series: 'organization',
    details: {
      name: '(ref) its new name',
      limit_nano_usd: 'the new one',
      limit_nano_usd_before: 'the old one',
      enforcement: 'the new one',
    },
  },
  'budget.deleted': {
    category: 'organizations',
    when: 'A budget was deleted.',
    resource: 'budget',
    series: 'organization',
    details: { ...terms, limit_nano_usd: 'in nano-dollars', enforcement: '`hard` or `soft`' },
  },
} as const satisfies Readonly<Record<string, AuditEventType>>;
