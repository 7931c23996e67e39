import { createTimestampWriter } from '@holdfast/kit/time';
import type { CallEnding, ModelCall } from '../../model/index.ts';

/** Longest text of the client's that is kept, in UTF-16 units. */
const maxText = 256;

/** Printable ASCII without quote and backslash: the same within quotes. */
const plain = /^[ !#-[\]-~]*$/;

/**
 * JSON of a text that a client chose, fit for PostgreSQL: bounded, without NUL (which it cannot store) and without lone
 * surrogates (which are no characters). Most are plain and need none of it.
 */
function clientText(text: string | undefined): string {
  if (text === undefined) return 'null';
  if (text.length <= maxText && plain.test(text)) return `"${text}"`;
  const bounded = text.length > maxText ? text.slice(0, maxText) : text;
  return JSON.stringify(bounded.replaceAll('\0', '').toWellFormed());
}

/** JSON of a text of our own: ids and words that hold nothing to escape. */
function ownText(text: string | undefined): string {
  return text === undefined ? 'null' : `"${text}"`;
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? 'null' : String(Math.round(value * 1000) / 1000);
}

const instant = createTimestampWriter();

/** What intent and row have in common, as members of a JSON object without its braces. */
function commonText(call: ModelCall, instanceId: string): string {
  const { context } = call;
  const { principal } = context;
  return (
    `"id":"${call.id}","organization_id":"${principal.organizationId}","instance_id":"${instanceId}",` +
    `"request_id":${clientText(context.requestId)},"key_id":"${principal.keyId}","user_id":${ownText(principal.userId)},` +
    `"end_user":${clientText(call.endUser)},"feature":${clientText(call.feature)},"operation":"${call.operation}",` +
    `"dialect":"${call.dialect}","streamed":${call.stream},"model_asked":${clientText(call.model)},` +
    `"started_at":"${instant(context.startedAt)}"`
  );
}

/** The row of `call_intents`, as JSON text: built by hand because it is built for every call. */
export function intentText(call: ModelCall, instanceId: string): string {
  return `{${commonText(call, instanceId)},"provider":${clientText(call.record.provider)}}`;
}

/** The row of `calls`, as JSON text. */
export function rowText(call: ModelCall, instanceId: string, ending: CallEnding): string {
  const { record } = call;
  const { usage } = ending;
  return (
    `{${commonText(call, instanceId)},"model_served":${clientText(ending.servedModel)},"provider":${clientText(record.provider)},` +
    `"prompt_tokens":${usage?.promptTokens ?? 0},"completion_tokens":${usage?.completionTokens ?? 0},` +
    `"cached_tokens":${usage?.cachedTokens ?? 0},"cache_write_tokens":${usage?.cacheWriteTokens ?? 0},` +
    `"reasoning_tokens":${usage?.reasoningTokens ?? 0},"usage_source":"${usage?.source ?? 'none'}",` +
    `"cost_nano_usd":${ending.costNanoUsd},"outcome":"${ending.outcome}","error_code":${ownText(ending.errorCode)},` +
    `"finish_reason":${clientText(ending.finishReason)},"status":${ending.status},"latency_ms":${milliseconds(ending.latencyMs)},` +
    `"first_token_ms":${milliseconds(record.firstTokenMs)},"overhead_ms":${milliseconds(ending.overheadMs)},` +
    `"layers":${layersText(record.layers)},"attempts":${attemptsText(record.attempts)},"finished_at":"${instant(ending.finishedAt)}"}`
  );
}

/** The model of an attempt is the client's text where a name passes straight through to a provider. */
function attemptsText(attempts: ModelCall['record']['attempts']): string {
  let text = '';
  for (const { provider, model, outcome, error_code, latency_ms } of attempts) {
    text +=
      `${text === '' ? '' : ','}{"provider":${clientText(provider)},"model":${clientText(model)},"outcome":"${outcome}",` +
      `"error_code":${ownText(error_code ?? undefined)},"latency_ms":${latency_ms}}`;
  }
  return `[${text}]`;
}

function layersText(layers: Readonly<Record<string, number>>): string {
  let text = '';
  for (const name in layers) text += `${text === '' ? '' : ','}"${name}":${milliseconds(layers[name])}`;
  return `{${text}}`;
}
