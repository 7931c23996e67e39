import { z } from 'zod';

/**
 * Shallow on purpose: the gateway passes the body on as the bytes that came, so only what the call path itself reads is
 * described. Unknown members pass.
 */
export const chatCompletionRequest = z
  .looseObject({
    model: z
      .string()
      .min(1)
      .max(256)
      .meta({ description: 'A model of the configuration, or `provider/model`.', examples: ['fast'] }),
    messages: z.array(z.looseObject({ role: z.string() })).min(1),
    stream: z.boolean().nullable().optional(),
    stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullable().optional(),
    max_tokens: z.int().positive().nullable().optional(),
    max_completion_tokens: z.int().positive().nullable().optional(),
    tools: z.array(z.looseObject({ type: z.string() })).optional(),
    user: z.string().optional().meta({ description: 'The end user, for reports. Never an identity.' }),
  })
  .meta({
    id: 'ChatCompletionRequest',
    description: 'OpenAI’s chat completion request. Members not named here pass to the provider as they are.',
    examples: [
      { model: 'fast', messages: [{ role: 'user', content: 'Say hello in one word.' }] },
      {
        model: 'fast',
        stream: true,
        messages: [
          { role: 'system', content: 'You are terse.' },
          { role: 'user', content: 'What is the weather in Graz?' },
        ],
        tools: [
          {
            type: 'function',
            function: {
              name: 'get_weather',
              parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
            },
          },
        ],
      },
    ],
  });

export const chatCompletion = z
  .looseObject({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int().meta({ description: 'Unix seconds.' }),
    model: z.string(),
    choices: z.array(
      z.looseObject({
        index: z.int(),
        message: z.looseObject({ role: z.string(), content: z.string().nullable().optional() }),
        finish_reason: z.string().nullable(),
      }),
    ),
    usage: z.looseObject({ prompt_tokens: z.int(), completion_tokens: z.int(), total_tokens: z.int() }).nullable().optional(),
  })
  .meta({
    id: 'ChatCompletion',
    description: 'A whole answer. With `stream: true` the same comes as server-sent events, ended by `data: [DONE]`.',
    examples: [
      {
        id: 'chatcmpl-9f2c',
        object: 'chat.completion',
        created: 1_795_167_208,
        model: 'gpt-4o-mini-2024-07-18',
        choices: [{ index: 0, message: { role: 'assistant', content: 'Hello!' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 13, completion_tokens: 2, total_tokens: 15 },
      },
    ],
  });
