import { createUuidV7, systemClock, systemRandom } from '@holdfast/kit/time';
import type { CliDependencies } from '../../entry/cli/index.ts';
import {
  createPublicationStore,
  folderPublisher,
  publishCheckpoint,
  reportPage,
  rotateLogKeys,
  verifyDatabase,
  type AuditScope,
} from '../../features/audit/index.ts';
import { operatorAtTerminal } from '../../platform/audit/index.ts';
import { latestCheckpoint, openAuditService } from '../audit-access.ts';
import { checkpointPublishers } from '../checkpoint-publishers.ts';
import { withStorage } from './with-storage.ts';

const publishTimeoutMs = 30_000;

/** `holdfast audit …`: the log of the whole instance, for whoever has the machine. */
export function auditCommands(runtimeDir: string | undefined): CliDependencies['audit'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, ({ database, keyRing, references, audit: trail }) => {
      const service = openAuditService({ configuration, database, references, clock: systemClock });
      const all: AuditScope = { organizationId: undefined, asOperator: true };
      const scopeOf = (asked: string | undefined): AuditScope => ({
        organizationId: asked === 'instance' ? null : asked,
        asOperator: true,
      });
      const createId = createUuidV7(systemClock, systemRandom);
      /** Whoever looks at the log leaves an event, also at the terminal. */
      const tell = (type: 'audit.read' | 'audit.exported', asked: string | undefined, view: string, personal = false): Promise<boolean> => {
        const { organizationId } = scopeOf(asked);
        return trail.record({
          type,
          organizationId: organizationId ?? null,
          by: operatorAtTerminal,
          resource: { type: 'audit_log', id: asked ?? 'all' },
          details: { view, personal },
        });
      };
      return work({
        async list({ organization_id: asked, ...query }) {
          const page = await service.list(scopeOf(asked), query);
          await tell('audit.read', asked, 'events', query.personal ?? false);
          return page;
        },
        async prove(id) {
          const proof = await service.prove(all, id);
          await tell('audit.read', undefined, 'event');
          return proof;
        },
        checkpoint: () => service.checkpoint(all),
        keys: () => service.keys(all),
        async export({ organization_id: asked, ...query }) {
          const exported = await service.export(scopeOf(asked), query);
          await tell('audit.exported', asked, query.format, query.personal ?? false);
          return exported;
        },
        async report(name, { organization_id: asked, ...query }) {
          const body = await service.report(scopeOf(asked), name, query);
          await tell('audit.read', asked, name);
          return { body, page: reportPage(body) };
        },
        rotateKeys: () =>
          rotateLogKeys({
            ...{ database, keyRing, clock: systemClock, random: systemRandom, createId },
            event: (details) => ({
              v: 1,
              id: createId(),
              at: new Date(systemClock.now()).toISOString(),
              type: 'audit.keys_rotated',
              outcome: 'success',
              organization_id: null,
              actor: { type: 'operator' },
              resource: { type: 'audit_log' },
              details: { retired: details.retired, added: details.added },
            }),
          }),
        async publish(folder) {
          const checkpoint = await latestCheckpoint(database);
          if (checkpoint === undefined) return [];
          const abort = new AbortController();
          const limit = systemClock.setTimeout(() => abort.abort(), publishTimeoutMs, true);
          try {
            return await publishCheckpoint(checkpoint, {
              publishers: folder === undefined ? checkpointPublishers(configuration, systemClock) : [folderPublisher(folder)],
              // What is asked for by hand is done, whatever was published last.
              store: { ...createPublicationStore(database), lastSize: async () => undefined },
              clock: systemClock,
              signal: abort.signal,
            });
          } finally {
            limit.cancel();
          }
        },
        verify: (options) =>
          verifyDatabase({
            ...options,
            database,
            reveal: (row) => references.reveal(row),
          }),
      });
    });
}
