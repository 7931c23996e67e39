import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditEventText, type AuditEvent } from '@holdfast/kit/audit';
import { insertEvents } from '../../src/platform/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { auditEvent, createId, written } from './fixture.ts';

const organization = createId();

const event = (members: Partial<AuditEvent> = {}): AuditEvent => auditEvent({ organization_id: organization, ...members });

let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
});
afterAll(() => postgres.stop());

const waiting = () =>
  postgres.asSuperuser<{ id: string; organization_id: string | null; body: string }>(
    'select id, organization_id, body from holdfast.audit_inbox order by seq',
  );

test('events exist exactly when the transaction is committed, in the order in which they were handed over', async () => {
  const events = Array.from({ length: 20 }, (_, at) => event({ details: { at } })).reverse();
  await expect(
    database.withOrganization(organization, async (transaction) => {
      await insertEvents(transaction, [written(event())]);
      throw new Error('the effect failed');
    }),
  ).rejects.toThrow('the effect failed');
  expect(await waiting()).toEqual([]);

  await database.withOrganization(organization, (transaction) => insertEvents(transaction, events.map(written)));
  expect(await waiting()).toEqual(events.map((each) => ({ id: each.id, organization_id: organization, body: auditEventText(each) })));
});

test('a transaction of one organization cannot write into the log of another, nor into the instance’s own', async () => {
  for (const organization_id of [createId(), null]) {
    const append = database.withOrganization(organization, (transaction) =>
      insertEvents(transaction, [written(event({ organization_id }))]),
    );
    await expect(append).rejects.toMatchObject({ code: '42501' });
  }
});

test.each(['writer', 'jobs', 'operator'] as const)('%s writes events of any organization and of the instance', async (role) => {
  const events = [event({ organization_id: createId() }), event({ organization_id: null })];
  await database
    .query(role)
    .transaction()
    .execute((transaction) => insertEvents(transaction, events.map(written)));
  expect((await waiting()).slice(-2).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
});
