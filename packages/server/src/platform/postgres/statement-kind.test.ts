import { describe, expect, test } from 'vitest';
import { knownStatements, statementKind } from './statement-kind.ts';

const statements: readonly (readonly [string, string, string | undefined])[] = [
  ['select 1', 'select', undefined],
  ["select set_config('holdfast.organization_id', $1, true)", 'select', undefined],
  ['select "id" from "identity"."organization" where "id" in ($1, $2)', 'select', 'organization'],
  ['SELECT * FROM Calls AS c JOIN other ON true', 'select', 'calls'],
  ['select extract(epoch from now()) from holdfast.instances', 'select', 'instances'],
  ['select a is distinct from b as changed from t', 'select', 't'],
  ['select count(*) from only parts', 'select', 'parts'],
  ['select count(*) from (select 1 from "holdfast"."calls" limit 5) as some', 'select', 'calls'],
  ['select exists (select from "bans" where "id" = $1) as found', 'select', 'bans'],
  ['select * from unnest($1::int[]) as x', 'select', undefined],
  ["select 'it''s from x', E'a\\'b from y', $t$ from z $t$ from real_one", 'select', 'real_one'],
  ['-- from a comment\nselect /* from another */ 1 from t', 'select', 't'],
  ['select "from" from "odd ""name"""', 'select', 'odd "name"'],
  ['with recent as (select * from calls) select * from recent', 'select', 'calls'],
  ['with a(x) as materialized (select 1 from t1), b as (select * from a) select * from b', 'select', 't1'],
  ['with recursive r as (select * from r) select * from r', 'select', undefined],
  [
    'with intents as (insert into holdfast.call_intents (id) select id from unnest($1)) insert into holdfast.calls (id) select 1',
    'insert',
    'calls',
  ],
  ['insert into "holdfast"."calls" ("id") values ($1) returning "id"', 'insert', 'calls'],
  ['update "api_keys" set "from" = $1 from other where true', 'update', 'api_keys'],
  ['update only t set x = 1', 'update', 't'],
  ['delete from "holdfast"."bans" where "id" = $1', 'delete', 'bans'],
  ['merge into t using s on true when matched then do nothing', 'merge', 't'],
  ['begin', 'begin', undefined],
  ['start transaction isolation level serializable', 'begin', undefined],
  ['commit', 'commit', undefined],
  ['rollback', 'rollback', undefined],
  ['vacuum full', 'other', undefined],
  ['', 'other', undefined],
  ['((((', 'other', undefined],
  ['with', 'other', undefined],
  ['insert into', 'insert', undefined],
];

test.each(statements)('%s', (text, operation, table) => {
  expect(statementKind(text)).toEqual({ operation, table });
  expect(statementKind(text)).toBe(statementKind(text));
});

describe('bounded', () => {
  test('ten thousand texts do not stay in memory', () => {
    for (let at = 0; at < 10_000; at++) expect(statementKind(`select ${at} from t`).table).toBe('t');
    expect(knownStatements()).toBeLessThanOrEqual(1_000);
  });

  test('a long text is read and not remembered', () => {
    const before = knownStatements();
    const long = `select * from t where id in (${Array.from({ length: 2_000 }, (_, at) => `$${at}`).join(', ')})`;
    expect(statementKind(long)).toEqual({ operation: 'select', table: 't' });
    expect(knownStatements()).toBe(before);
  });
});
