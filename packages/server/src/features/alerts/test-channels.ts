import type { AlertTestResultsBody } from '@holdfast/contracts';
import { testDelivery, type AlertChannel } from '@holdfast/kit/alerts';
import { HoldfastError, toHoldfastError } from '@holdfast/kit/errors';

export interface TestChannelsOptions {
  readonly channels: readonly AlertChannel[];
  /** Only this one. Throws `resource_not_found` when there is none of this name. */
  readonly only?: string | undefined;
  readonly deployment: string;
  readonly createId: () => string;
  readonly nowMs: number;
}

/** Sends a marked test through the channels, and says how it went. What fails is an answer, not a failure. */
export async function testChannels({ channels, only, deployment, createId, nowMs }: TestChannelsOptions): Promise<AlertTestResultsBody> {
  const chosen = only === undefined ? channels : channels.filter(({ name }) => name === only);
  if (only !== undefined && chosen.length === 0)
    throw new HoldfastError('resource_not_found', {
      detail: `there is no channel of this name; there are ${channels.map(({ name }) => name).join(', ') || 'none'}`,
    });
  const data = chosen.map(async (channel) => {
    const { name, kind } = channel;
    try {
      await channel.send(testDelivery({ id: createId(), channel: name, deployment, nowMs }), { signal: new AbortController().signal });
      return { channel: name, kind, delivered: true, error: null, detail: null };
    } catch (thrown) {
      const { code, message } = toHoldfastError(thrown);
      return { channel: name, kind, delivered: false, error: code, detail: message };
    }
  });
  return { data: await Promise.all(data), next_cursor: null };
}
