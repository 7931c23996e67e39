import { createFakeClock, createSeededRandom } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createReferences } from '../../../test/support/personal-references.ts';
import type { WrittenEvent } from './audit-event.ts';
import { operatorAtTerminal } from './audit-event.ts';
import { auditEventDelayed, createAuditTrail, type EventCommitter } from './audit-trail.ts';

const event = { type: 'log_level.changed', organizationId: null, by: operatorAtTerminal, details: { level: 'debug' } } as const;

function scene(committer: EventCommitter) {
  const delayed: string[] = [];
  onTestFinished(auditEventDelayed.subscribe(({ type }) => void delayed.push(type)));
  const trail = createAuditTrail({
    ...{ database: { asOperator: () => expect.unreachable() }, references: createReferences() },
    ...{ clock: createFakeClock({ nowMs: 1_795_200_000_123 }), random: createSeededRandom(1), committer: () => committer },
  });
  return { trail, delayed };
}

test('an event goes with the group commit, and whoever records it knows when it is durable', async () => {
  const committed: WrittenEvent[] = [];
  const { trail, delayed } = scene({ available: true, record: async (written) => void committed.push(written) });
  expect(await trail.record(event)).toBe(true);
  expect(committed.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
    { v: 1, at: '2026-11-20T18:40:00.123Z', type: 'log_level.changed', outcome: 'success', actor: { type: 'operator' }, resource: null },
  ]);
  expect(delayed).toStrictEqual([]);
});

test('nobody waits for a database that is away, and the event is handed over all the same', async () => {
  let handedOver = 0;
  const never = new Promise<never>(() => {});
  const { trail, delayed } = scene({ available: false, record: () => (handedOver++, never) });
  expect(await trail.record(event)).toBe(false);
  expect([handedOver, delayed]).toStrictEqual([1, ['log_level.changed']]);
});

test('a commit that fails in the end is announced, and fails nobody', async () => {
  const { trail, delayed } = scene({ available: true, record: () => Promise.reject(new Error('no room')) });
  expect(await trail.record(event)).toBe(false);
  expect(delayed).toStrictEqual(['log_level.changed']);
});
