import type { AlertDelivery } from './engine/index.ts';

/** What is sent to see whether a channel works: marked as a test wherever it is shown, and of no alert. */
export function testDelivery(options: {
  readonly id: string;
  readonly channel: string;
  readonly deployment: string;
  readonly nowMs: number;
}): AlertDelivery {
  const { id, channel, deployment, nowMs } = options;
  return {
    id,
    channel,
    groupKey: 'test',
    notification: {
      kind: 'test',
      cause: null,
      rule: 'test',
      dedupKey: `${deployment}/test`,
      deployment,
      severity: 'info',
      atMs: nowMs,
      summary: 'This is a test of the alert channels of Holdfast. Nothing is wrong.',
      action: 'Nothing: that you read this is the result of the test.',
      look: ['docs/guides/alerts.md'],
      alerts: [],
      count: 0,
    },
    status: 'pending',
    attempts: 0,
    createdMs: nowMs,
    nextTryMs: nowMs,
    finishedMs: null,
    lastError: null,
  };
}
