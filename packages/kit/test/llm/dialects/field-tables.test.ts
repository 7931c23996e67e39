import type { MessageCreateParamsBase } from '@anthropic-ai/sdk/resources/messages/messages';
import type { ChatCompletionCreateParamsBase } from 'openai/resources/chat/completions/completions';
import { describe, expect, test } from 'vitest';
import { anthropicToOpenaiFields, openaiToAnthropicFields, type FieldTable } from '../../../src/llm/dialects/index.ts';
import type { Dialect } from '../../../src/llm/spec/index.ts';
import * as fromAnthropic from './anthropic-to-openai.examples.ts';
import { sign, type AnswerExample, type FieldExample } from './field-examples.ts';
import * as fromOpenai from './openai-to-anthropic.examples.ts';
import { fieldsOf, refusal, translateAnswer, translateRequest, type Body } from './translate.ts';

interface Direction {
  readonly dialect: Dialect;
  readonly table: FieldTable;
  readonly examples: Readonly<Record<string, FieldExample>>;
  readonly answers: Readonly<Record<string, AnswerExample>>;
  readonly provenByStreams: readonly string[];
  readonly neutral: Readonly<Record<string, unknown>>;
}

const directions: readonly Direction[] = [
  {
    dialect: 'openai',
    table: openaiToAnthropicFields,
    examples: fromOpenai.openaiToAnthropicExamples,
    answers: fromOpenai.openaiToAnthropicAnswers,
    provenByStreams: fromOpenai.provenByStreams,
    neutral: {
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      frequency_penalty: 0,
      presence_penalty: 0,
      modalities: ['text'],
      functions: [],
    },
  },
  {
    dialect: 'anthropic',
    table: anthropicToOpenaiFields,
    examples: fromAnthropic.anthropicToOpenaiExamples,
    answers: fromAnthropic.anthropicToOpenaiAnswers,
    provenByStreams: fromAnthropic.provenByStreams,
    neutral: { mcp_servers: [], speed: 'standard' },
  },
];

describe.each(directions)('a client of $dialect', ({ dialect, table, examples, answers, provenByStreams, neutral }) => {
  const rows = [...table.members, ...table.nested].filter(({ field }) => !provenByStreams.includes(field));

  test('has an example of every row of its table, and no other', () => {
    expect(Object.keys(examples).toSorted()).toEqual(rows.map(({ field }) => field).toSorted());
    expect(Object.keys(answers).toSorted()).toEqual(table.answer.map(({ field }) => field).toSorted());
  });

  test.each(rows)('finds $field $fate', async ({ field, fate }) => {
    const { body, without, path, arrives } = examples[field]!;
    if (fate === 'refused') {
      const error = await refusal(dialect, body);
      expect([error.code, fieldsOf(error)]).toEqual(['dialect_unsupported', [path]]);
    } else if (fate === 'dropped') {
      expect(await translateRequest(dialect, body)).toEqual(await translateRequest(dialect, without));
    } else {
      const carried = await translateRequest(dialect, body);
      expect(carried).toMatchObject(arrives!);
      const before = await translateRequest(dialect, without).catch(() => undefined);
      expect(carried).not.toEqual(before);
    }
  });

  test.each(table.answer)('finds $field of the answer $fate', async ({ field, fate }) => {
    const { answer, arrives } = answers[field]!;
    const translated = await translateAnswer(dialect, answer);
    if (fate === 'carried') expect(translated).toMatchObject(arrives!);
    else expect(JSON.stringify(answer).includes(sign) && !JSON.stringify(translated).includes(sign)).toBe(true);
  });

  test('may send a refused field with the value that asks for nothing, or null', async () => {
    const base: Body = { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] };
    const plain = await translateRequest(dialect, base);
    expect(Object.keys(neutral)).toEqual(table.members.filter((row) => row.neutral).map((row) => row.field));
    for (const [name, value] of Object.entries(neutral)) expect(await translateRequest(dialect, { ...base, [name]: value })).toEqual(plain);
    const nulls = Object.fromEntries(table.members.filter((row) => !(row.field in base)).map((row) => [row.field, null]));
    expect(await translateRequest(dialect, { ...base, ...nulls })).toEqual(plain);
  });

  test('is told of all the fields at fault at once, the unknown ones too', async () => {
    const refused = table.members.filter((row) => row.fate === 'refused').map((row) => row.field);
    const body = Object.assign(
      { model: 'm', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }], brand_new: 1, other: null },
      ...refused.map((field) => ({ [field]: examples[field]!.body[field] })),
    );
    expect(fieldsOf(await refusal(dialect, body)).toSorted()).toEqual([...refused, 'brand_new'].toSorted());
  });
});

// These two do not compile when an SDK of a newer version has a field that the tables say nothing of.
const openaiMembers = {
  messages: 1,
  model: 1,
  audio: 1,
  frequency_penalty: 1,
  function_call: 1,
  functions: 1,
  logit_bias: 1,
  logprobs: 1,
  max_completion_tokens: 1,
  max_tokens: 1,
  metadata: 1,
  modalities: 1,
  moderation: 1,
  n: 1,
  parallel_tool_calls: 1,
  prediction: 1,
  presence_penalty: 1,
  prompt_cache_key: 1,
  prompt_cache_options: 1,
  prompt_cache_retention: 1,
  reasoning_effort: 1,
  response_format: 1,
  safety_identifier: 1,
  seed: 1,
  service_tier: 1,
  stop: 1,
  store: 1,
  stream: 1,
  stream_options: 1,
  temperature: 1,
  tool_choice: 1,
  tools: 1,
  top_logprobs: 1,
  top_p: 1,
  user: 1,
  verbosity: 1,
  web_search_options: 1,
} satisfies Record<keyof ChatCompletionCreateParamsBase, 1>;
const anthropicMembers = {
  max_tokens: 1,
  messages: 1,
  model: 1,
  cache_control: 1,
  container: 1,
  diagnostics: 1,
  inference_geo: 1,
  metadata: 1,
  output_config: 1,
  service_tier: 1,
  speed: 1,
  stop_sequences: 1,
  stream: 1,
  system: 1,
  thinking: 1,
  tool_choice: 1,
  tools: 1,
  // The SDK sends the other two as headers.
} satisfies Record<Exclude<keyof MessageCreateParamsBase, 'user_profile_id' | 'workspace_id'>, 1>;

test.each([
  ['openai', openaiMembers, openaiToAnthropicFields],
  ['anthropic', anthropicMembers, anthropicToOpenaiFields],
] as const)('the table knows every field that the SDK of %s can send', (_name, members, table) => {
  const known = new Set(table.members.map((row) => row.field));
  expect(Object.keys(members).filter((name) => !known.has(name))).toEqual([]);
});
