import { createBanBook, type BanBook } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import type { Configuration } from '../config/index.ts';
import { createDatabaseBanStore } from '../features/abuse/index.ts';
import type { AuditTrail } from '../platform/audit/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import type { Closers } from './closers.ts';

export interface BanBookOptions {
  readonly configuration: Configuration;
  readonly database: Database;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly closers: Closers;
}

/** The bans of the instance, loaded and following those of the others. */
export async function openBanBook({ configuration, database, audit, clock, closers }: BanBookOptions): Promise<BanBook> {
  const { banFirstMs, banFactor, banMaxMs, banForgetAfterMs, neverBanned } = configuration.abuse;
  const book = createBanBook({
    store: createDatabaseBanStore({ database, audit, clock }),
    clock,
    durations: { firstMs: banFirstMs, factor: banFactor, maxMs: Math.max(banFirstMs, banMaxMs), forgetAfterMs: banForgetAfterMs },
    neverBanned: [...configuration.server.trustedProxies, ...neverBanned],
  });
  await book.start();
  closers.add('bans', () => book.close());
  return book;
}
