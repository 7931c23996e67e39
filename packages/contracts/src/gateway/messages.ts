import { z } from 'zod';

const message = z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]) });

export const messagesRequest = z
  .looseObject({
    model: z
      .string()
      .min(1)
      .max(256)
      .meta({ description: 'A model of the configuration, or `provider/model`.', examples: ['claude'] }),
    max_tokens: z.int().nonnegative(),
    messages: z.array(message).min(1),
    stream: z.boolean().optional(),
    system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
    tools: z.array(z.looseObject({ name: z.string().optional() })).optional(),
    metadata: z.looseObject({ user_id: z.string().nullable().optional() }).optional().meta({
      description: '`user_id` is the end user, for reports. Never an identity.',
    }),
  })
  .meta({
    id: 'MessagesRequest',
    description: 'Anthropic’s messages request. Members not named here pass to the provider as they are.',
    examples: [{ model: 'claude', max_tokens: 256, messages: [{ role: 'user', content: 'Say hello in one word.' }] }],
  });

export const messagesAnswer = z
  .looseObject({
    id: z.string(),
    type: z.literal('message'),
    role: z.literal('assistant'),
    model: z.string(),
    content: z.array(z.looseObject({ type: z.string() })),
    stop_reason: z.string().nullable(),
    stop_sequence: z.string().nullable().optional(),
    usage: z.looseObject({ input_tokens: z.int(), output_tokens: z.int() }),
  })
  .meta({
    id: 'Message',
    description: 'A whole answer. With `stream: true` the same comes as server-sent events, ended by `message_stop`.',
    examples: [
      {
        id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5-20250929',
        content: [{ type: 'text', text: 'Hello!' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: { input_tokens: 13, output_tokens: 5 },
      },
    ],
  });

export const countTokensRequest = z
  .looseObject({
    model: z
      .string()
      .min(1)
      .max(256)
      .meta({ examples: ['claude'] }),
    messages: z.array(message).min(1),
    system: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]).optional(),
    tools: z.array(z.looseObject({ name: z.string().optional() })).optional(),
  })
  .meta({
    id: 'CountTokensRequest',
    description: 'Anthropic’s request to count the tokens of a prompt. Members not named here pass to the provider as they are.',
    examples: [{ model: 'claude', messages: [{ role: 'user', content: 'Say hello in one word.' }] }],
  });

export const countTokensAnswer = z.looseObject({ input_tokens: z.int().nonnegative() }).meta({
  id: 'CountTokensAnswer',
  description: 'How many tokens the prompt has.',
  examples: [{ input_tokens: 13 }],
});
