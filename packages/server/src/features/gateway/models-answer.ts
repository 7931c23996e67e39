import type { ListedModel } from '../../model/index.ts';

/**
 * One entry for both SDKs: OpenAI's reads `object`, `created` and `owned_by`, Anthropic's `type`, `display_name` and
 * `created_at`. A model here is a name, which has no birthday: the start of the server stands in for one.
 */
export function modelEntry(model: ListedModel, startedAt: number) {
  return {
    id: model.id,
    object: 'model',
    type: 'model',
    created: Math.floor(startedAt / 1000),
    created_at: new Date(startedAt).toISOString(),
    display_name: model.id,
    owned_by: model.ownedBy,
  } as const;
}

export function modelList(models: readonly ListedModel[], startedAt: number) {
  const data = models.map((model) => modelEntry(model, startedAt));
  return { object: 'list', data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null } as const;
}
