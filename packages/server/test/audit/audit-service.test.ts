import { verifyExport } from '@holdfast/kit/audit/verify';
import { createFakeClock } from '@holdfast/kit/testing';
import { systemRandom } from '@holdfast/kit/time';
import { openProof } from '@holdfast/kit/audit/verify';
import { auditReport } from '@holdfast/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuditService, createPublicationStore, type AuditScope, type AuditService } from '../../src/features/audit/index.ts';
import { insertEvents, PersonalReferences } from '../../src/platform/audit/index.ts';
import { createKeyRing } from '../../src/platform/keyring/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { acme, other, plantLog, startMs, type PlantedLog, type Planned } from './planted-log.ts';

let postgres: TestDatabase;
let database: Database;
let log: PlantedLog;
let service: AuditService;
const references = new PersonalReferences({ keyRing: createKeyRing([{ version: 1, secret: Buffer.alloc(32, 1) }]), random: systemRandom });
const address = references.fresh(acme, 'ip', '203.0.113.7', startMs);
const foreignAddress = references.fresh(other, 'ip', '198.51.100.9', startMs);
const user = '019a9c5a-0000-7000-8000-0000000000aa';
const keyOf = (organization: string) => ({
  type: 'key' as const,
  id: `key-of-${organization.slice(-1)}`,
  ...(organization === acme && { user_id: user }),
});

/** Every third is of the other organization, every seventh of the instance; some are refused. */
const planned: Planned[] = Array.from({ length: 700 }, (_, at) => {
  const organization = at % 3 === 0 ? other : at % 7 === 0 ? null : acme;
  return {
    organization_id: organization,
    type: at % 5 === 0 ? 'access.denied' : at % 11 === 0 ? 'key.revoked' : 'model.called',
    outcome: at % 5 === 0 ? 'denied' : 'success',
    actor: keyOf(organization ?? 'instance'),
    resource: { type: at % 13 === 0 ? 'model' : 'key', id: `resource-${at % 50}` },
    request_id: `request-${at}`,
    ...(organization === acme && { client: { ip: address.ref } }),
    ...(organization === other && { client: { ip: foreignAddress.ref } }),
    atMs: startMs + at * 60_000,
    details: { count: at % 5 === 0 ? 3 : 1 },
  };
});

beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  log = await plantLog(postgres, planned, { signedAt: [256, 500] });
  await database.asOperator((transaction) =>
    insertEvents(transaction, [{ id: user, organizationId: null, body: '{}', personal: [address, foreignAddress] }]),
  );
  service = createAuditService({
    database,
    clock: createFakeClock({ nowMs: startMs + 700 * 60_000 }),
    reveal: (row) => references.reveal(row),
    publications: createPublicationStore(database),
    retention: () => [{ what: 'Everything', kept: '90 days' }],
  });
});
afterAll(() => postgres.stop());

const ofAcme: AuditScope = { organizationId: acme, asOperator: false };
const ofAll: AuditScope = { organizationId: undefined, asOperator: true };
const of = (organizationId: string | null): AuditScope => ({ organizationId, asOperator: true });

async function pages(scope: AuditScope, query: Partial<Parameters<AuditService['list']>[1]> = {}) {
  const data: Awaited<ReturnType<AuditService['list']>>['data'] = [];
  let cursor: string | undefined;
  let count = 0;
  do {
    const page = await service.list(scope, { limit: 50, ...query, ...(cursor !== undefined && { cursor }) });
    data.push(...page.data);
    cursor = page.next_cursor ?? undefined;
    count++;
  } while (cursor !== undefined && count < 100);
  return data;
}
const textOf = async (text: AsyncIterable<string>): Promise<string> => {
  let whole = '';
  for await (const part of text) whole += part;
  return whole;
};

