import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';

/**
 * Why PostgreSQL's programs ended, from what they wrote. `details.log` has the last lines; the first that names a reason is
 * in the one line that the operator reads.
 */
export function startFault(what: string, lines: readonly string[], cause?: unknown): HoldfastError {
  const text = lines.join('\n');
  const details = { log: [...lines] };
  const reason =
    lines.find((line) => /\b(FATAL|PANIC|fatal):|^initdb: error|error while loading|not found \(required by/.test(line)) ?? lines.at(-1);
  const detail = reason === undefined ? what : `${what}: ${reason.replace(/^.*?(?=FATAL:|PANIC:)/, '')}`;
  if (/No space left on device|Disk quota exceeded/.test(text)) return new HoldfastError('disk_full', { detail, details, cause });
  if (
    /Read-only file system|has invalid permissions|has wrong ownership|could not (create|open|write|access|change permissions)[^\n]*Permission denied/.test(
      text,
    )
  ) {
    return new HoldfastError('data_folder_unusable', { detail, details, cause });
  }
  return new HoldfastError('postgres_start_failed', { detail, details, cause });
}

/** Why a program could not even be started. */
export function spawnFault(program: string, thrown: unknown, userName: string | undefined): HoldfastError {
  const code = (thrown as NodeJS.ErrnoException).code;
  const reason =
    code === 'EPERM' && userName
      ? `this process may not start one as the user ${userName} (CAP_SETUID and CAP_SETGID are missing?); start as an ordinary user or set DATABASE_URL`
      : (thrown as Error).message;
  return new HoldfastError('postgres_start_failed', { detail: `${program} cannot be started: ${reason}`, cause: thrown });
}

/** PostgreSQL found another one on its folder that had not been there, or had not said so, when we looked. */
export function isRivalFault(thrown: unknown): boolean {
  const log = isHoldfastError(thrown) ? (thrown.details as { log?: readonly string[] } | undefined)?.log : undefined;
  return log?.some((line) => /lock file "postmaster\.pid" (already exists|is empty)/.test(line)) ?? false;
}
