import type { Clock, Random } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import { initiatorOf, type HttpServerOptions, type Refusal } from '../entry/http/index.ts';
import { personalDataRoutes } from '../features/personal-data/index.ts';
import { createRefusedCalls, createRefusedRequests, FloodGate } from '../features/refusals/index.ts';
import type { CallAudit } from '../model/index.ts';
import { createAuditTrail, erasePersonalData, PersonalReferences, type AuditTrail, type EventCommitter } from '../platform/audit/index.ts';
import type { KeyRing } from '../platform/keyring/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';

export interface AuditOptions {
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
}

export interface Audit {
  readonly references: PersonalReferences;
  readonly trail: AuditTrail;
  /** `/api/personal-data`. */
  readonly routes: FastifyPluginAsync;
  /** From now on events go with the group commits of the ledger. */
  commitWith(committer: EventCommitter): void;
}

/** Where everything that happens is told. */
export function openAudit({ database, keyRing, clock, random }: AuditOptions): Audit {
  const references = new PersonalReferences({ keyRing, random });
  let committer: EventCommitter | undefined;
  const trail = createAuditTrail({ database, references, clock, random, committer: () => committer });
  return {
    references,
    trail,
    routes: personalDataRoutes({ erase: (value, by) => erasePersonalData(database, { references, trail }, value, by), initiatorOf }),
    commitWith(given) {
      committer = given;
    },
  };
}

/** What is told of refusals: those of the door, and those of calls. */
export function openRefusals({
  audit,
  database,
  clock,
  closers,
}: {
  readonly audit: AuditTrail;
  readonly database: Pick<Database, 'asOperator'>;
  readonly clock: Clock;
  readonly closers: Closers;
}): { readonly calls: CallAudit; readonly onRefusal: NonNullable<HttpServerOptions['onRefusal']> } {
  const gate = new FloodGate({ clock, onCounted: (event) => void audit.record(event) });
  closers.add('counts of refusals', () => gate.close());
  const told = createRefusedRequests({ audit, gate, ownerOf: (route, id) => ownerOf(database, route, id) });
  return {
    calls: createRefusedCalls(audit, gate),
    onRefusal: ({ client, ...refusal }: Refusal) => told({ ...refusal, clientKey: client.key.text }),
  };
}

/** What organizations own and routes name, by the beginning of the route. */
const owned = [
  { route: '/api/keys/:id', table: 'holdfast.api_keys', type: 'key' },
  { route: '/api/budgets/:id', table: 'holdfast.budgets', type: 'budget' },
  { route: '/api/audit/events/:id', table: 'holdfast.audit_log', type: 'audit_event' },
] as const;

async function ownerOf(database: Pick<Database, 'asOperator'>, route: string, id: string) {
  const known = owned.find((each) => route.startsWith(each.route));
  if (known === undefined) return undefined;
  const found = await database.asOperator((transaction) =>
    transaction.selectFrom(known.table).select('organization_id').where('id', '=', id).executeTakeFirst(),
  );
  return found?.organization_id == null ? undefined : { organizationId: found.organization_id, type: known.type };
}
