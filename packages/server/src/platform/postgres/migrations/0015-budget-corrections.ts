import { sql, type Kysely } from 'kysely';

/**
 * A correction of what a call cost sets right the budgets that counted it. The row itself stays as it was, so whoever holds a slice, or closes one by the
 * rows of the dead, counts what it said; the difference belongs to the window.
 */
export async function budgetCorrections(database: Kysely<unknown>): Promise<void> {
  await sql`
    create function holdfast.budgets_follow_correction() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$
      begin
        update holdfast.budget_windows w
          set closed_nano = greatest(w.closed_nano + coalesce(new.cost_nano_usd, 0) - coalesce(new.previous_cost_nano_usd, 0), 0)
          from holdfast.budgets b, holdfast.calls c
          where c.id = new.call_id and b.id = w.budget_id and b.organization_id = c.organization_id
            and (b.subject = 'organization' or b.subject_ids @> array[case b.subject when 'user' then c.user_id else c.key_id end])
            and c.started_at >= w.period_start and (w.period_end is null or c.started_at < w.period_end)
            and (b.period <> 'total' or c.started_at >= b.created_at);
        return null;
      end $$;
    revoke all on function holdfast.budgets_follow_correction() from public;
    create trigger call_corrections_budgeted after insert on holdfast.call_corrections
      for each row when (new.cost_nano_usd is distinct from new.previous_cost_nano_usd) execute function holdfast.budgets_follow_correction();
  `.execute(database);
}