describe('a list', () => {
  test('has every event once, the last in the log first, whatever the pages', async () => {
    const all = await pages(ofAll);
    expect(all.map(({ index }) => index)).toEqual(Array.from({ length: 700 }, (_, at) => 699 - at));
    expect((await pages(ofAcme, { limit: 7 })).map(({ number }) => number)).toEqual(
      Array.from({ length: all.filter(({ organization_id: id }) => id === acme).length }, (_, at) => at + 1).toReversed(),
    );
  });

  test('shows an organization nothing of others, nor of the instance', async () => {
    const events = await pages(ofAcme, { limit: 200 });
    expect(new Set(events.map(({ organization_id: id }) => id))).toEqual(new Set([acme]));
    const foreign = log.events.find(({ organization_id: id }) => id === other)!;
    await expect(service.find(ofAcme, foreign.id)).rejects.toMatchObject({ code: 'resource_not_found' });
    await expect(service.prove(ofAcme, foreign.id)).rejects.toMatchObject({ code: 'resource_not_found' });
    expect(await pages(ofAcme, { resource_type: 'key', resource_id: 'resource-3', actor_id: 'key-of-2' })).toEqual([]);
  });

  test.each([
    ['type', { type: 'key.revoked' }, (event: Planned) => event.type === 'key.revoked'],
    ['the most frequent type', { type: 'model.called' }, (event: Planned) => event.type === 'model.called'],
    ['types by their beginning', { type: 'key.*' }, (event: Planned) => event.type!.startsWith('key.')],
    ['outcome', { outcome: 'denied' as const }, (event: Planned) => event.outcome === 'denied'],
    ['the common outcome', { outcome: 'success' as const }, (event: Planned) => event.outcome === 'success'],
    ['person', { user_id: user }, (event: Planned) => event.actor!.user_id === user],
    ['who did it', { actor_id: 'key-of-2' }, (event: Planned) => event.actor!.id === 'key-of-2'],
    [
      'resource',
      { resource_type: 'key', resource_id: 'resource-7' },
      (event: Planned) => event.resource!.type === 'key' && event.resource!.id === 'resource-7',
    ],
    [
      'resource of the most frequent type',
      { resource_type: 'model', resource_id: 'resource-26' },
      (event: Planned) => event.resource!.type === 'model' && event.resource!.id === 'resource-26',
    ],
    ['request', { request_id: 'request-333' }, (event: Planned) => event.request_id === 'request-333'],
    [
      'time',
      { from: new Date(startMs + 60_000 * 10).toISOString(), to: new Date(startMs + 60_000 * 20).toISOString() },
      (event: Planned) => event.atMs! >= startMs + 60_000 * 10 && event.atMs! < startMs + 60_000 * 20,
    ],
    [
      'several at once',
      { user_id: user, type: 'access.denied', outcome: 'denied' as const, resource_type: 'key', resource_id: 'resource-10' },
      (event: Planned) =>
        event.actor!.user_id === user &&
        event.type === 'access.denied' &&
        event.resource!.type === 'key' &&
        event.resource!.id === 'resource-10',
    ],
  ])('finds by %s', async (_name, query, fits) => {
    const wanted = planned.flatMap((event, index) => (fits(event) ? [index] : [])).toReversed();
    expect((await pages(ofAll, query)).map(({ index }) => index)).toEqual(wanted);
    const own = wanted.filter((index) => planned[index]!.organization_id === acme);
    expect((await pages(ofAcme, query)).map(({ index }) => index)).toEqual(own);
  });

  test('of the instance has what belongs to no organization', async () => {
    expect(new Set((await pages(of(null))).map(({ organization_id: id }) => id))).toEqual(new Set([null]));
  });

  test('tells what references stand for only when asked, and only of the own organization', async () => {
    const [plain] = await pages(ofAcme, { limit: 1 });
    expect(plain).not.toHaveProperty('personal');
    const [told] = (await service.list(ofAcme, { limit: 1, personal: true })).data;
    expect(told!.personal).toEqual({ [address.ref]: { kind: 'ip', value: '203.0.113.7' } });
    expect((await service.list(of(null), { limit: 1, personal: true })).data[0]!.personal).toEqual({});
  });

  test.each(['nonsense', Buffer.from('-1').toString('base64url'), Buffer.from('1 or 1=1').toString('base64url')])(
    'refuses the cursor %s',
    async (cursor) => {
      await expect(service.list(ofAcme, { limit: 1, cursor })).rejects.toMatchObject({ code: 'invalid_request' });
    },
  );

  test('refuses NUL, which the database does not take', async () => {
    await expect(service.list(ofAcme, { limit: 1, request_id: 'a\0b' })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('an export', () => {
  const verify = (text: string, more: Partial<Parameters<typeof verifyExport>[1]> = {}) =>
    verifyExport(text.split('\n').slice(0, -1), { verifierKeys: log.verifierKeys, origin: log.origin, ...more });

  test.each([
    ['the whole log', ofAll, undefined],
    ['an organization, by itself', ofAcme, acme],
    ['an organization, by the operator', of(other), other],
    ['the instance', of(null), null],
  ])('of %s verifies offline, whole', async (_name, scope, organizationId) => {
    const { text, events, checkpoint } = await service.export(scope, { format: 'jsonl' });
    const report = await verify(await textOf(text), { organizationId, ...(organizationId !== undefined && { firstNumber: 1 }) });
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ ok: true, events, checkpoint: { size: 700 } });
    expect(events).toBe(planned.filter((event) => organizationId === undefined || event.organization_id === organizationId).length);
    expect(checkpoint.size).toBe(700);
  });

  test('can be compared with checkpoints that were kept', async () => {
    const { text } = await service.export(ofAcme, { format: 'jsonl', stop: '256,500' });
    const { openCheckpoint } = await import('@holdfast/kit/audit/verify');
    const kept = await Promise.all([256, 500].map((size) => openCheckpoint(log.checkpoints.get(size)!, log.verifierKeys)));
    expect(await verify(await textOf(text), { kept })).toMatchObject({ ok: true, keptChecked: [256, 500] });
  });

  test('goes on where the last one ended', async () => {
    const { text, events } = await service.export(ofAcme, { format: 'jsonl', first_number: 100 });
    expect(await verify(await textOf(text), { organizationId: acme, firstNumber: 100 })).toMatchObject({
      ok: true,
      events,
      series: [{ first: 100 }],
    });
    await expect(service.export(ofAll, { format: 'jsonl', first_number: 2 })).rejects.toMatchObject({ code: 'invalid_request' });
  });

  test('of a time begins with its first event', async () => {
    const from = new Date(startMs + 600 * 60_000).toISOString();
    const { text, events } = await service.export(ofAll, { format: 'jsonl', from });
    expect(await verify(await textOf(text))).toMatchObject({ ok: true, events: 100 });
    expect(events).toBe(100);
  });

  test('tells what references stand for, so that a stranger can check it', async () => {
    const { text } = await service.export(ofAcme, { format: 'jsonl', personal: true });
    const whole = await textOf(text);
    expect(whole).toContain('203.0.113.7');
    expect(await verify(whole)).toMatchObject({ ok: true });
    expect((await verify(whole.replace('"value":"203.0.113.7"', '"value":"203.0.113.8"'))).faults[0]).toMatchObject({
      finding: 'personal_mismatch',
    });
  });

  test('as CSV has a line for every event', async () => {
    const { text, events } = await service.export(ofAcme, { format: 'csv', personal: true });
    const lines = (await textOf(text)).trimEnd().split('\r\n');
    expect(lines).toHaveLength(events + 1);
    expect(lines[1]).toContain('203.0.113.7');
  });

  test('reads no more than is taken of it', async () => {
    let reads = 0;
    const counting = createAuditService({
      database: {
        ...database,
        asOperator: (work) => {
          reads++;
          return database.asOperator(work);
        },
      },
      clock: createFakeClock(),
      reveal: () => undefined,
      publications: createPublicationStore(database),
      retention: () => [],
    });
    const { text } = await counting.export(ofAll, { format: 'jsonl' });
    await text.next();
    const afterHeader = reads;
    await text.next();
    expect(reads - afterHeader).toBeLessThanOrEqual(3);
    await text.return(undefined);
  });

  test('breaks off when events go while it is read, and what there is does not verify', async () => {
    const own = await postgres.createDatabase();
    await plantLog(own, planned);
    const handle = await own.open();
    const there = createAuditService({
      ...{ database: handle, clock: createFakeClock(), reveal: () => undefined, retention: () => [] },
      publications: createPublicationStore(handle),
    });
    const { text } = await there.export(ofAll, { format: 'jsonl' });
    await text.next();
    await text.next();
    await own.asSuperuser('delete from holdfast.audit_log where index between 500 and 510');
    await expect(textOf(text)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('of a log that was never signed is not there', async () => {
    const handle = await (await postgres.createDatabase()).open();
    const empty = createAuditService({
      ...{ database: handle, clock: createFakeClock(), reveal: () => undefined, retention: () => [] },
      publications: createPublicationStore(handle),
    });
    await expect(empty.export(ofAll, { format: 'jsonl' })).rejects.toMatchObject({ code: 'resource_not_found' });
    expect(await empty.list(ofAll, { limit: 1 })).toEqual({ data: [], next_cursor: null });
  });
});

describe('proofs', () => {
  test('of an event verify with the public key alone', async () => {
    for (const index of [0, 255, 256, 511, 699]) {
      const { id, organization_id: organizationId } = log.events[index]!;
      const proof = await openProof(await service.prove(of(organizationId), id), log.verifierKeys);
      expect(proof).toMatchObject({ index, checkpoint: { size: 700 } });
    }
  });

  test('of growth are bounded by the last checkpoint', async () => {
    expect(await service.consistency(ofAcme, { from: 256 })).toMatchObject({ from: 256, to: 700 });
    await expect(service.consistency(ofAcme, { from: 1, to: 701 })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(service.consistency(ofAcme, { from: 701 })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('activity', () => {
  const period = { from: new Date(startMs).toISOString(), to: new Date(startMs + 300 * 60_000).toISOString() };

  test('of an organization adds up its own events', async () => {
    const own = planned.slice(0, 300).filter((event) => event.organization_id === acme);
    const activity = await service.activity(ofAcme, { type: 'organization', id: acme }, period);
    expect(activity.events).toBe(own.length);
    expect(activity.by_type.find(({ type }) => type === 'access.denied')).toMatchObject({
      outcome: 'denied',
      events: own.filter(({ type }) => type === 'access.denied').length,
    });
    expect(activity.by_actor).toMatchObject([{ actor_type: 'key', actor_id: 'key-of-1', events: own.length }]);
    expect(activity.by_day.reduce((sum, { events }) => sum + events, 0)).toBe(own.length);
  });

  test('of a user is of that user', async () => {
    const activity = await service.activity(ofAll, { type: 'user', id: user }, period);
    expect(activity.events).toBe(planned.slice(0, 300).filter((event) => event.actor!.user_id === user).length);
    expect(await service.activity(of(other), { type: 'user', id: user }, period)).toMatchObject({ events: 0, by_type: [], by_day: [] });
  });
});

describe('a report', () => {
  test.each(['access-review', 'security-incidents', 'personal-data'] as const)(
    '%s is what its description says, of one and of all',
    async (name) => {
      for (const scope of [ofAcme, ofAll, of(other), of(null)]) {
        const report = await service.report(scope, name, {});
        expect(auditReport.parse(report)).toEqual(report);
        expect(report.checkpoint).toBe(log.checkpoints.get(700));
      }
    },
  );

  test('on security counts what a flood stands for, and shows an organization nothing of others', async () => {
    const { sections } = await service.report(ofAcme, 'security-incidents', {});
    const denied = planned.filter((event) => event.organization_id === acme && event.outcome === 'denied').length;
    expect(sections[0]!.rows).toEqual([
      expect.objectContaining({ type: 'access.denied', events: denied, occurrences: String(denied * 3) }),
    ]);
    expect(JSON.stringify(sections)).not.toContain('key-of-2');
  });

  test('on personal data says what is kept, and for how long', async () => {
    const { sections } = await service.report(ofAcme, 'personal-data', {});
    expect(sections.find(({ id }) => id === 'kept')!.rows).toMatchObject([{ kind: 'ip', references: '1' }]);
    expect(sections.find(({ id }) => id === 'retention')!.rows).toEqual([{ what: 'Everything', kept: '90 days' }]);
  });
});
