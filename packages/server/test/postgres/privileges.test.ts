import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { databaseRoles, type Database, type DatabaseRole } from '../../src/platform/postgres/index.ts';
import { startTestDatabase, type TestDatabase } from '../support/postgres.ts';

const verbs = ['select', 'insert', 'update', 'delete'] as const;
type Verb = (typeof verbs)[number];

/** Rows that a role reaches: those of the organization of its transaction, every one, or calls that were interrupted; and in which columns (undefined: all). */
interface Access {
  readonly rows: 'own' | 'every' | 'interrupted';
  readonly columns?: readonly string[];
}
interface TableRules {
  /** Whether row-level security is enabled and forced. Only tables without any tenant's data may do without. */
  readonly rowSecurity: boolean;
  readonly access: Partial<Record<DatabaseRole, Partial<Record<Verb, Access>>>>;
}

const own: Access = { rows: 'own' };
const every: Access = { rows: 'every' };
const only = (rows: Access['rows'], ...columns: string[]): Access => ({ rows, columns });
const everything = { select: every, insert: every, update: every, delete: every };

/** What each role may do with each table, and nothing beyond it. A table that is missing here fails the first test. */
const matrix: Readonly<Record<string, TableRules>> = {
  'identity.user': { rowSecurity: true, access: { identity: everything } },
  'identity.session': { rowSecurity: true, access: { identity: everything } },
  'identity.account': { rowSecurity: true, access: { identity: everything } },
  'identity.verification': { rowSecurity: true, access: { identity: everything } },
  'identity.organization': {
    rowSecurity: true,
    access: {
      identity: everything,
      app: { select: own },
      operator: { select: every, insert: every, update: every },
      authenticator: { select: only('every', 'id', 'tier') },
    },
  },
  'identity.member': { rowSecurity: true, access: { identity: everything, app: { select: own } } },
  'identity.invitation': { rowSecurity: true, access: { identity: everything } },
  'holdfast.api_keys': {
    rowSecurity: true,
    access: {
      app: {
        select: own,
        insert: own,
        update: only(
          'own',
          'name',
          'scopes',
          'allowed_models',
          'expires_at',
          'revoked_at',
          'replaced_by',
          'requests_per_minute',
          'tokens_per_minute',
          'concurrent',
        ),
      },
      operator: {
        select: every,
        insert: every,
        update: only(
          'every',
          'name',
          'scopes',
          'allowed_models',
          'expires_at',
          'revoked_at',
          'replaced_by',
          'requests_per_minute',
          'tokens_per_minute',
          'concurrent',
        ),
      },
      authenticator: {
        select: only(
          'every',
          ...['id', 'organization_id', 'user_id', 'hash', 'hash_key_version', 'scopes', 'allowed_models', 'expires_at', 'revoked_at'],
          ...['requests_per_minute', 'tokens_per_minute', 'concurrent'],
        ),
      },
      jobs: {
        select: only('every', 'id', 'last_used_at', 'organization_id', 'prefix', 'expires_at', 'revoked_at', 'replaced_by'),
        update: only('every', 'last_used_at'),
      },
    },
  },
  'holdfast.key_changes': { rowSecurity: true, access: { authenticator: { select: every } } },
  'holdfast.calls': {
    rowSecurity: true,
    access: {
      app: { select: own },
      operator: { select: every },
      writer: { insert: every, select: only('every', 'id') },
      jobs: {
        insert: every,
        select: only(
          'every',
          ...[
            'id',
            'organization_id',
            'instance_id',
            'key_id',
            'user_id',
            'cost_nano_usd',
            'started_at',
            'price_id',
            'usage_details',
            'committed_in',
          ],
          ...['end_user', 'feature', 'model_asked', 'model_served', 'provider', 'prompt_tokens', 'completion_tokens', 'cached_tokens'],
          ...['cache_write_tokens', 'reasoning_tokens', 'outcome', 'usage_source'],
        ),
        delete: { rows: 'interrupted' },
      },
    },
  },
  'holdfast.call_corrections': {
    rowSecurity: true,
    access: { app: { select: own }, operator: { select: every, insert: every }, jobs: { select: every } },
  },
  'holdfast.call_removals': {
    rowSecurity: true,
    access: { app: { select: own }, operator: { select: every }, jobs: { select: every, insert: every } },
  },
  'holdfast.cost_days': {
    rowSecurity: true,
    access: { app: { select: own }, operator: { select: every }, jobs: { select: every, insert: every, update: every } },
  },
  'holdfast.cost_state': {
    rowSecurity: false,
    access: { app: { select: every }, operator: { select: every }, jobs: { select: every, update: every } },
  },
  'holdfast.prices': {
    rowSecurity: false,
    access: { app: { select: every }, operator: { select: every }, jobs: { select: every, insert: every } },
  },
  'holdfast.call_intents': {
    rowSecurity: true,
    access: {
      writer: { insert: every, select: only('every', 'id') },
      jobs: { select: every, insert: every, delete: every },
    },
  },
  'holdfast.spill_segments': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.budgets': {
    rowSecurity: true,
    access: {
      app: { select: own, update: only('own', 'subject_ids') },
      operator: { select: every, insert: every, update: every },
      jobs: { select: every, delete: every },
    },
  },
  'holdfast.budget_windows': {
    rowSecurity: true,
    access: {
      app: { select: own },
      operator: { select: every, insert: every, update: only('every', 'closed_nano') },
      jobs: { select: every, insert: every, update: every },
    },
  },
  'holdfast.budget_slices': { rowSecurity: true, access: { app: { select: own }, operator: { select: every }, jobs: everything } },
  'holdfast.bans': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.metric_minutes': { rowSecurity: true, access: { jobs: everything, operator: { select: every } } },
  'holdfast.request_log': {
    rowSecurity: true,
    access: { jobs: { insert: every, delete: every, select: only('every', 'id', 'at') }, operator: { select: every } },
  },
  'holdfast.alerts': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.alert_observations': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.alert_groups': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.alert_silences': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.alert_deliveries': { rowSecurity: true, access: { jobs: everything } },
  'holdfast.audit_inbox': {
    rowSecurity: true,
    access: {
      app: { insert: own, select: own },
      writer: { insert: every },
      jobs: { insert: every },
      operator: { insert: every, select: every },
      sequencer: { select: every, insert: every, delete: every },
    },
  },
  'holdfast.audit_log': {
    rowSecurity: true,
    access: { app: { select: own }, operator: { select: every }, sequencer: { select: every, insert: every, delete: every } },
  },
  'holdfast.audit_nodes': {
    rowSecurity: true,
    access: { app: { select: every }, operator: { select: every }, sequencer: { select: every, insert: every } },
  },
  'holdfast.audit_state': {
    rowSecurity: true,
    access: {
      app: { select: every },
      operator: { select: every },
      sequencer: { select: every, update: only('every', 'epoch', 'size', 'root', 'tail', 'first_index') },
    },
  },
  'holdfast.audit_series': {
    rowSecurity: true,
    access: {
      app: { select: own },
      operator: { select: every },
      sequencer: { select: every, insert: every, update: only('every', 'last_number', 'removed_number') },
    },
  },
  'holdfast.audit_checkpoints': {
    rowSecurity: true,
    access: { app: { select: every }, operator: { select: every }, sequencer: { select: every, insert: every, delete: every } },
  },
  'holdfast.audit_keys': {
    rowSecurity: true,
    access: {
      app: { select: only('every', 'verifier_key', 'kind', 'created_at', 'from_size', 'to_size') },
      operator: { select: only('every', 'verifier_key', 'kind', 'created_at', 'from_size', 'to_size') },
      sequencer: { select: every, insert: every, update: only('every', 'to_size', 'sealed_private_key') },
    },
  },
  'holdfast.audit_rejected': {
    rowSecurity: true,
    access: { operator: { select: every }, sequencer: { select: every, insert: every } },
  },
  'holdfast.audit_personal': {
    rowSecurity: true,
    access: {
      app: { insert: own, select: own },
      writer: { insert: every, select: only('every', 'ref') },
      jobs: { insert: every, delete: every, select: only('every', 'ref', 'organization_id', 'kind', 'created_at') },
      operator: { insert: every, select: every, delete: every },
    },
  },
  'holdfast.audit_publications': { rowSecurity: true, access: { jobs: everything, operator: { select: every } } },
  'holdfast.instances': {
    rowSecurity: false,
    access: {
      writer: { insert: every, select: only('every', 'id'), update: only('every', 'seen_at') },
      jobs: { select: every, delete: every },
      operator: { select: every },
    },
  },
  'holdfast.settings': { rowSecurity: false, access: { operator: { select: every, insert: every, update: every } } },
  'holdfast.migrations': { rowSecurity: false, access: {} },
  'holdfast.migration_locks': { rowSecurity: false, access: {} },
  'holdfast.non_transactional_migrations': { rowSecurity: false, access: {} },
};

