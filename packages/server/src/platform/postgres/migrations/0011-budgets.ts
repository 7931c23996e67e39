import { sql, type Kysely } from 'kysely';

/**
 * Budgets, what of them is spent for good, and what instances hold of them. The invariant: what is closed and all that is granted are together at
 * most the limit of a hard budget, whoever asks for more at the same time, since whoever changes either has the window locked.
 */
export async function budgets(database: Kysely<unknown>): Promise<void> {
  await sql`
    create table holdfast.budgets (
      id uuid primary key,
      organization_id uuid not null references identity.organization (id) on delete cascade,
      name text not null check (length(name) between 1 and 100),
      subject text not null check (subject in ('organization', 'user', 'key')),
      -- One, but for a key that was rotated: its budget goes with it.
      subject_ids uuid[] not null check (cardinality(subject_ids) >= 1),
      period text not null check (period in ('day', 'month', 'total')),
      limit_nano bigint not null check (limit_nano between 0 and 9007199254740991),
      enforcement text not null check (enforcement in ('hard', 'soft')),
      created_at timestamptz(3) not null default now(),
      -- Kept for a while, so that instances that missed the notification find it among the changes.
      deleted_at timestamptz(3),
      changed_in xid8 not null,
      changed_at timestamptz(3) not null
    );
    create index budgets_by_organization on holdfast.budgets (organization_id);
    create index budgets_changed_in on holdfast.budgets (changed_in);

    create function holdfast.stamp_budget() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$ begin new.changed_in := pg_current_xact_id(); new.changed_at := clock_timestamp(); return new; end $$;
    revoke all on function holdfast.stamp_budget() from public;
    create trigger budgets_stamped before insert or update on holdfast.budgets for each row execute function holdfast.stamp_budget();
    create function holdfast.announce_budget() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$ begin perform pg_notify('holdfast_budgets', new.id::text); return null; end $$;
    revoke all on function holdfast.announce_budget() from public;
    create trigger budgets_changed after insert or update on holdfast.budgets for each row execute function holdfast.announce_budget();

    create table holdfast.budget_windows (
      budget_id uuid not null references holdfast.budgets (id) on delete cascade,
      organization_id uuid not null,
      period_start timestamptz(3) not null,
      period_end timestamptz(3),
      closed_nano bigint not null default 0,
      told_percent int not null default 0,
      refused_at timestamptz(3),
      primary key (budget_id, period_start)
    );
    comment on column holdfast.budget_windows.period_end is 'null: it has no end';
    comment on column holdfast.budget_windows.closed_nano is 'spent by slices that are closed, and before the budget was made';
    comment on column holdfast.budget_windows.told_percent is 'the highest threshold that was announced';
    comment on column holdfast.budget_windows.refused_at is 'when a call of ordinary size had no room any more';

    create table holdfast.budget_slices (
      budget_id uuid not null,
      period_start timestamptz(3) not null,
      instance_id uuid not null,
      organization_id uuid not null,
      -- Of the question that was answered last: one that was delayed on its way and comes after a newer one changes nothing.
      version bigint not null,
      granted_nano bigint not null default 0,
      spent_nano bigint not null default 0,
      reserved_nano bigint not null default 0,
      counted_from timestamptz(3) not null,
      -- Nothing is granted to it again, or a question from before its end would grant to nobody.
      closed boolean not null default false,
      updated_at timestamptz(3) not null default now(),
      primary key (budget_id, period_start, instance_id),
      foreign key (budget_id, period_start) references holdfast.budget_windows (budget_id, period_start) on delete cascade
    );
    comment on column holdfast.budget_slices.granted_nano is 'what the instance may spend in all, with what it has spent already';
    comment on column holdfast.budget_slices.spent_nano is 'as the instance said last; part of what is granted';
    comment on column holdfast.budget_slices.counted_from is 'calls that began before it are not counted';
    create index budget_slices_open on holdfast.budget_slices (instance_id) where not closed;

    -- What an instance does with its slices, many in one statement. For each: "I hold on to keep, of which spent and reserved are used; I need
    -- so much more, and would like so much." What it holds on to stays granted whatever the limit is by now.
    create function holdfast.lease_budgets(p_instance uuid, p_questions jsonb)
      returns table (budget_id uuid, period_start timestamptz, state text, granted bigint, free bigint, idle bigint, "limit" bigint, spent bigint, told int)
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$
      declare
        q record;
        b record;
        w record;
        mine record;
        others record;
        room bigint;
        extra bigint;
        crossed int;
        alive boolean;
      begin
        -- As long as others let its calls alone. Nothing is granted in the name of the dead, where nobody would take it back.
        alive := exists (select from holdfast.instances i where i.id = p_instance and i.seen_at > now() - interval '60 seconds');
        -- In one order, so that two instances that ask for the same budgets never wait for each other in a circle.
        for q in
          select * from jsonb_to_recordset(p_questions) as x(budget_id uuid, period_start timestamptz, period_end timestamptz, version bigint,
            counted_from timestamptz, spent bigint, reserved bigint, keep bigint, need bigint, want bigint, closes boolean)
          order by x.budget_id, x.period_start
        loop
          budget_id := q.budget_id; period_start := q.period_start; told := null;
          select s.organization_id, s.limit_nano, s.enforcement into b
            from holdfast.budgets s where s.id = q.budget_id and s.deleted_at is null;
          if not found then
            state := 'gone'; granted := 0; free := 0; idle := 0; "limit" := 0; spent := 0;
            return next; continue;
          end if;
          insert into holdfast.budget_windows as t (budget_id, organization_id, period_start, period_end)
            values (q.budget_id, b.organization_id, q.period_start, q.period_end) on conflict do nothing;
          select t.closed_nano, t.told_percent, t.refused_at into w from holdfast.budget_windows t
            where t.budget_id = q.budget_id and t.period_start = q.period_start for no key update;
          -- Each statement from here on sees what was committed before it: all of those who had the lock before.
          select t.version, t.granted_nano, t.closed into mine from holdfast.budget_slices t
            where t.budget_id = q.budget_id and t.period_start = q.period_start and t.instance_id = p_instance;
          select coalesce(sum(t.granted_nano), 0)::bigint as granted, coalesce(sum(t.spent_nano), 0)::bigint as spent,
            coalesce(sum(greatest(t.granted_nano - t.spent_nano - t.reserved_nano, 0)), 0)::bigint as idle, count(*)::bigint as count into others
            from holdfast.budget_slices t
            where t.budget_id = q.budget_id and t.period_start = q.period_start and t.instance_id <> p_instance and not t.closed;
          room := greatest(b.limit_nano - w.closed_nano - others.granted - q.keep, 0);
          free := room; idle := others.idle; "limit" := b.limit_nano; spent := w.closed_nano + others.spent + q.spent;
          if not alive then
            state := 'dead'; granted := coalesce(mine.granted_nano, 0);
            return next; continue;
          end if;
          if mine.closed then
            state := 'closed'; granted := 0;
            return next; continue;
          end if;
          if mine.version >= q.version then
            state := 'stale'; granted := mine.granted_nano;
            return next; continue;
          end if;

          extra := 0;
          if b.enforcement = 'hard' and q.need <= room then
            -- Half of what is free, shared by all, however much is wanted: smaller and smaller towards the limit.
            extra := least(room, greatest(q.need, least(q.want, room / (2 * (others.count + 1)))));
          elsif b.enforcement = 'hard' then
            -- Who is refused a hundredth of a budget is refused for want of it; who asks for half of it may just have asked for much.
            if q.need <= b.limit_nano / 10 and w.refused_at is null then
              update holdfast.budget_windows t set refused_at = now() where t.budget_id = q.budget_id and t.period_start = q.period_start;
            end if;
            if others.idle > 0 then perform pg_notify('holdfast_budget_recalls', q.budget_id::text); end if;
          end if;
          granted := case when q.closes then 0 else q.keep + extra end;
          free := room - extra;
          state := case when q.closes then 'closed' else 'open' end;
          insert into holdfast.budget_slices as t
              (budget_id, period_start, instance_id, organization_id, version, granted_nano, spent_nano, reserved_nano, counted_from, closed)
            values (q.budget_id, q.period_start, p_instance, b.organization_id, q.version, granted, q.spent, q.reserved, q.counted_from, q.closes)
            on conflict on constraint budget_slices_pkey do update set version = excluded.version, granted_nano = excluded.granted_nano,
              spent_nano = excluded.spent_nano, reserved_nano = excluded.reserved_nano, closed = excluded.closed, updated_at = now();
          crossed := case when b.limit_nano = 0 or spent::numeric >= b.limit_nano then 100
            when spent::numeric * 100 >= b.limit_nano::numeric * 80 then 80 when spent::numeric * 100 >= b.limit_nano::numeric * 50 then 50 else 0 end;
          if crossed > w.told_percent then told := crossed; end if;
          if q.closes or crossed <> w.told_percent then
            update holdfast.budget_windows t
              set told_percent = crossed, closed_nano = closed_nano + case when q.closes then q.spent else 0 end
              where t.budget_id = q.budget_id and t.period_start = q.period_start;
          end if;
          return next;
        end loop;
      end $$;
    revoke all on function holdfast.lease_budgets(uuid, jsonb) from public;
    grant execute on function holdfast.lease_budgets(uuid, jsonb) to holdfast_jobs;

    -- The replacement of a key is under the budget of the key, in the moment in which it is one.
    create function holdfast.budgets_follow_key() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$
      begin
        update holdfast.budgets set subject_ids = subject_ids || new.replaced_by
          where organization_id = new.organization_id and subject = 'key' and subject_ids @> array[new.id] and not subject_ids @> array[new.replaced_by];
        return null;
      end $$;
    revoke all on function holdfast.budgets_follow_key() from public;
    create trigger api_keys_replaced after update of replaced_by on holdfast.api_keys
      for each row when (new.replaced_by is not null) execute function holdfast.budgets_follow_key();

    -- A cost that is set right later (an interrupted call whose end came to light) sets right what was closed with it.
    create function holdfast.budgets_follow_cost() returns trigger
      language plpgsql set search_path = pg_catalog, pg_temp
      as $$
      begin
        -- Whoever closes the slices of that instance right now has them locked, and has counted the cost as it was.
        perform from holdfast.budget_slices where instance_id = new.instance_id for share;
        update holdfast.budget_windows w
          set closed_nano = greatest(w.closed_nano + coalesce(new.cost_nano_usd, 0) - coalesce(old.cost_nano_usd, 0), 0)
          from holdfast.budgets b
          where b.id = w.budget_id and b.organization_id = new.organization_id
            and (b.subject = 'organization' or b.subject_ids @> array[case b.subject when 'user' then new.user_id else new.key_id end])
            and new.started_at >= w.period_start and (w.period_end is null or new.started_at < w.period_end)
            and (b.period <> 'total' or new.started_at >= b.created_at)
            and not exists (
              select from holdfast.budget_slices s
              where s.budget_id = w.budget_id and s.period_start = w.period_start and s.instance_id = new.instance_id and not s.closed);
        return null;
      end $$;
    revoke all on function holdfast.budgets_follow_cost() from public;
    create trigger calls_repriced after update of cost_nano_usd on holdfast.calls
      for each row when (old.cost_nano_usd is distinct from new.cost_nano_usd) execute function holdfast.budgets_follow_cost();

    alter table holdfast.call_intents add column reserved_nano bigint;
    comment on column holdfast.call_intents.reserved_nano is 'what the call may cost at most; null where no hard budget asked';
    create type holdfast.call_intent_2 as (
      id uuid, organization_id uuid, instance_id uuid, request_id text, key_id uuid, user_id uuid, end_user text, feature text,
      operation text, dialect text, streamed boolean, model_asked text, provider text, started_at timestamptz, reserved_nano bigint
    );

    grant select, insert, update on holdfast.budgets to holdfast_operator;
    grant select, delete on holdfast.budgets to holdfast_jobs;
    grant select, update (subject_ids) on holdfast.budgets to holdfast_app;
    grant select, insert, update on holdfast.budget_windows to holdfast_jobs;
    grant select, insert, update (closed_nano) on holdfast.budget_windows to holdfast_operator;
    grant select on holdfast.budget_windows to holdfast_app;
    grant select, insert, update, delete on holdfast.budget_slices to holdfast_jobs;
    grant select on holdfast.budget_slices to holdfast_app, holdfast_operator;
    grant select (instance_id, user_id, started_at) on holdfast.calls to holdfast_jobs;

    alter table holdfast.budgets enable row level security, force row level security;
    alter table holdfast.budget_windows enable row level security, force row level security;
    alter table holdfast.budget_slices enable row level security, force row level security;
    create policy app_own on holdfast.budgets to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid))
      with check (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy app_own on holdfast.budget_windows for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy app_own on holdfast.budget_slices for select to holdfast_app
      using (organization_id = (select nullif(current_setting('holdfast.organization_id', true), '')::uuid));
    create policy operator_all on holdfast.budgets to holdfast_operator using (true) with check (true);
    create policy operator_all on holdfast.budget_windows to holdfast_operator using (true) with check (true);
    create policy operator_all on holdfast.budget_slices to holdfast_operator using (true) with check (true);
    create policy jobs_all on holdfast.budgets to holdfast_jobs using (true) with check (true);
    create policy jobs_all on holdfast.budget_windows to holdfast_jobs using (true) with check (true);
    create policy jobs_all on holdfast.budget_slices to holdfast_jobs using (true) with check (true);
  `.execute(database);
}
