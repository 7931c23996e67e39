import { CompositeWriter } from '../../platform/postgres/index.ts';
import type { Usage } from '@holdfast/kit/llm';
import type { CallEnding, ModelCall } from '../../model/index.ts';

/** Longest text of the client's that is kept, in UTF-16 units. */
const maxText = 256;

/** Printable ASCII without quote and backslash: the same within the quotes of JSON, and nothing that PostgreSQL refuses. */
const plain = /^[ !#-[\]-~]*$/;

/** A text that a client chose, fit for PostgreSQL: bounded, and without NUL, which it cannot store. */
function clientText(text: string | undefined): string | undefined {
  if (text === undefined || (text.length <= maxText && plain.test(text))) return text;
  return (text.length > maxText ? text.slice(0, maxText) : text).replaceAll('\0', '');
}

/** The same within JSON. Most are plain and need no escaping. */
function clientJson(text: string): string {
  if (text.length <= maxText && plain.test(text)) return `"${text}"`;
  return JSON.stringify(clientText(text)!.toWellFormed());
}

function milliseconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000) / 1000;
}

const writer = new CompositeWriter();

/** What intent and row have in common: the first fields of both types. */
function writeCommon(call: ModelCall, instanceId: string): CompositeWriter {
  const { context } = call;
  const { principal } = context;
  return writer
    .begin()
    .uuid(call.id)
    .recurringUuid(principal.organizationId)
    .recurringUuid(instanceId)
    .text(clientText(context.requestId))
    .recurringUuid(principal.keyId)
    .uuid(principal.userId)
    .text(clientText(call.endUser))
    .text(clientText(call.feature))
    .text(call.operation)
    .text(call.dialect)
    .bool(call.stream)
    .text(clientText(call.model))
    .text(clientText(call.record.provider))
    .timestamptz(context.startedAt);
}

/** A value of `holdfast.call_intent_2`. */
export function intentBytes(call: ModelCall, instanceId: string): Buffer {
  return writeCommon(call, instanceId)
    .int8(call.record.reservedNanoUsd ?? null)
    .end();
}

/** A value of `holdfast.call_row_2`. */
export function rowBytes(call: ModelCall, instanceId: string, ending: CallEnding): Buffer {
  const { record } = call;
  const { usage } = ending;
  return writeCommon(call, instanceId)
    .text(clientText(ending.servedModel))
    .int8(usage?.promptTokens ?? 0)
    .int8(usage?.completionTokens ?? 0)
    .int8(usage?.cachedTokens ?? 0)
    .int8(usage?.cacheWriteTokens ?? 0)
    .int8(usage?.reasoningTokens ?? 0)
    .text(usage?.source ?? 'none')
    .int8(ending.costNanoUsd)
    .text(ending.outcome)
    .text(ending.errorCode)
    .text(clientText(ending.finishReason))
    .int4(ending.status)
    .float8(milliseconds(ending.latencyMs))
    .float8(milliseconds(record.firstTokenMs))
    .float8(milliseconds(ending.overheadMs))
    .json(layersText(record.layers))
    .json(attemptsText(record.attempts))
    .timestamptz(ending.finishedAt)
    .text(ending.priceId)
    .json(usage && usageDetailsText(usage))
    .end();
}

/** The tokens that have no column, since most calls have none of them. */
function usageDetailsText(usage: Usage): string | undefined {
  const { cacheWrite1hTokens, audioPromptTokens, audioCompletionTokens, imagePromptTokens, imageCompletionTokens } = usage;
  if (!(cacheWrite1hTokens || audioPromptTokens || audioCompletionTokens || imagePromptTokens || imageCompletionTokens)) return undefined;
  return JSON.stringify({
    cache_write_1h_tokens: cacheWrite1hTokens,
    audio_prompt_tokens: audioPromptTokens,
    audio_completion_tokens: audioCompletionTokens,
    image_prompt_tokens: imagePromptTokens,
    image_completion_tokens: imageCompletionTokens,
  });
}

/** The model of an attempt is the client's text where a name passes straight through to a provider. */
function attemptsText(attempts: ModelCall['record']['attempts']): string {
  let text = '';
  for (const { provider, model, outcome, error_code, latency_ms, extra } of attempts) {
    text +=
      `${text === '' ? '' : ','}{"provider":${clientJson(provider)},"model":${clientJson(model)},"outcome":"${outcome}",` +
      `"error_code":${error_code === null ? 'null' : `"${error_code}"`},"latency_ms":${latency_ms}${extra?.usage ? extraText(extra.usage, extra.costNanoUsd) : ''}}`;
  }
  return `[${text}]`;
}

function extraText({ promptTokens, completionTokens, source }: Usage, costNanoUsd: number | null | undefined): string {
  return `,"prompt_tokens":${promptTokens},"completion_tokens":${completionTokens},"usage_source":"${source}","cost_nano_usd":${costNanoUsd ?? null}`;
}

function layersText(layers: Readonly<Record<string, number>>): string {
  let text = '';
  for (const name in layers) text += `${text === '' ? '' : ','}"${name}":${milliseconds(layers[name])}`;
  return `{${text}}`;
}
