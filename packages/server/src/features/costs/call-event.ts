import type { AuditOutcome } from '@holdfast/kit/audit';
import { createTimestampWriter } from '@holdfast/kit/time';
import type { Selectable } from 'kysely';
import type { CallEnding, ModelCall } from '../../model/index.ts';
import {
  auditEventBytes,
  auditName,
  auditText,
  Personal,
  writeEvent,
  type PersonalKind,
  type PersonalReference,
  type PersonalReferences,
  type WrittenEvent,
} from '../../platform/audit/index.ts';
import type { CallIntentsTable } from '../../platform/postgres/index.ts';

/** Printable ASCII without quote and backslash: the same within the quotes of JSON. */
const plain = /^[ !#-[\]-~]*$/;
const maxPlain = 256;

function quoted(text: string): string {
  return text.length <= maxPlain && plain.test(text) ? `"${text}"` : JSON.stringify(auditText(text));
}

/**
 * Whether the name of a model says nothing of the client's: one without a slash is of the configuration, and one by which a provider has
 * served a call is a name that providers publish. Any other is a text that a client sent, and only referred to.
 */
function isKnownModel(name: string, outcome: CallEnding['outcome'] | 'interrupted'): boolean {
  return outcome === 'completed' || !name.includes('/');
}

/** The outcome of the event by that of the ledger. That the client went away is no failure of anybody's, but the call did not do what it was for. */
const outcomes: Readonly<Record<CallEnding['outcome'], AuditOutcome>> = {
  completed: 'success',
  failed: 'failure',
  aborted: 'failure',
  refused: 'denied',
};

const timestamp = createTimestampWriter();

/** What is left of a call that a crash has ended. */
export type InterruptedIntent = Selectable<CallIntentsTable>;

/**
 * The event of a call whose instance died, at the moment when that was found out. Who called from where died with it, but for what its intent
 * says; of the end user there is a fresh reference.
 */
export function interruptedCallEvent(intent: InterruptedIntent, atMs: number, references: PersonalReferences): WrittenEvent {
  const model = intent.model_asked ?? '';
  const known = isKnownModel(model, 'interrupted');
  return writeEvent(
    {
      type: 'model.called',
      outcome: 'interrupted',
      organizationId: intent.organization_id,
      by: {
        actor: { type: 'key', id: intent.key_id ?? undefined, userId: intent.user_id ?? undefined },
        requestId: intent.request_id ?? undefined,
      },
      resource: { type: 'model', id: known ? model : undefined },
      details: {
        operation: intent.operation ?? undefined,
        dialect: intent.dialect ?? undefined,
        outcome: 'interrupted',
        streamed: intent.streamed ?? undefined,
        provider: intent.provider ?? undefined,
        cost_nano_usd: intent.reserved_nano ?? undefined,
        end_user: intent.end_user === null ? undefined : new Personal('end_user', intent.end_user),
        feature: intent.feature === null ? undefined : new Personal('text', intent.feature),
        model: known ? undefined : new Personal('text', model),
      },
    },
    { id: intent.id, atMs, refer: (...value) => references.fresh(...value) },
  );
}

/** The event of a call, and what it refers to that is not durable yet. */
export interface CallEvent {
  readonly bytes: Buffer;
  readonly personal: readonly PersonalReference[] | undefined;
}

/**
 * The event `model.called` of a call that has a row: a value of `holdfast.audit_event_1` with the id of the call. Its body is what
 * `canonicalJson` would write, put together by hand because every call pays for it: members in the order of their names, at every depth.
 */
export function callEvent(call: ModelCall, ending: CallEnding, references: PersonalReferences): CallEvent {
  const { personal, body } = callEventBody(call, ending, references);
  return { bytes: auditEventBytes(call.id, call.context.principal.organizationId, body), personal };
}

export function callEventBody(
  call: ModelCall,
  ending: CallEnding,
  references: PersonalReferences,
): { readonly body: string; readonly personal: readonly PersonalReference[] | undefined } {
  const { context, record, endUser, feature } = call;
  const { principal, address, userAgent } = context;
  const { organizationId, userId } = principal;
  const { usage } = ending;
  const at = ending.finishedAt;
  let personal: PersonalReference[] | undefined;
  const refer = (kind: PersonalKind, value: string): string => {
    const reference = references.daily(organizationId, kind, value, at);
    if (reference.row !== undefined) (personal ??= []).push(reference);
    return reference.ref;
  };

  const known = isKnownModel(call.model, ending.outcome);
  const model = known ? auditName(call.model) : undefined;
  let client = '';
  if (address !== undefined) client = `"ip":"${refer('ip', address)}"`;
  if (userAgent !== undefined) client += `${client === '' ? '' : ','}"user_agent":"${refer('user_agent', userAgent)}"`;

  const body =
    `{"actor":{"id":"${principal.keyId}","type":"key"${userId === undefined ? '' : `,"user_id":"${userId}"`}},"at":"${timestamp(at)}"` +
    (client === '' ? '' : `,"client":{${client}}`) +
    `,"details":{"attempts":${record.attemptsMade}` +
    (ending.errorCode === undefined ? '' : `,"code":"${ending.errorCode}"`) +
    (usage === undefined ? '' : `,"completion_tokens":${usage.completionTokens}`) +
    (ending.costNanoUsd === null ? '' : `,"cost_nano_usd":${ending.costNanoUsd}`) +
    `,"dialect":"${call.dialect}"` +
    (endUser === undefined ? '' : `,"end_user":"${refer('end_user', endUser)}"`) +
    (feature === undefined ? '' : `,"feature":"${refer('text', feature)}"`) +
    `,"latency_ms":${Math.round(ending.latencyMs)}` +
    (known ? '' : `,"model":"${refer('text', call.model)}"`) +
    (ending.servedModel === undefined || !known ? '' : `,"model_served":${quoted(ending.servedModel)}`) +
    `,"operation":"${call.operation}","outcome":"${ending.outcome}"` +
    (usage === undefined ? '' : `,"prompt_tokens":${usage.promptTokens}`) +
    (record.provider === undefined ? '' : `,"provider":${quoted(record.provider)}`) +
    `,"status":${ending.status},"streamed":${call.stream}},"id":"${call.id}","organization_id":"${organizationId}"` +
    `,"outcome":"${outcomes[ending.outcome]}","request_id":${quoted(context.requestId)}` +
    `,"resource":{${model === undefined ? '' : `"id":${quoted(model)},`}"type":"model"},"type":"model.called","v":1}`;
  return { body, personal };
}
