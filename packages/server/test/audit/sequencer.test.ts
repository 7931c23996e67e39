import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { auditEventText, parseAuditLeaf, type AuditEvent } from '@holdfast/kit/audit';
import { createFakeClock } from '@holdfast/kit/testing';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { advanceUntil, append as handOver, auditEvent, createId, createSequencer, sequenceAll, verifyLog } from './fixture.ts';

let cluster: TestDatabase;
let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  cluster = await startTestDatabase();
});
beforeEach(async () => {
  postgres = await cluster.createDatabase();
  database = await postgres.open();
});
afterAll(() => cluster.stop());

const append = (...events: AuditEvent[]) => handOver(database, events);
const waiting = async () => (await postgres.asSuperuser('select from holdfast.audit_inbox')).length;

describe('the sequencer', () => {
  test('gives events their places in the order in which they came, numbered without gaps by organization, in a log that verifies', async () => {
    const organizations = [createId(), createId(), null];
    const events = Array.from({ length: 700 }, (_, at) => auditEvent({ organization_id: organizations[at % 3]!, details: { at } }));
    await append(...events.slice(0, 300));
    await sequenceAll(database);
    await append(...events.slice(300));
    await sequenceAll(database);

    const { leaves, size, verified } = await verifyLog(postgres);
    expect(size).toBe(700);
    expect(leaves.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(verified.map((key) => Buffer.from(key.split('+')[2]!, 'base64')[0])).toEqual([0x01, 0x06]);
    expect(await waiting()).toBe(0);
    for (const [at, { leaf, number }] of leaves.entries()) expect(parseAuditLeaf(leaf)).toEqual({ ...events[at], number });
  });

  test('keeps beside a leaf what is in it', async () => {
    const event = auditEvent({
      organization_id: createId(),
      actor: { type: 'key', id: createId(), user_id: createId() },
      outcome: 'denied',
      request_id: 'req-1',
    });
    await append(event, auditEvent({ resource: null, actor: { type: 'system' } }));
    await sequenceAll(database);
    const rows = await postgres.asSuperuser('select * from holdfast.audit_log order by index');
    expect(rows[0]).toMatchObject({
      ...{
        id: event.id,
        organization_id: event.organization_id,
        number: '1',
        at: new Date(event.at),
        type: 'key.created',
        outcome: 'denied',
      },
      ...{ actor_type: 'key', actor_id: event.actor.id, user_id: event.actor.user_id },
      ...{ resource_type: 'api_key', resource_id: event.resource!.id, request_id: 'req-1' },
    });
    expect(rows[1]).toMatchObject({ actor_id: null, user_id: null, resource_type: null, resource_id: null, request_id: null });
  });

  test('gives an event that was handed over again one place', async () => {
    const [first, second, third] = [auditEvent(), auditEvent(), auditEvent()];
    await append(first, second, first);
    await sequenceAll(database);
    await append(second, third);
    await sequenceAll(database);
    expect((await verifyLog(postgres)).leaves.map(({ id }) => id)).toEqual([first.id, second.id, third.id]);
    expect(await waiting()).toBe(0);
  });

  test('sets aside what is no event, says so in the log, and goes on', async () => {
    const organization = createId();
    const good = auditEvent();
    await append(good);
    const inbox = (id: string, body: string, organizationId: string | null = null) =>
      postgres.asSuperuser('insert into holdfast.audit_inbox (id, organization_id, body) values ($1, $2, $3)', [id, organizationId, body]);
    const spoofed = auditEvent({ organization_id: organization });
    const another = createId();
    await inbox(createId(), 'not JSON');
    await inbox(createId(), `${'['.repeat(16_000)}${']'.repeat(16_000)}`);
    await inbox(createId(), auditEventText(auditEvent()));
    await inbox(spoofed.id, auditEventText(spoofed), another);
    await inbox(good.id, auditEventText({ ...good, outcome: 'failure' }));
    await postgres.asSuperuser('alter table holdfast.audit_inbox drop constraint audit_inbox_body_check');
    await inbox(createId(), 'x'.repeat(40_000_000));
    const last = auditEvent();
    await append(last);
    await sequenceAll(database);

    const { leaves } = await verifyLog(postgres);
    const events = leaves.map(({ leaf }) => parseAuditLeaf(leaf));
    expect(events.map(({ type }) => type)).toEqual(['key.created', ...Array<string>(6).fill('audit.event_rejected'), 'key.created']);
    expect(events.slice(1, 7).map(({ details }) => details!['reason'])).toEqual([
      ...['no_event', 'no_event', 'columns_differ', 'columns_differ', 'id_taken', 'too_long'],
    ]);
    expect(events[4]).toMatchObject({ organization_id: another, number: 1, resource: { type: 'audit_event', id: spoofed.id } });
    const kept = await postgres.asSuperuser<{ length: number }>('select length(body) from holdfast.audit_rejected order by seq');
    expect(kept).toHaveLength(6);
    expect(kept[5]!.length).toBe(40_000_000);
    expect(await waiting()).toBe(0);
  });

  test('finds an event that the database refuses among many, and no other waits for it', async () => {
    // No event that we let through is known to be refused, so the database is told to refuse one.
    await postgres.asSuperuser(`alter table holdfast.audit_log add check (type <> 'poison.taken')`);
    const events = Array.from({ length: 40 }, (_, at) => auditEvent(at === 27 ? { type: 'poison.taken' } : {}));
    await append(...events);
    const clock = createFakeClock();
    const sequencer = createSequencer(database, { clock });
    sequencer.start();
    await advanceUntil(clock, async () => (await waiting()) === 0);
    await sequencer.stop();
    const { leaves } = await verifyLog(postgres);
    expect(leaves.map(({ id }, at) => (at === 27 ? undefined : id))).toEqual(events.map(({ id }, at) => (at === 27 ? undefined : id)));
    expect(parseAuditLeaf(leaves[27]!.leaf)).toMatchObject({
      type: 'audit.event_rejected',
      resource: { id: events[27]!.id },
      details: { reason: 'refused_by_store' },
    });
  });

  test('goes on past an event that the database refuses even as rejected', async () => {
    const poison = auditEvent({ type: 'poison.taken' });
    await postgres.asSuperuser(`alter table holdfast.audit_log add check (resource_id <> '${poison.id}' and type <> 'poison.taken')`);
    await append(auditEvent(), poison, auditEvent());
    const clock = createFakeClock();
    const sequencer = createSequencer(database, { clock });
    sequencer.start();
    await advanceUntil(clock, async () => (await waiting()) === 1);
    expect((await verifyLog(postgres)).size).toBe(2);
    await advanceUntil(clock, async () => (await waiting()) === 1 && sequencer.state.waiting === 1);
    await sequencer.stop();
  });
});
