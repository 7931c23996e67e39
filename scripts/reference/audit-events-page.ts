import { auditEventNames, auditEventTypes, type AuditCategory } from '@holdfast/contracts';
import { code, generatedNotice, table } from './markdown.ts';

const titles: Readonly<Record<AuditCategory, string>> = {
  model: 'Calls of models',
  keys: 'Keys',
  organizations: 'Organizations',
  security: 'Security',
  privacy: 'Personal data',
  configuration: 'Configuration',
  operations: 'Operations',
};

const series = { organization: 'the organization', instance: 'the instance', either: 'who did it: an organization, or the instance' };

/** docs/reference/audit-events.md, from the one table of event types. */
export function auditEventsPage(): string {
  const categories = Object.keys(titles) as AuditCategory[];
  return `${[
    generatedNotice,
    '# Audit events',
    'Every type of event in the audit log. What all have in common: when, who (`actor`), what was done to (`resource`), how it ended (`outcome`: `success`, `failure`, `denied`, `interrupted`), from where (`client`), and the id of the request. ' +
      'Personal data is never in an event itself. In its place stands a reference, marked (ref) here: the hash of the value with a salt, both of which can be deleted without touching the log.',
    'Events that could come in floods are told one by one at first and then counted: one event says how many more there were. So many requests cannot fill the log.',
    ...categories.flatMap((category) => [
      `## ${titles[category]}`,
      ...auditEventNames
        .filter((name) => auditEventTypes[name].category === category)
        .flatMap((name) => {
          const { when, resource, series: of, details } = auditEventTypes[name];
          const about = `${when} Of the series of ${series[of]}; ${resource === undefined ? 'it has no resource' : `its resource is a ${[resource].flat().map(code).join(' or ')}`}.`;
          const rows = Object.entries(details).map(([member, meaning]) => [code(member), meaning]);
          return [`### ${code(name)}`, about, ...(rows.length > 0 ? [table(['In `details`', 'What it says'], rows)] : [])];
        }),
    ]),
  ].join('\n\n')}\n`;
}
