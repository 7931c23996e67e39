import { z } from 'zod';

export const embeddingRequest = z
  .looseObject({
    model: z
      .string()
      .min(1)
      .max(256)
      .meta({ examples: ['embed'] }),
    input: z.union([z.string(), z.array(z.string()), z.array(z.int()), z.array(z.array(z.int()))]).meta({
      description: 'One text or several, or tokens.',
    }),
    encoding_format: z.enum(['float', 'base64']).optional(),
    dimensions: z.int().positive().optional(),
    user: z.string().optional().meta({ description: 'The end user, for reports. Never an identity.' }),
  })
  .meta({
    id: 'EmbeddingRequest',
    description: 'OpenAI’s embeddings request. Members not named here pass to the provider as they are.',
    examples: [{ model: 'embed', input: ['the first text', 'the second text'] }],
  });

export const embeddingList = z
  .looseObject({
    object: z.literal('list'),
    model: z.string(),
    data: z.array(
      z.looseObject({
        object: z.literal('embedding'),
        index: z.int(),
        embedding: z.union([z.array(z.number()), z.string()]).meta({ description: 'Numbers, or base64 of 32-bit floats.' }),
      }),
    ),
    usage: z.looseObject({ prompt_tokens: z.int(), total_tokens: z.int() }).optional(),
  })
  .meta({
    id: 'EmbeddingList',
    description: 'One vector for each input, in order.',
    examples: [
      {
        object: 'list',
        model: 'text-embedding-3-small',
        data: [{ object: 'embedding', index: 0, embedding: [0.0123, -0.0456, 0.0789] }],
        usage: { prompt_tokens: 4, total_tokens: 4 },
      },
    ],
  });
