import { sql, type Kysely } from 'kysely';

/**
 * What rows were priced by, what was found out about them later, and sums by day. Rows of the ledger stay as they were committed: a correction
 * stands beside the row, and sums add it.
 */
export async function costs(database: Kysely<unknown>): Promise<void> {
  await sql`
    alter table holdfast.calls
      add column price_id text,
      add column usage_details json,
      -- In the order in which rows become visible, which times and ids are not: a sum that has all below the oldest running transaction misses none.
      add column committed_in bigint not null default (pg_current_xact_id()::text::bigint);
    comment on column holdfast.calls.price_id is 'of holdfast.prices; null: the price is unknown, or nothing was used';
    comment on column holdfast.calls.usage_details is 'tokens that are priced apart, as the provider told them; null: none';
    -- A few bytes for each 32 pages, and nothing for an insert: rows come in that order.
    create index calls_by_commit on holdfast.calls using brin (committed_in) with (pages_per_range = 32, autosummarize = on);

    create type holdfast.call_row_2 as (
      id uuid, organization_id uuid, instance_id uuid, request_id text, key_id uuid, user_id uuid, end_user text, feature text,
      operation text, dialect text, streamed boolean, model_asked text, provider text, started_at timestamptz, model_served text,
      prompt_tokens bigint, completion_tokens bigint, cached_tokens bigint, cache_write_tokens bigint, reasoning_tokens bigint,
      usage_source text, cost_nano_usd bigint, outcome text, error_code text, finish_reason text, status int,
      latency_ms double precision, first_token_ms double precision, overhead_ms double precision, layers json, attempts json,
      finished_at timestamptz, price_id text, usage_details json
    );

    -- Every price that was ever in force here. The id is made of all the rest, so that none is ever changed.
    create table holdfast.prices (
      id text primary key,
      provider_kind text not null,
      model text not null,
      since date,
      peak boolean not null,
      source text not null check (source in ('shipped', 'override')),
      cost json not null,
      first_seen_at timestamptz(3) not null default now()
    );
    comment on column holdfast.prices.cost is 'dollars per million tokens, as it was written';

    -- No foreign keys, as in the ledger. The numbers are the differences to what was known before; the row itself keeps what it said.
    create table holdfast.call_corrections (
      call_id uuid not null,
      number int not null check (number > 0),
      organization_id uuid not null,
      reason text not null check (reason in ('repriced', 'reconciled')),
      source text not null,
      made_at timestamptz(3) not null default now(),
      price_id text,
      -- Of a call that was interrupted, by which model it turned out to have been served.
      model_served text,
      previous_cost_nano_usd bigint,
      cost_nano_usd bigint,
      prompt_tokens bigint not null default 0,
      completion_tokens bigint not null default 0,
      cached_tokens bigint not null default 0,
      cache_write_tokens bigint not null default 0,
      reasoning_tokens bigint not null default 0,
      committed_in bigint not null default (pg_current_xact_id()::text::bigint),
      -- Two that correct the same at once cannot both be the next.
      primary key (call_id, number)
    );
    comment on column holdfast.call_corrections.cost_nano_usd is 'what the call cost by what is known now; null: unknown after all';
    comment on column holdfast.call_corrections.prompt_tokens is 'to be added to what is known of the call, as the other tokens';
    create index call_corrections_by_commit on holdfast.call_corrections (committed_in);

    -- Rows that gave way to better ones, as sums need them: they were there from one commit to another.
    create table holdfast.call_removals (
      id uuid not null,
      organization_id uuid not null,
      started_at timestamptz(3) not null,
      model_asked text,
      model_served text,
      provider text,
      key_id uuid,
      user_id uuid,
      end_user text,
      feature text,
      outcome text not null,
      cost_nano_usd bigint,
      prompt_tokens bigint,
      completion_tokens bigint,
      cached_tokens bigint,
      cache_write_tokens bigint,
      reasoning_tokens bigint,
      committed_in bigint not null,
      removed_in bigint not null default (pg_current_xact_id()::text::bigint)
    );
    create function holdfast.remember_removal() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$ begin
        insert into holdfast.call_removals (id, organization_id, started_at, model_asked, model_served, provider, key_id, user_id, end_user, feature,
          outcome, cost_nano_usd, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, committed_in)
        values (old.id, old.organization_id, old.started_at, old.model_asked, old.model_served, old.provider, old.key_id, old.user_id, old.end_user,
          old.feature, old.outcome, old.cost_nano_usd, old.prompt_tokens, old.completion_tokens, old.cached_tokens, old.cache_write_tokens,
          old.reasoning_tokens, old.committed_in);
        return null;
      end $$;
    revoke all on function holdfast.remember_removal() from public;
    create trigger calls_removed after delete on holdfast.calls for each row execute function holdfast.remember_removal();

    create table holdfast.cost_days (
      organization_id uuid not null,
      day date not null,
      model text,
      served_model text,
      provider text,
      key_id uuid,
      user_id uuid,
      end_user text,
      feature text,
      calls bigint not null,
      failed_calls bigint not null,
      interrupted_calls bigint not null,
      unpriced_calls bigint not null,
      prompt_tokens bigint not null,
      completion_tokens bigint not null,
      cached_tokens bigint not null,
      cache_write_tokens bigint not null,
      reasoning_tokens bigint not null,
      cost_nano_usd bigint not null,
      reserved_nano_usd bigint not null,
      unique nulls not distinct (organization_id, day, model, served_model, provider, key_id, user_id, end_user, feature)
    );
    create index cost_days_by_day on holdfast.cost_days (day);

    -- One row: up to which commit the sums have everything. Transactions are counted anew in another cluster, so what was restored there is not gone by.
    create table holdfast.cost_state (
      one boolean primary key default true check (one),
      cluster bigint not null,
      summed_to bigint not null,
      at timestamptz(3) not null default now()
    );
    insert into holdfast.cost_state (cluster, summed_to) select system_identifier, 0 from pg_control_system();

    grant select (price_id, usage_details, committed_in, end_user, feature, model_asked, model_served, provider, prompt_tokens, completion_tokens,
      cached_tokens, cache_write_tokens, reasoning_tokens, outcome, usage_source) on holdfast.calls to holdfast_jobs;
    grant select, insert, update on holdfast.cost_days to holdfast_jobs;
    grant select, update on holdfast.cost_state to holdfast_jobs;
    grant select on holdfast.call_corrections to holdfast_jobs;
    grant select, insert on holdfast.call_removals to holdfast_jobs;
    grant select on holdfast.call_removals to holdfast_app, holdfast_operator;
    grant select, insert on holdfast.prices to holdfast_jobs;
    grant select on holdfast.prices to holdfast_app, holdfast_operator;
    grant select on holdfast.cost_days, holdfast.cost_state to holdfast_app, holdfast_operator;
    grant select on holdfast.call_corrections to holdfast_app;
    grant select, insert on holdfast.call_corrections to holdfast_operator;

    alter table holdfast.call_corrections enable row level security, force row level security;
    create policy app_own on holdfast.call_corrections for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_read on holdfast.call_corrections for select to holdfast_operator using (true);
    create policy operator_insert on holdfast.call_corrections for insert to holdfast_operator with check (true);
    create policy jobs_read on holdfast.call_corrections for select to holdfast_jobs using (true);

    alter table holdfast.call_removals enable row level security, force row level security;
    create policy app_own on holdfast.call_removals for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_read on holdfast.call_removals for select to holdfast_operator using (true);
    create policy jobs_read on holdfast.call_removals for select to holdfast_jobs using (true);
    create policy jobs_insert on holdfast.call_removals for insert to holdfast_jobs with check (true);

    alter table holdfast.cost_days enable row level security, force row level security;
    create policy app_own on holdfast.cost_days for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_read on holdfast.cost_days for select to holdfast_operator using (true);
    create policy jobs_all on holdfast.cost_days for all to holdfast_jobs using (true) with check (true);
  `.execute(database);
}