const ownOrganization = `= ( SELECT (NULLIF(current_setting('holdfast.organization_id'::text, true), ''::text))::uuid`;

interface CatalogTable {
  readonly name: string;
  readonly enabled: boolean;
  readonly forced: boolean;
  readonly columns: { readonly name: string; readonly type: string }[];
  readonly policies: { readonly role: string; readonly command: string; readonly using: string | null; readonly check: string | null }[];
}

let postgres: TestDatabase;
let database: Database;
let catalog: Map<string, CatalogTable>;

beforeAll(async () => {
  postgres = await startTestDatabase();
  database = await postgres.open();
  const tables = await postgres.asSuperuser<CatalogTable & { [column: string]: unknown }>(`
    select n.nspname || '.' || c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
      (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
       from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      (select coalesce(jsonb_agg(jsonb_build_object('role', r, 'command', lower(p.cmd), 'using', p.qual, 'check', p.with_check)), '[]')
       from pg_policies p, unnest(p.roles) r where p.schemaname = n.nspname and p.tablename = c.relname) as policies
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`);
  catalog = new Map(tables.map((table) => [table.name, table]));
});
afterAll(() => postgres.stop());

test('every table of the database is in the matrix, and the matrix names no other', () => {
  expect([...catalog.keys()].sort()).toEqual(Object.keys(matrix).sort());
});

