import type { AuditEventType } from './audit-event-type.ts';
import { budgetEventTypes } from './budget-event-types.ts';

const organizationAndOperation = { operation: '`chat`, `embeddings` or `count_tokens`', dialect: '`openai` or `anthropic`' };
const refusedCode = { code: 'the error that was told' };
const counted = {
  count: 'how many there were, when more than one; then the event stands for all of them',
  seconds: 'within how many seconds they came',
};
const keyRights = {
  name: '(ref) the name of the key',
  scopes: 'what it may do',
  models: 'how many models it is held to; left out when it may ask for all',
  expires_at: 'when it ends',
  limits: 'its own limits: `requests_per_minute`, `tokens_per_minute`, `concurrent`',
};

const types = {
  'model.called': {
    category: 'model',
    when: 'A call of a model has ended, whichever way, or was refused. One event a call, with the id of the call, committed with its row in the ledger.',
    resource: 'model',
    series: 'organization',
    details: {
      ...organizationAndOperation,
      outcome: 'as in the ledger: `completed`, `failed`, `aborted` by the client, `interrupted` by a crash, `refused`',
      code: 'the error that the client was told',
      status: 'the HTTP status of that, or 200',
      streamed: 'whether the answer was to be a stream',
      provider: 'who served it',
      model_served: 'by which model',
      attempts: 'how many attempts were made at providers',
      prompt_tokens: 'as the ledger has them',
      completion_tokens: 'as the ledger has them',
      cost_nano_usd: 'in nano-dollars; left out when the price is unknown. Of an interrupted call what was reserved for it',
      latency_ms: 'whole milliseconds from the arrival of the request',
      end_user: '(ref) the end user that the client named',
      feature: '(ref) the feature that the client named',
      model:
        '(ref) the name that the client asked for, where it is not of the configuration and no provider has served it: there is no resource id then',
      supersedes:
        'the call, whose id is that of an earlier event which said `interrupted`: its own instance had been cut off, and says here what happened. This event has an id of its own',
      ...counted,
    },
  },
  'key.created': {
    category: 'keys',
    when: 'A key was made, also by the first start of the instance.',
    resource: 'key',
    series: 'organization',
    details: { prefix: 'the part of the secret that is shown', ...keyRights },
  },
  'key.changed': {
    category: 'keys',
    when: 'The name or the limits of a key were changed.',
    resource: 'key',
    series: 'organization',
    details: { name: '(ref) its new name', limits: 'those that were changed; `null` for one that was taken away' },
  },
  'key.rotated': {
    category: 'keys',
    when: 'A key was replaced by a new one with the same rights.',
    resource: 'key',
    series: 'organization',
    details: {
      replaced_by: 'the id of the new key',
      prefix: 'that of the new key',
      ends_at: 'when the old one stops working',
      ...keyRights,
    },
  },
  'key.revoked': {
    category: 'keys',
    when: 'A key was revoked.',
    resource: 'key',
    series: 'organization',
    details: { scopes: 'what it was allowed' },
  },
  'organization.created': {
    category: 'organizations',
    when: 'An organization was made.',
    resource: 'organization',
    series: 'organization',
    details: { name: '(ref) its name', slug: 'its slug', tier: 'its tier' },
  },
  'organization.changed': {
    category: 'organizations',
    when: 'An organization was given another tier.',
    resource: 'organization',
    series: 'organization',
    details: { tier: 'the new one', tier_before: 'the old one' },
  },
  ...budgetEventTypes,
  'authentication.failed': {
    category: 'security',
    when: 'A request showed no key, or one that is not good. Told once, then counted a minute.',
    resource: 'route',
    series: 'instance',
    details: { ...refusedCode, method: 'of the request', ...counted },
  },
  'access.denied': {
    category: 'security',
    when: 'A good key asked for what it may not, or for what does not exist for it. Told up to ten times a minute each, then counted.',
    resource: 'route',
    series: 'organization',
    details: { ...refusedCode, method: 'of the request', id: 'what was asked for, where the route names one', ...counted },
  },
  'access.foreign': {
    category: 'security',
    when: 'A key of one organization asked for something that belongs to another. Its own organization has an `access.denied` that does not tell this.',
    resource: ['key', 'budget', 'audit_event'],
    series: 'instance',
    details: {
      method: 'of the request',
      route: 'of the request',
      organization_id: 'to whom the resource belongs',
      by_organization_id: 'to whom the key belongs that asked',
    },
  },
  'request.limited': {
    category: 'security',
    when: 'A request was refused for its number, before anything was done for it. Told once, then counted a minute.',
    resource: 'route',
    series: 'either',
    details: { ...refusedCode, method: 'of the request', ...counted },
  },
  'ban.enforced': {
    category: 'security',
    when: 'A request came from an address that is banned. Told once, then counted a minute.',
    resource: 'route',
    series: 'instance',
    details: { ...refusedCode, method: 'of the request', ...counted },
  },
  'ban.added': {
    category: 'security',
    when: 'Addresses were banned, by a person or, as actor `system`, by a detector.',
    resource: undefined,
    series: 'instance',
    details: {
      range: '(ref) the addresses',
      reason: '`manual`, or what a detector found',
      repeats: 'how often the range was banned before',
      ends_at: 'when it ends; left out when it does not end by itself',
      note: '(ref) what the person wrote',
    },
  },
  'ban.lifted': {
    category: 'security',
    when: 'A ban was ended before its time.',
    resource: undefined,
    series: 'instance',
    details: { range: '(ref) the addresses' },
  },
  'circuit_breaker.opened': {
    category: 'operations',
    when: 'An operator keeps calls away from a target.',
    resource: 'circuit_breaker',
    series: 'instance',
    details: { for_seconds: 'for how long; left out when until somebody closes it', shared: 'whether the other instances had been told' },
  },
  'circuit_breaker.closed': {
    category: 'operations',
    when: 'An operator lets calls pass to a target again.',
    resource: 'circuit_breaker',
    series: 'instance',
    details: { shared: 'whether the other instances had been told' },
  },
  'alert.acknowledged': {
    category: 'operations',
    when: 'Somebody took up an alert.',
    resource: 'alert',
    series: 'instance',
    details: { note: '(ref) what the person wrote' },
  },
  'alert.silenced': {
    category: 'operations',
    when: 'Alerts were silenced.',
    resource: 'silence',
    series: 'instance',
    details: {
      matchers: 'how many matchers it has',
      starts_at: 'when it begins',
      ends_at: 'when it ends',
      reason: '(ref) what the person wrote',
    },
  },
  'alert.silence_ended': {
    category: 'operations',
    when: 'A silence was ended before its time.',
    resource: 'silence',
    series: 'instance',
    details: {},
  },
  'alert.tested': {
    category: 'operations',
    when: 'A test was sent through the channels of alerts.',
    resource: undefined,
    series: 'instance',
    details: { channel: 'the one; left out for all', delivered: 'how many took it', failed: 'how many did not' },
  },
  'diagnostics.run': {
    category: 'operations',
    when: 'The diagnostics of the instance were run.',
    resource: undefined,
    series: 'instance',
    details: { provider_calls: 'whether providers were called' },
  },
  'endpoints.tested': {
    category: 'operations',
    when: 'The server was told to test its own routes. What the tests do has its own events, in organizations that are thrown away.',
    resource: undefined,
    series: 'instance',
    details: { passed: 'tests that passed', failed: 'tests that did not' },
  },
  'log_level.changed': {
    category: 'operations',
    when: 'An operator set what is logged.',
    resource: undefined,
    series: 'instance',
    details: { level: 'the new one', level_before: 'the old one', for_seconds: 'for how long; left out when until it is set again' },
  },
  'costs.corrected': {
    category: 'operations',
    when: 'What calls of an organization cost was corrected, beside their rows in the ledger. One event for each transaction that did.',
    resource: undefined,
    series: 'organization',
    details: {
      reason: '`repriced`, or `reconciled` with an export of a provider',
      source: 'what it was found out from: the moment of the prices, or the format and digest of the export',
      calls: 'how many were corrected',
      added_nano_usd: 'by how much their costs changed together, in nano-dollars, as text; may be negative',
    },
  },
  'request_log.read': {
    category: 'privacy',
    when: 'Somebody looked at the log of requests, of all organizations.',
    resource: 'request',
    series: 'instance',
    details: { rows: 'how many requests were shown', content: 'whether what was said was shown', filters: 'the names of the filters' },
  },
  'audit.read': {
    category: 'privacy',
    when: 'Somebody looked at the audit log.',
    resource: 'audit_log',
    series: 'either',
    details: {
      view: '`events`, `event`, `activity`, or the name of a report',
      organization_id: 'whose part of the log, where an operator asked for one',
      personal: 'whether it was shown what references stand for',
    },
  },
  'audit.exported': {
    category: 'privacy',
    when: 'Somebody took a part of the audit log away.',
    resource: 'audit_log',
    series: 'either',
    details: {
      view: 'the format',
      organization_id: 'whose part of the log, where an operator asked for one',
      personal: 'whether it was shown what references stand for',
    },
  },
  'personal_data.erased': {
    category: 'privacy',
    when: 'What references stand for was deleted: they can never be resolved again.',
    resource: undefined,
    series: 'either',
    details: { kind: 'what it was: `ip`, `user_agent`, `end_user`, `name`, `text`', references: 'how many references' },
  },
  'configuration.reloaded': {
    category: 'configuration',
    when: 'A configuration was read again and put in force.',
    resource: undefined,
    series: 'instance',
    details: {
      result: '`applied` or `unchanged`',
      digest: 'of the configuration in force',
      changed: 'by section, how many names were added, removed and changed',
      restart_required: 'settings that only a start puts in force',
      requests: 'how many requests for a reload it answered',
    },
  },
  'configuration.rejected': {
    category: 'configuration',
    when: 'A configuration was read again and had faults: nothing was changed.',
    resource: undefined,
    series: 'instance',
    details: { faults: 'how many', requests: 'how many requests for a reload it answered' },
  },
  'server.started': {
    category: 'operations',
    when: 'An instance began to serve.',
    resource: 'instance',
    series: 'instance',
    details: { version: 'of Holdfast', digest: 'of the configuration in force' },
  },
  'server.stopped': {
    category: 'operations',
    when: 'An instance ended in order; one that was killed has none.',
    resource: 'instance',
    series: 'instance',
    details: { cut: 'calls that were cut off' },
  },
  'audit.events_removed': {
    category: 'operations',
    when: 'Events older than the retention were removed; their hashes are kept. One in each series that lost more than events of this kind.',
    resource: 'audit_log',
    series: 'either',
    details: {
      retention_days: 'older than this many days',
      from_number: 'the first of this series that was removed',
      through_number: 'the last of it',
      events: 'how many of this series',
      from_index: 'in the series of the instance: the first place of the log that was removed',
      end_index: 'the first place that was not',
    },
  },
  'audit.event_rejected': {
    category: 'operations',
    when: 'Something that was handed to the log is no event. It is kept in `holdfast.audit_rejected`.',
    resource: 'audit_event',
    series: 'either',
    details: {
      reason:
        '`no_event`, `too_long`, `columns_differ` (it speaks of another organization), `id_taken` (another event has its id) or `refused_by_store`',
      seq: 'its row there',
      sha256: 'of its text, in hexadecimal',
    },
  },
  'audit.keys_rotated': {
    category: 'operations',
    when: 'The keys that sign checkpoints were replaced. The checkpoint that ends with this event is signed by the old ones and the new ones.',
    resource: 'audit_log',
    series: 'instance',
    details: {
      size: 'of the log at the rotation',
      retired: 'verifier keys that sign no more',
      added: 'verifier keys that sign from then on',
    },
  },
} as const satisfies Readonly<Record<string, AuditEventType>>;

export type AuditEventName = keyof typeof types;

/** Every type of event that the audit log holds, in one table: types, the reference page and the filters of the API follow from it. */
export const auditEventTypes: Readonly<Record<AuditEventName, AuditEventType>> = Object.freeze(types);

export const auditEventNames = Object.freeze(Object.keys(types)) as readonly AuditEventName[];
