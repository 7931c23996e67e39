import { realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessUser } from './process-user.ts';

export const mayTraverse = 0o1;
export const mayRead = 0o4;
export const mayReadAndExecute = 0o5;

/**
 * The first part of `path` that keeps `user` away from it, or undefined when nothing does. Looks at owner, group and mode only:
 * it is asked by root about another user, for whom `access(2)` cannot answer. The user has no supplementary groups,
 * because Node drops them when it starts a process under another uid.
 */
export function findObstacle(path: string, user: ProcessUser, bits: number): string | undefined {
  let resolved: string;
  try {
    resolved = realpathSync(path);
  } catch {
    return path;
  }
  const parents: string[] = [];
  for (let parent = dirname(resolved); ; parent = dirname(parent)) {
    parents.unshift(parent);
    if (parent === dirname(parent)) break;
  }
  for (const parent of parents) {
    if (!permits(statSync(parent), user, mayTraverse)) return parent;
  }
  return permits(statSync(resolved), user, bits) ? undefined : resolved;
}

export function permits(stats: Pick<Stats, 'uid' | 'gid' | 'mode'>, user: ProcessUser, bits: number): boolean {
  // The first class that fits decides, as in the kernel: an owner without x is refused even where everybody else has it.
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & bits) === bits;
}