test('every table with an organization in it has row-level security', () => {
  const tenantTables = [...catalog.values()].filter(
    (table) => table.name === 'identity.organization' || table.columns.some((column) => /^organization_?id$/i.test(column.name)),
  );
  expect(tenantTables.length).toBeGreaterThan(4);
  expect(tenantTables.filter((table) => !table.enabled || !table.forced).map((table) => table.name)).toEqual([]);
});

test('no role is a superuser, passes row-level security, may log in, or is a member of another', async () => {
  const roles = await postgres.asSuperuser(
    `select r.rolname as name, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication,
       exists (select from pg_auth_members m where m.member = r.oid) as "isMember"
     from pg_roles r where rolname = any($1) order by rolname`,
    [databaseRoles.map((role) => `holdfast_${role}`)],
  );
  expect(roles).toEqual(
    [...databaseRoles].sort().map((role) => ({
      name: `holdfast_${role}`,
      ...{ rolsuper: false, rolbypassrls: false, rolcanlogin: false, rolcreaterole: false, rolcreatedb: false, rolreplication: false },
      isMember: false,
    })),
  );
});

test('nobody but the owner may truncate, refer to, or put triggers on a table, nor create anything in our schemas', async () => {
  const rights = await postgres.asSuperuser(
    `select role, c.oid::regclass::text as on, p as right from unnest($1::text[]) role, pg_class c, unnest(array['truncate', 'references', 'trigger']) p
     where c.relnamespace in ('holdfast'::regnamespace, 'identity'::regnamespace) and c.relkind = 'r' and has_table_privilege(role, c.oid, p)
     union all
     select role, s, 'create' from unnest($1::text[]) role, unnest(array['holdfast', 'identity', 'public']) s where has_schema_privilege(role, s, 'create')`,
    [databaseRoles.map((role) => `holdfast_${role}`)],
  );
  expect(rights).toEqual([]);
});

