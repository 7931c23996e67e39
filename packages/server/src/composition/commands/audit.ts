import { systemClock } from '@holdfast/kit/time';
import type { CliDependencies } from '../../entry/cli/index.ts';
import {
  createPublicationStore,
  folderPublisher,
  publishCheckpoint,
  reportPage,
  verifyDatabase,
  type AuditScope,
} from '../../features/audit/index.ts';
import { latestCheckpoint, openAuditService } from '../audit-access.ts';
import { checkpointPublishers } from '../checkpoint-publishers.ts';
import { withStorage } from './with-storage.ts';

const publishTimeoutMs = 30_000;

/** `holdfast audit …`: the log of the whole instance, for whoever has the machine. */
export function auditCommands(runtimeDir: string | undefined): CliDependencies['audit'] {
  return (configuration, work) =>
    withStorage(configuration, runtimeDir, ({ database, references }) => {
      const service = openAuditService({ configuration, database, references, clock: systemClock });
      const all: AuditScope = { organizationId: undefined, asOperator: true };
      const scopeOf = (asked: string | undefined): AuditScope => ({
        organizationId: asked === 'instance' ? null : asked,
        asOperator: true,
      });
      return work({
        list: ({ organization_id: asked, ...query }) => service.list(scopeOf(asked), query),
        prove: (id) => service.prove(all, id),
        checkpoint: () => service.checkpoint(all),
        keys: () => service.keys(all),
        export: ({ organization_id: asked, ...query }) => service.export(scopeOf(asked), query),
        async report(name, { organization_id: asked, ...query }) {
          const body = await service.report(scopeOf(asked), name, query);
          return { body, page: reportPage(body) };
        },
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
