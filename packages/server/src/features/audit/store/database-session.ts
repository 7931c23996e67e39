import type { LogSurvey, SequencerSession } from '../sequencer/index.ts';
import { claimLog, damaged, type ClaimOptions } from './claim-log.ts';
import { commitGrowth } from './commit-growth.ts';
import { openConnection, type ConnectionOptions } from './connection.ts';
import { maintainLog, type MaintainOptions } from './maintain.ts';
import { readWaiting } from './read-waiting.ts';
import * as statements from './statements.ts';

export interface DatabaseSessionOptions extends MaintainOptions, ClaimOptions, ConnectionOptions {
  readonly database: MaintainOptions['database'] & ConnectionOptions['database'];
}

/** A connection of the role `sequencer` to PostgreSQL. */
export async function openDatabaseSession(options: DatabaseSessionOptions): Promise<SequencerSession> {
  const { run, leafOid, release } = await openConnection(options);
  let elected = false;
  return {
    async survey(): Promise<LogSurvey> {
      const [row] = await run<SurveyRow>(statements.survey, [elected]);
      if (row === undefined) throw damaged('audit_state has no row');
      elected = row.elected;
      return {
        elected,
        epoch: row.epoch,
        size: row.size,
        oldestSeq: row.oldest_seq ?? undefined,
        oldestWaitedMs: row.oldest_waited_ms ?? 0,
        waiting: row.waiting,
      };
    },

    claim: () => claimLog(run, options),
    readWaiting: (limit, without) => readWaiting(run, limit, without),
    commit: (growth) => commitGrowth(run, growth, leafOid),
    maintain: (epoch) => maintainLog(run, epoch, options),

    async close() {
      if (elected) await run(statements.releaseLock).catch(() => {});
      release();
    },
  };
}

interface SurveyRow {
  readonly elected: boolean;
  readonly epoch: number;
  readonly size: number;
  readonly oldest_seq: number | null;
  readonly oldest_waited_ms: number | null;
  readonly waiting: number;
}
