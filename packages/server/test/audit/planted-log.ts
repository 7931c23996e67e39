import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  auditLeafText,
  createCheckpointSigner,
  hashLeaf,
  signCheckpoint,
  TiledTree,
  verifierKey,
  type AuditEvent,
} from '@holdfast/kit/audit';
import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import type { TestDatabase } from '../support/postgres.ts';

export const organizations = ['019a9c5a-0000-7000-8000-000000000001', '019a9c5a-0000-7000-8000-000000000002'] as const;
export const [acme, other] = organizations;
export const startMs = Date.UTC(2026, 10, 20, 9);
const newId = createUuidV7(systemClock, systemRandom);

export type Planned = Partial<AuditEvent> & { readonly atMs?: number };

export interface PlantedLog {
  readonly origin: string;
  readonly verifierKeys: readonly string[];
  readonly events: readonly (AuditEvent & { readonly index: number; readonly number: number })[];
  /** By size. */
  readonly checkpoints: ReadonlyMap<number, string>;
}

export interface PlantOptions {
  /** Sizes at which it is signed, beside the last. */
  readonly signedAt?: readonly number[];
  /** Whose key it is; of a thief, when it is the log's own. */
  readonly key?: KeyObject;
}

/**
 * Writes a whole log into a database as who holds the database and a signing key can: with everything that the sequencer would have made of
 * the same events, or of others.
 */
export async function plantLog(postgres: TestDatabase, planned: readonly Planned[], options: PlantOptions = {}): Promise<PlantedLog> {
  await postgres.asSuperuser(
    `truncate holdfast.audit_log, holdfast.audit_nodes, holdfast.audit_series, holdfast.audit_checkpoints, holdfast.audit_keys, holdfast.audit_inbox`,
  );
  const [state] = await postgres.asSuperuser<{ log_id: string }>('select log_id from holdfast.audit_state');
  const origin = `holdfast/${state!.log_id}`;
  const key = options.key ?? generateKeyPairSync('ed25519').privateKey;
  const signer = createCheckpointSigner(origin, key);
  const tree = new TiledTree();
  const numbers = new Map<string | null, number>();
  const checkpoints = new Map<number, string>();
  const events: PlantedLog['events'][number][] = [];
  const sign = () => checkpoints.set(tree.size, signCheckpoint({ origin, size: tree.size, root: tree.root() }, [signer], 0));

  const rows = planned.map(({ atMs, ...given }, index) => {
    const event: AuditEvent = {
      v: 1,
      id: newId(),
      at: new Date(atMs ?? startMs + index * 1_000).toISOString(),
      type: 'key.created',
      outcome: 'success',
      organization_id: acme,
      actor: { type: 'key', id: '019a9c5a-0000-7000-8000-00000000000a' },
      resource: { type: 'key', id: '019a9c5a-0000-7000-8000-00000000000b' },
      ...given,
    };
    const number = (numbers.get(event.organization_id) ?? 0) + 1;
    numbers.set(event.organization_id, number);
    const leaf = auditLeafText(event, number);
    tree.append(hashLeaf(Buffer.from(leaf)));
    events.push({ ...event, index, number });
    if (options.signedAt?.includes(tree.size)) sign();
    return {
      index,
      number,
      leaf,
      id: event.id,
      organization_id: event.organization_id,
      at: event.at,
      type: event.type,
      outcome: event.outcome,
      actor_type: event.actor.type,
      actor_id: event.actor.id ?? null,
      user_id: event.actor.user_id ?? null,
      resource_type: event.resource?.type ?? null,
      resource_id: event.resource?.id ?? null,
      request_id: event.request_id ?? null,
    };
  });
  sign();
  const columns =
    'index, id, organization_id, number, at, type, outcome, actor_type, actor_id, user_id, resource_type, resource_id, request_id, leaf';
  await postgres.asSuperuser(
    `insert into holdfast.audit_log (${columns}) select ${columns} from jsonb_populate_recordset(null::holdfast.audit_log, $1::jsonb)`,
    [JSON.stringify(rows)],
  );
  for (const { level, index, root, hashes } of tree.takeTiles())
    await postgres.asSuperuser('insert into holdfast.audit_nodes (level, index, root, hashes) values ($1, $2, $3, $4)', [
      level,
      index,
      root,
      hashes,
    ]);
  for (const [organizationId, last] of numbers)
    await postgres.asSuperuser(
      `insert into holdfast.audit_series (organization_id, last_number) values (coalesce($1::uuid, '00000000-0000-0000-0000-000000000000'), $2)`,
      [organizationId, last],
    );
  for (const [size, note] of checkpoints)
    await postgres.asSuperuser('insert into holdfast.audit_checkpoints (size, note) values ($1, $2)', [size, note]);
  await postgres.asSuperuser('update holdfast.audit_state set size = $1, root = $2, tail = $3, first_index = 0', [
    tree.size,
    tree.root(),
    tree.tail,
  ]);
  const vkey = verifierKey(origin, key);
  await postgres.asSuperuser(
    `insert into holdfast.audit_keys (verifier_key, kind, from_size, sealed_private_key) values ($1, 'ed25519', 0, '\\x00')`,
    [vkey],
  );
  return { origin, verifierKeys: [vkey], events, checkpoints };
}

/** As many events, by turns of one organization, the other, and the instance. */
export function turns(length: number): Planned[] {
  return Array.from({ length }, (_, at) => ({ organization_id: at % 3 === 0 ? other : at % 7 === 0 ? null : acme }));
}
