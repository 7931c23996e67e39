import { z } from 'zod';

/** One entry fits both SDKs: OpenAI's reads `object`, `created` and `owned_by`; Anthropic's `type`, `display_name` and `created_at`. */
export const modelEntry = z
  .looseObject({
    id: z.string().meta({ description: 'The name to ask for.', examples: ['fast'] }),
    object: z.literal('model'),
    created: z.int().meta({ description: 'Unix seconds.' }),
    owned_by: z.string().meta({ description: 'The provider of the first target.', examples: ['primary'] }),
  })
  .meta({
    id: 'Model',
    description: 'A model that the key may ask for.',
    examples: [{ id: 'fast', object: 'model', created: 1_795_167_208, owned_by: 'primary' }],
  });

export const modelList = z.looseObject({ object: z.literal('list'), data: z.array(modelEntry) }).meta({
  id: 'ModelList',
  description: 'The models of the configuration that the key may ask for.',
  examples: [{ object: 'list', data: [{ id: 'fast', object: 'model', created: 1_795_167_208, owned_by: 'primary' }] }],
});
