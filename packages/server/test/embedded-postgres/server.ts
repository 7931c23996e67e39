import { isHoldfastError } from '@holdfast/kit/errors';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { startEmbeddedPostgres, type EmbeddedPostgresOptions } from '../../src/platform/postgres/embedded/index.ts';

/**
 * A server of its own process, as small as it can be: starts the embedded PostgreSQL with the options of its argument (JSON), writes one
 * line of JSON about it, stops it when standard input ends or on SIGTERM.
 */
const { asUid, ...options } = JSON.parse(process.argv[2] ?? '{}') as Omit<EmbeddedPostgresOptions, 'clock' | 'random'> & { asUid?: number };

// Only now, when all source is loaded: the user may not be able to reach the clone.
if (asUid !== undefined) {
  process.chdir('/');
  process.setgroups?.([]);
  process.setgid?.(asUid);
  process.setuid?.(asUid);
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const startedAtMs = systemClock.monotonic();
try {
  const postgres = await startEmbeddedPostgres({ ...options, clock: systemClock, random: systemRandom });
  const { pid, socketDir, port, adopted, version, logPath } = postgres;
  say({ pid, socketDir, port, adopted, version, logPath, durationMs: systemClock.monotonic() - startedAtMs });
  postgres.onExit((exit) => {
    say({ exit });
    process.exit(2);
  });
  const stop = () => void postgres.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.stdin.once('end', stop).resume();
} catch (thrown) {
  if (!isHoldfastError(thrown)) throw thrown;
  say({ code: thrown.code, detail: thrown.message, details: thrown.details });
  process.exitCode = 1;
}
