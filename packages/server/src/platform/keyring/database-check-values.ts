import { sql } from 'kysely';
import type { Database } from '../postgres/index.ts';
import type { CheckValues, CheckValueStore } from './check-value.ts';

const settingKey = 'master_key_check';

export function createDatabaseCheckValues(database: Pick<Database, 'asOperator'>): CheckValueStore {
  return {
    read: () =>
      database.asOperator(async (transaction) => {
        const row = await transaction.selectFrom('holdfast.settings').select('value').where('key', '=', settingKey).executeTakeFirst();
        return row?.value as CheckValues | undefined;
      }),
    add: (values) =>
      database.asOperator(async (transaction) => {
        const row = await transaction
          .insertInto('holdfast.settings')
          .values({ key: settingKey, value: JSON.stringify(values) })
          // What is stored wins on the right-hand side: a check value is never replaced.
          .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: sql`excluded.value || settings.value` }))
          .returning('value')
          .executeTakeFirstOrThrow();
        return row.value as CheckValues;
      }),
  };
}
