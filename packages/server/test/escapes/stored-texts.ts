import type { TestDatabase } from '../support/postgres.ts';

/**
 * What is meant to be kept as it was given, because somebody wants to read it again. Everything else of the database is searched, tables and
 * columns that do not exist yet included.
 */
const keptAsGiven: ReadonlySet<string> = new Set([
  // Names that operators give their keys, and their own words about a ban, whose address is what it is about.
  'holdfast.api_keys.name',
  'holdfast.budgets.name',
  'holdfast.bans.note',
  'holdfast.bans.range',
  // The words of operators about alerts: what they silence and why, and who takes one up.
  'holdfast.alert_silences.matchers',
  'holdfast.alert_silences.reason',
  'holdfast.alerts.acknowledged',
  // Whose use of which feature a call was, as the caller says it: what costs are told by.
  'holdfast.calls.end_user',
  'holdfast.calls.feature',
  'holdfast.call_intents.end_user',
  'holdfast.call_intents.feature',
  'holdfast.call_removals.end_user',
  'holdfast.call_removals.feature',
  'holdfast.cost_days.end_user',
  'holdfast.cost_days.feature',
]);

/** All texts of all tables, by column; and how many rows there are. */
export async function storedTexts(database: TestDatabase): Promise<{ readonly column: string; readonly text: string }[]> {
  const columns = await database.asSuperuser<{ schema: string; table: string; column: string }>(
    `select n.nspname as schema, c.relname as table, a.attname as column
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^(pg_|information_schema)'`,
  );
  const stored: { column: string; text: string }[] = [];
  for (const { schema, table, column } of columns) {
    const name = `${schema}.${table}.${column}`;
    if (keptAsGiven.has(name)) continue;
    const [row] = await database.asSuperuser<{ text: string | null }>(
      `select string_agg("${column}"::text, E'\\n') as text from "${schema}"."${table}"`,
    );
    if (row?.text != null) stored.push({ column: name, text: row.text });
  }
  return stored;
}
