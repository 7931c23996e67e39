import { HoldfastError, isHoldfastError, toHoldfastError } from '@holdfast/kit/errors';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write there (EACCES)',
  EPERM: 'no permission to change it (EPERM)',
  EROFS: 'the file system is read-only (EROFS)',
  ENOTDIR: 'a part of the path is a file, not a folder (ENOTDIR)',
  EEXIST: 'it is a file, not a folder (EEXIST)',
  ENAMETOOLONG: 'the path is too long (ENAMETOOLONG)',
};

/** What the file system said about a folder of ours, as the one line that the operator reads. Anything else is our own fault. */
export function folderFault(thrown: unknown, path: string): HoldfastError {
  if (isHoldfastError(thrown)) return thrown;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return toHoldfastError(thrown);
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path, thrown);
  return new HoldfastError('data_folder_unusable', { detail: `${path}: ${reasons[code] ?? `${syscall} failed (${code})`}`, cause: thrown });
}

export function diskFull(path: string, cause: unknown): HoldfastError {
  return new HoldfastError('disk_full', { detail: `no space left for ${path}`, cause });
}

/** Runs `work`; a fault of the file system becomes a `data_folder_unusable` or a `disk_full` about `path`. */
export function onFolder<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw folderFault(thrown, path);
  }
}