for (const [name, rules] of Object.entries(matrix)) {
  describe(name, () => {
    test(`row-level security is ${rules.rowSecurity ? 'forced' : 'off'}`, () => {
      expect(catalog.get(name)).toMatchObject({ enabled: rules.rowSecurity, forced: rules.rowSecurity });
    });

    for (const role of databaseRoles) {
      for (const verb of verbs) {
        const access = rules.access[role]?.[verb];
        const may = access
          ? `may ${verb} ${access.rows} row${access.columns ? ` in ${access.columns.join(', ')}` : ''}`
          : `may not ${verb}`;
        test(`${role} ${may}`, async () => {
          const table = catalog.get(name)!;
          expect(await allowedColumns(table, role, verb)).toEqual(expectedColumns(table, access, verb));
          if (rules.rowSecurity) expect(policyRows(table, role, verb)).toBe(access?.rows);
          expect(await attempt(table, role, verb, access)).toBe(access ? 'allowed' : 'denied');
        });
      }
    }
  });
}

function expectedColumns(table: CatalogTable, access: Access | undefined, verb: Verb): string[] {
  if (!access) return [];
  if (verb === 'delete') return ['*'];
  return [...(access.columns ?? table.columns.map((column) => column.name))].sort();
}

/** As the catalog grants it. */
async function allowedColumns(table: CatalogTable, role: DatabaseRole, verb: Verb): Promise<string[]> {
  const [schema, relation] = table.name.split('.');
  const rows = await postgres.asSuperuser<{ name: string }>(
    verb === 'delete'
      ? `select '*' as name where has_table_privilege($1, format('%I.%I', $2::text, $3::text), $4)`
      : `select attname as name from pg_attribute where attrelid = format('%I.%I', $2::text, $3::text)::regclass and attnum > 0 and not attisdropped
           and has_column_privilege($1, attrelid, attnum, $4) order by attname collate "C"`,
    [`holdfast_${role}`, schema, relation, verb],
  );
  return rows.map((row) => row.name);
}

/** Which rows the policies open: for reads and deletes `using` decides, for inserts `with check`, for updates both. */
function policyRows(table: CatalogTable, role: DatabaseRole, verb: Verb): string | undefined {
  const policies = table.policies.filter(
    (policy) => [`holdfast_${role}`, 'public'].includes(policy.role) && ['all', verb].includes(policy.command),
  );
  if (policies.length === 0) return undefined;
  const grantedAny = matrix[table.name]!.access[role]?.[verb] !== undefined;
  // A policy for all verbs on a table of which a role has only some: the grant decides.
  if (!grantedAny && policies.every((policy) => policy.command === 'all')) return undefined;
  const expressions = policies.flatMap(({ using, check }) =>
    verb === 'insert' ? [check ?? using] : verb === 'update' ? [using, check ?? using] : [using],
  );
  if (expressions.every((expression) => expression?.includes(ownOrganization))) return 'own';
  if (expressions.every((expression) => expression === 'true')) return 'every';
  if (expressions.every((expression) => expression === "(outcome = 'interrupted'::text)")) return 'interrupted';
  return `mixed: ${expressions.join(' | ')}`;
}

/** As the server decides it when the statement is really made; no row is touched. */
async function attempt(table: CatalogTable, role: DatabaseRole, verb: Verb, access: Access | undefined): Promise<'allowed' | 'denied'> {
  const relation = table.name
    .split('.')
    .map((part) => `"${part}"`)
    .join('.');
  const column = table.columns.find(({ name }) => !access?.columns || access.columns.includes(name))!;
  const statement = {
    select: `select "${column.name}" from ${relation} where false`,
    insert: `insert into ${relation} ("${column.name}") select null::${column.type} where false`,
    update: `update ${relation} set "${column.name}" = null where false`,
    delete: `delete from ${relation} where false`,
  }[verb];
  try {
    await database.pool(role).query(statement);
    return 'allowed';
  } catch (error) {
    if ((error as { code?: string }).code === '42501') return 'denied';
    throw error;
  }
}
