import { systemClock, systemRandom } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  auditEventDelayed,
  createAuditTrail,
  erasePersonalData,
  operatorAtTerminal,
  Personal,
  revealPersonalData,
  type NewAuditEvent,
} from '../../src/platform/audit/index.ts';
import type { Database } from '../../src/platform/postgres/index.ts';
import { newId } from '../costs/fixture.ts';
import { storedEvents, type StoredEvent } from '../support/audit.ts';
import { createReferences } from '../support/personal-references.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

let postgres: TestDatabase;
let database: Database;
beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
});
afterAll(() => postgres.stop());

const references = createReferences();
const trailOn = (on: Pick<Database, 'asOperator'>) =>
  createAuditTrail({ ...{ database: on, references, clock: systemClock, random: systemRandom }, committer: () => undefined });
const named = (organizationId: string | null, name: string): NewAuditEvent => ({
  ...{ type: 'key.created', organizationId, by: operatorAtTerminal, resource: { type: 'key', id: newId() } },
  details: { name: new Personal('name', name), prefix: 'hf_1' },
});
const eventsOf = async (organizationId: string | null): Promise<StoredEvent[]> =>
  (await storedEvents(postgres)).filter(({ organization_id }) => organization_id === organizationId);
const nameIn = ({ details }: StoredEvent): string => String(details?.['name']);

test('what events refer to is resolved as long as it is there, and events stay as they are when it is gone', async () => {
  const [organizationId, other] = [newId(), newId()];
  const trail = trailOn(database);
  for (const event of [named(organizationId, 'Anna'), named(organizationId, 'Anna'), named(organizationId, 'Bert'), named(other, 'Anna')])
    await trail.record(event);
  const before = await eventsOf(organizationId);
  const refs = before.map(nameIn);
  const resolved = async (): Promise<(string | undefined)[]> => {
    const found = await revealPersonalData(database, references, refs);
    return refs.map((ref) => found.get(ref)?.value);
  };
  expect(await resolved()).toStrictEqual(['Anna', 'Anna', 'Bert']);

  const gone = await erasePersonalData(
    database,
    { references, trail },
    { organizationId, kind: 'name', value: 'Anna' },
    operatorAtTerminal,
  );
  expect(gone).toBe(2);
  expect(await resolved()).toStrictEqual([undefined, undefined, 'Bert']);
  const [, , , erased, ...more] = await eventsOf(organizationId);
  expect((await eventsOf(organizationId)).slice(0, 3)).toStrictEqual(before);
  expect([erased, more]).toMatchObject([
    { type: 'personal_data.erased', actor: { type: 'operator' }, details: { kind: 'name', references: 2 } },
    [],
  ]);
  // Nothing of another organization's is touched.
  const [theirs] = (await eventsOf(other)).map(nameIn);
  expect((await revealPersonalData(database, references, [theirs!])).get(theirs!)).toStrictEqual({ kind: 'name', value: 'Anna' });
});

test('a row that somebody changed is no evidence', async () => {
  const organizationId = newId();
  const trail = trailOn(database);
  await trail.record(named(organizationId, 'Anna'));
  await trail.record(named(organizationId, 'Bert'));
  const [anna, bert] = (await eventsOf(organizationId)).map(nameIn);
  await postgres.asSuperuser(
    `update holdfast.audit_personal set sealed = other.sealed, salt = other.salt
     from holdfast.audit_personal other where audit_personal.ref = $1 and other.ref = $2`,
    [anna, bert],
  );
  expect([...(await revealPersonalData(database, references, [anna!, bert!])).keys()]).toStrictEqual([bert]);
});

test('an event in a transaction that is rolled back was never there, nor what it refers to', async () => {
  const organizationId = newId();
  const trail = trailOn(database);
  const failing = database.asOperator(async (transaction) => {
    await trail.write(transaction, named(organizationId, 'Anna'));
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(await eventsOf(organizationId)).toStrictEqual([]);
  const [left] = await postgres.asSuperuser('select count(*)::int as count from holdfast.audit_personal where organization_id = $1', [
    organizationId,
  ]);
  expect(left).toStrictEqual({ count: 0 });
});

test('what was done is not undone because its event cannot be written: that is announced', async () => {
  const delayed: string[] = [];
  const stop = auditEventDelayed.subscribe(({ type }) => void delayed.push(type));
  const away = { asOperator: () => Promise.reject(new Error('away')) };
  expect(await trailOn(away).record(named(null, 'Anna'))).toBe(false);
  stop();
  expect(delayed).toStrictEqual(['key.created']);
});
